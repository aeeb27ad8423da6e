/**
 * The conditions of a playbook: `bugcheck or (removed and count(retry, 10m) >= 3 and not planned)`.
 *
 *   expression := all ('or' all)*        all := one ('and' one)*        one := 'not' one | '(' expression ')' | term
 *   term := alias                        seen at least once
 *         | count(alias[, span]) op n    most signals in any stretch of `span`, or in all
 *         | hosts(alias[, span]) op n    most different hosts spoken about
 *         | distinct(alias.binding[, span]) op n
 *         | after(alias, alias)          the first follows the last of the second
 *
 * Parsed once at load, evaluated over what an incident has seen. No strings of the event ever reach the parser.
 */
import { durationMs } from "@culprit/model";
import { DURATION_MAX_MS } from "./schema.ts";

export type Comparison = ">=" | ">" | "<=" | "<" | "==";

export type Expression =
  | { readonly kind: "seen"; readonly alias: string }
  | {
      readonly kind: "count";
      readonly of: Counted;
      readonly spanMs: number | undefined;
      readonly op: Comparison;
      readonly n: number;
    }
  | { readonly kind: "after"; readonly alias: string; readonly than: string }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly all: readonly Expression[] };

export type Counted =
  | { readonly kind: "signals"; readonly alias: string }
  | { readonly kind: "hosts"; readonly alias: string }
  | { readonly kind: "values"; readonly alias: string; readonly binding: string };

export type ParsedExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly at: number; readonly expected: string };

/** Thrown inside the parser only; `parseExpression` turns it into a value. */
class Unexpected extends Error {
  readonly at: number;
  readonly expected: string;
  constructor(at: number, expected: string) {
    super(expected);
    this.at = at;
    this.expected = expected;
  }
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const TOKEN = />=|<=|==|>|<|[(),]|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?|\d+(?:\.\d+)?(?:ms|s|m|h|d)?/y;
const COUNTS = new Set(["count", "hosts", "distinct"]);
const COMPARISONS = new Set<string>([">=", ">", "<=", "<", "=="]);
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED = new Set(["and", "or", "not"]);

/**
 * Parses a condition.
 * Errors: `at` is the place in the text, `expected` what should stand there.
 */
export function parseExpression(text: string): ParsedExpression {
  try {
    const parser = new Parser(tokens(text), text.length);
    return { ok: true, expression: parser.whole() };
  } catch (error) {
    if (error instanceof Unexpected) return { ok: false, at: error.at, expected: error.expected };
    throw error;
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; ; at = TOKEN.lastIndex) {
    while (text[at] === " " || text[at] === "\t") at += 1;
    if (at >= text.length) return found;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new Unexpected(at, "a name, a number, a comparison or a bracket");
    found.push({ text: match[0], at });
  }
}

class Parser {
  private next = 0;
  private readonly list: readonly Token[];
  private readonly end: number;

  constructor(list: readonly Token[], end: number) {
    this.list = list;
    this.end = end;
  }

  whole(): Expression {
    const expression = this.any();
    if (this.next < this.list.length) throw this.unexpected("'and', 'or' or the end");
    return expression;
  }

  private any(): Expression {
    return this.chain("or", () => this.chain("and", () => this.one()));
  }

  private chain(word: "and" | "or", part: () => Expression): Expression {
    const all = [part()];
    while (this.take(word)) all.push(part());
    return all.length === 1 ? (all[0] as Expression) : { kind: word, all };
  }

  private one(): Expression {
    if (this.take("not")) return { kind: "not", of: this.one() };
    if (this.take("(")) {
      const inner = this.any();
      this.need(")");
      return inner;
    }
    return this.term();
  }

  private term(): Expression {
    const word = this.word("the name of a signal");
    if (this.peek() !== "(") return { kind: "seen", alias: word };
    if (word === "after") {
      this.need("(");
      const alias = this.word("the name of a signal");
      this.need(",");
      const than = this.word("the name of a signal");
      this.need(")");
      return { kind: "after", alias, than };
    }
    if (!COUNTS.has(word)) throw this.unexpected("count(…), hosts(…), distinct(…) or after(…)", -1);
    return this.comparison(word);
  }

