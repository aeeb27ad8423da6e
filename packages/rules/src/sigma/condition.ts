/**
 * The condition of a detection: `selection and not 1 of filter_*`.
 *
 * Source: Sigma rules specification, "Condition". Binding, loosest first: or, and, not, `1 of`, brackets. Operators are
 * known in any case (an identifier wins where the word stands for one); identifiers are told apart by case.
 */
import type { Query } from "./expression.ts";
import { allOf, anyOf, not } from "./expression.ts";

/** Brackets and negations inside one another. */
const DEPTH_MAX = 100;

export interface ConditionProblem {
  /** Offset in the condition, from 0. */
  readonly offset: number;
  readonly read: string;
  readonly expected: string;
  readonly fix?: string;
  /** The rule can still be honoured. */
  readonly warning?: boolean;
}

interface Token {
  readonly text: string;
  readonly offset: number;
}

const TOKEN = /[()|]|[^\s()|]+/g;

/**
 * Reads a condition over named queries.
 * Errors: the problems found; with any that is no warning the query is `undefined`.
 */
export function parseCondition(
  text: string,
  named: ReadonlyMap<string, Query>,
): { readonly query: Query | undefined; readonly problems: readonly ConditionProblem[] } {
  const parser = new ConditionParser(text, named);
  const query = parser.parse();
  return { query, problems: parser.problems };
}

class ConditionParser {
  readonly problems: ConditionProblem[] = [];
  private readonly tokens: readonly Token[];
  private readonly named: ReadonlyMap<string, Query>;
  private readonly end: Token;
  private place = 0;
  private depth = 0;

  constructor(text: string, named: ReadonlyMap<string, Query>) {
    this.tokens = [...text.matchAll(TOKEN)].map((match) => ({ text: match[0], offset: match.index }));
    this.named = named;
    this.end = { text: "", offset: text.length };
  }

  parse(): Query | undefined {
    const query = this.or();
    const rest = this.peek();
    if (query === undefined) return undefined;
    if (rest === this.end) return query;
    if (rest.text === "|") {
      const fix = "write the aggregation as a correlation rule";
      return this.fail(rest, '"|"', "no aggregation: Sigma 2 has none in conditions", fix);
    }
    return this.fail(rest, `"${rest.text}"`, 'the end, "and" or "or"');
  }

  private or(): Query | undefined {
    return this.chain("or", () => this.and(), anyOf);
  }

  private and(): Query | undefined {
    return this.chain("and", () => this.not(), allOf);
  }

  private chain(
    word: string,
    operand: () => Query | undefined,
    join: (items: readonly Query[]) => Query,
  ): Query | undefined {
    const first = operand();
    if (first === undefined) return undefined;
    const items = [first];
    while (this.peek().text.toLowerCase() === word) {
      this.place += 1;
      const next = operand();
      if (next === undefined) return undefined;
      items.push(next);
    }
    return items.length === 1 ? first : join(items);
  }

  private not(): Query | undefined {
    const token = this.peek();
    if (token.text.toLowerCase() !== "not") return this.operand();
    this.place += 1;
    if (!this.deepen(token)) return undefined;
    const item = this.not();
    this.depth -= 1;
    return item === undefined ? undefined : not(item);
  }

  private operand(): Query | undefined {
    const token = this.peek();
    this.place += 1;
    if (token === this.end) return this.fail(token, "the end of the condition", "an identifier");
    if (token.text === "(") {
      if (!this.deepen(token)) return undefined;
      const inner = this.or();
      this.depth -= 1;
      if (inner === undefined) return undefined;
      const close = this.peek();
      this.place += 1;
      return close.text === ")" ? inner : this.fail(close, shown(close), '")"');
    }
    if (token.text === ")" || token.text === "|") return this.fail(token, shown(token), "an identifier");
    if (this.peek().text.toLowerCase() === "of" && !this.named.has("of")) return this.quantified(token);
    const query = this.named.get(token.text);
    if (query !== undefined) return query;
    const near = [...this.named.keys()].find((name) => name.toLowerCase() === token.text.toLowerCase());
    const known = [...this.named.keys()].slice(0, 8).join(", ");
    const fix = near === undefined ? undefined : `write ${near}`;
    return this.fail(token, shown(token), `a search identifier of this rule (${known})`, fix);
  }

  /** `1 of them`, `all of selection_*`. */
  private quantified(quantifier: Token): Query | undefined {
    const word = quantifier.text.toLowerCase();
    if (word !== "1" && word !== "any" && word !== "all") {
      return this.fail(quantifier, shown(quantifier), '"1 of" or "all of"', "Sigma 2.1 knows no other number");
    }
    this.place += 1;
    const pattern = this.peek();
    this.place += 1;
    if (pattern === this.end || "()|".includes(pattern.text)) {
      return this.fail(pattern, shown(pattern), '"them" or a pattern of identifiers');
    }
    const items: Query[] = [];
    for (const [name, query] of this.named) {
      if (isMeant(name, pattern.text)) items.push(query);
    }
    if (items.length === 0) {
      const read = `"${quantifier.text} of ${pattern.text}"`;
      const expected = "a pattern that fits some identifier; it never holds";
      this.problems.push({ offset: pattern.offset, read, expected, warning: true });
      return anyOf([]);
    }
    return word === "all" ? allOf(items) : anyOf(items);
  }

  private deepen(token: Token): boolean {
    this.depth += 1;
    if (this.depth <= DEPTH_MAX) return true;
    this.fail(token, "more brackets and negations inside one another", `at most ${DEPTH_MAX}`);
    return false;
  }

  private peek(): Token {
    return this.tokens[this.place] ?? this.end;
  }

  private fail(token: Token, read: string, expected: string, fix?: string): undefined {
    const problem = { offset: token.offset, read, expected };
    this.problems.push(fix === undefined ? problem : { ...problem, fix });
    return undefined;
  }
}

function shown(token: Token): string {
  return token.text === "" ? "the end of the condition" : `"${token.text.slice(0, 60)}"`;
}

/** `_names` are left out unless the pattern itself starts so; `*` stands for any text, anywhere. */
function isMeant(name: string, pattern: string): boolean {
  if (name.startsWith("_") && !pattern.startsWith("_")) return false;
  if (pattern.toLowerCase() === "them") return true;
  const pieces = pattern.split("*");
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  if (pieces.length === 1) return name === pattern;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, from);
    if (found === -1 || found + piece.length > name.length - last.length) return false;
    from = found + piece.length;
  }
  return true;
}
