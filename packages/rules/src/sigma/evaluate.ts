/** Queries to closures over a frame: one shape per kind of test, cheapest operand first, shared tests asked once. */
import type { Query, Test } from "./expression.ts";
import { foldCase } from "./fold.ts";
import { anyValue, type FieldNumbers, FOLDED_VIEW, type Frame, viewNumber } from "./frame.ts";
import type { Matcher } from "./matcher.ts";
import { requiredText } from "./regex.ts";
import { fieldTest, scalarTest, textTest } from "./test-value.ts";

export type Ask = (frame: Frame) => boolean;

/** Makes closures; keeps those it has made, by query and by test. */
export class QueryCompiler {
  private readonly fields: FieldNumbers;
  private readonly isShared: (key: string) => boolean;
  private readonly made = new Map<Query, Ask>();
  private readonly tests = new Map<string, Ask>();
  private answers = 0;

  /** `isShared` tells which tests (by key) are asked more than once an event. */
  constructor(fields: FieldNumbers, isShared: (key: string) => boolean) {
    this.fields = fields;
    this.isShared = isShared;
  }

  compile(query: Query): Ask {
    const held = this.made.get(query);
    if (held !== undefined) return held;
    const ask = this.make(query);
    this.made.set(query, ask);
    return ask;
  }

  private make(query: Query): Ask {
    switch (query.kind) {
      case "constant":
        return query.value ? () => true : () => false;
      case "not": {
        const ask = this.compile(query.item);
        return (frame) => !ask(frame);
      }
      case "test":
        return this.testAsk(query);
      case "and":
      case "or": {
        const asks = [...query.items].sort((a, b) => costOf(a) - costOf(b)).map((item) => this.compile(item));
        return query.kind === "and" ? allAsk(asks) : anyAsk(asks);
      }
    }
  }

  private testAsk(test: Test): Ask {
    const held = this.tests.get(test.key);
    if (held !== undefined) return held;
    const plain = plainAsk(test, this.fields);
    let ask = plain;
    if (this.isShared(test.key)) {
      const answer = this.answers;
      this.answers += 1;
      ask = (frame) => frame.remember(answer, plain);
    }
    this.tests.set(test.key, ask);
    return ask;
  }
}

function allAsk(asks: readonly Ask[]): Ask {
  const [a, b, c] = asks;
  if (a !== undefined && b !== undefined && asks.length === 2) return (frame) => a(frame) && b(frame);
  if (a !== undefined && b !== undefined && c !== undefined && asks.length === 3) {
    return (frame) => a(frame) && b(frame) && c(frame);
  }
  return (frame) => {
    for (const ask of asks) if (!ask(frame)) return false;
    return true;
  };
}

function anyAsk(asks: readonly Ask[]): Ask {
  const [a, b] = asks;
  if (a !== undefined && b !== undefined && asks.length === 2) return (frame) => a(frame) || b(frame);
  return (frame) => {
    for (const ask of asks) if (ask(frame)) return true;
    return false;
  };
}

/** One test as a closure, without memory. */
function plainAsk({ field, matcher }: Test, fields: FieldNumbers): Ask {
  const number = fields.numberOf(field);
  switch (matcher.kind) {
    case "text":
    case "wildcard": {
      const view = viewNumber(matcher.view);
      const test = textTest(matcher);
      return (frame) => {
        const text = frame.text(number, view);
        return typeof text === "string" ? test(text) : text?.some(test) === true;
      };
    }
    case "exists":
      return (frame) => frame.value(number) !== undefined;
    case "null":
      return (frame) => {
        const value = frame.value(number);
        return value === undefined || anyValue(value, (each) => each === null);
      };
    case "value":
      return (frame) => anyValue(frame.value(number), (each) => each !== null);
    case "field": {
      const other = fields.numberOf(matcher.other);
      const test = fieldTest(matcher);
      return (frame) => {
        const against = frame.value(other);
        return anyValue(frame.value(number), (each) => anyValue(against, (part) => test(each, part)));
      };
    }
    case "regex":
      return regexAsk(matcher, number);
    default: {
      const test = scalarTest(matcher);
      return (frame) => anyValue(frame.value(number), test);
    }
  }
}

const ASCII_ONLY = /^[\0-\x7f]*$/;

/** A regular expression is run only where a text that every match contains is there. */
function regexAsk(matcher: Extract<Matcher, { kind: "regex" }>, number: number): Ask {
  const test = scalarTest(matcher);
  const required = requiredText(matcher.pattern);
  const literal = matcher.flags.ignoreCase ? foldCase(required) : required;
  if (literal.length < 2 || !ASCII_ONLY.test(literal)) return (frame) => anyValue(frame.value(number), test);
  const { ignoreCase } = matcher.flags;
  return (frame) =>
    anyValue(frame.value(number), (value) => {
      if (typeof value !== "string") return test(value);
      // Beyond ASCII the engine folds more than we do (`ſ` is an `s`), so there the literal decides nothing.
      const text = ignoreCase ? asciiFolded(frame, number, value) : value;
      if (text !== undefined && !text.includes(literal)) return false;
      return test(value);
    });
}

function asciiFolded(frame: Frame, number: number, value: string): string | undefined {
  if (!ASCII_ONLY.test(value)) return undefined;
  const text = frame.text(number, FOLDED_VIEW);
  return typeof text === "string" ? text : value.toLowerCase();
}

const TEXT_COST = { equals: 2, prefix: 2, suffix: 2, contains: 5 } as const;
const SET_COST = 3;

/** What a query costs to ask, in rough units; only the order matters. */
function costOf(query: Query): number {
  switch (query.kind) {
    case "constant":
      return 0;
    case "not":
      return costOf(query.item) + 1;
    case "and":
    case "or":
      return query.items.reduce((sum, item) => sum + costOf(item), 0);
    case "test":
      return (query.field === undefined ? 20 : 1) * matcherCost(query.matcher);
  }
}

function matcherCost(matcher: Matcher): number {
  switch (matcher.kind) {
    case "exists":
    case "null":
    case "value":
      return 1;
    case "text":
      if (matcher.texts.length === 1) return TEXT_COST[matcher.place];
      return matcher.place === "equals" ? SET_COST : TEXT_COST[matcher.place] * matcher.texts.length;
    case "wildcard":
      return 8;
    case "number":
    case "time":
    case "field":
      return 6;
    case "network":
      return 12;
    case "regex":
      return 60;
  }
}