  private comparison(word: string): Expression {
    this.need("(");
    const of = this.counted(word);
    const spanMs = this.take(",") ? this.span() : undefined;
    this.need(")");
    const op = this.text("a comparison such as >=");
    if (!COMPARISONS.has(op)) throw this.unexpected("a comparison such as >=", -1);
    const n = Number(this.text("a number"));
    if (!Number.isInteger(n)) throw this.unexpected("a whole number", -1);
    return { kind: "count", of, spanMs, op: op as Comparison, n };
  }

  private counted(word: string): Counted {
    const name = this.text("the name of a signal");
    const [alias, binding] = name.split(".");
    if (alias === undefined || !NAME.test(alias)) throw this.unexpected("the name of a signal", -1);
    if (word === "distinct") {
      if (binding === undefined) throw this.unexpected("signal.binding, as in distinct(removed.node)", -1);
      return { kind: "values", alias, binding };
    }
    if (binding !== undefined) throw this.unexpected("the name of a signal without a binding", -1);
    return { kind: word === "hosts" ? "hosts" : "signals", alias };
  }

  private span(): number {
    const ms = durationMs(this.text("a duration such as 10m"));
    if (ms === undefined || ms <= 0 || ms > DURATION_MAX_MS) {
      throw this.unexpected("a duration such as 10m, of a year at most", -1);
    }
    return ms;
  }

  private word(expected: string): string {
    const text = this.text(expected);
    if (!NAME.test(text) || RESERVED.has(text)) throw this.unexpected(expected, -1);
    return text;
  }

  private text(expected: string): string {
    const token = this.list[this.next];
    if (token === undefined) throw this.unexpected(expected);
    this.next += 1;
    return token.text;
  }

  private peek(): string | undefined {
    return this.list[this.next]?.text;
  }

  private take(text: string): boolean {
    if (this.peek() !== text) return false;
    this.next += 1;
    return true;
  }

  private need(text: string): void {
    if (!this.take(text)) throw this.unexpected(`'${text}'`);
  }

  private unexpected(expected: string, shift = 0): Unexpected {
    return new Unexpected(this.list[this.next + shift]?.at ?? this.end, expected);
  }
}

/** Every alias an expression names, each once, in order. */
export function aliasesOf(expression: Expression): readonly string[] {
  const found = new Set<string>();
  collect(expression, found);
  return [...found];
}

function collect(expression: Expression, into: Set<string>): void {
  switch (expression.kind) {
    case "seen":
      into.add(expression.alias);
      return;
    case "count":
      into.add(expression.of.alias);
      return;
    case "after":
      into.add(expression.alias);
      into.add(expression.than);
      return;
    case "not":
      collect(expression.of, into);
      return;
    case "and":
    case "or":
      for (const part of expression.all) collect(part, into);
  }
}

/** The aliases whose presence can make the expression true: those not under a `not`. */
export function positiveAliasesOf(expression: Expression): readonly string[] {
  const found = new Set<string>();
  const walk = (part: Expression): void => {
    if (part.kind === "not") return;
    if (part.kind === "and" || part.kind === "or") part.all.forEach(walk);
    else collect(part, found);
  };
  walk(expression);
  return [...found];
}

/** The aliases whose absence an expression rests on: those under a `not`, and counts that must stay small. */
export function negativeAliasesOf(expression: Expression): readonly string[] {
  const found = new Set<string>();
  const walk = (part: Expression): void => {
    if (part.kind === "not") collect(part.of, found);
    else if (part.kind === "and" || part.kind === "or") part.all.forEach(walk);
    else if (part.kind === "count" && (part.op === "<" || part.op === "<=" || part.op === "=="))
      found.add(part.of.alias);
  };
  walk(expression);
  return [...found];
}
