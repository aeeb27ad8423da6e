/**
 * What is to be done for events of one kind: which rules can match at all, which literals make it worth trying them, and
 * what is left to ask. The kind is what channel, provider and event id say to the rules; tests that these decide are
 * answered when the plan is made.
 */
import { AhoCorasick } from "./aho-corasick.ts";
import type { Ask, QueryCompiler } from "./evaluate.ts";
import { ALWAYS, allOf, anyOf, NEVER, not, type Query, type Test } from "./expression.ts";
import { type FieldNumbers, FOLDED_VIEW, type Frame } from "./frame.ts";
import { type Literal, requiredLiterals } from "./required.ts";

/** A rule as a plan sees it: its place in the rule set, and what it asks. */
export interface PlannedRule {
  readonly place: number;
  readonly query: Query;
}

/** Which of the texts that rules compare a key field with stand in it. */
export type KeyTexts = ReadonlyMap<string, ReadonlySet<string>>;

/** From this many needles in one field, one pass for all beats a search for each. */
const PASS_MIN = 8;
/** Longer needles are cut for the gate: enough to be rare, and the table stays small. */
const NEEDLE_LENGTH = 12;

export interface Plan {
  /** Rules tried on every such event, in order. */
  readonly always: readonly number[];
  readonly gates: readonly Gate[];
  /** By place of the rule; only for rules of this plan. */
  readonly asks: ReadonlyMap<number, Ask>;
}

/** Calls `open` with the place of each rule worth trying; may call it twice for one rule. */
type Gate = (frame: Frame, open: (place: number) => void) => void;

export interface PlanTools {
  readonly fields: FieldNumbers;
  readonly compiler: QueryCompiler;
}

/** Makes the plan for events whose key fields hold these texts. */
export function makePlan(rules: readonly PlannedRule[], keys: KeyTexts, { fields, compiler }: PlanTools): Plan {
  const always: number[] = [];
  const asks = new Map<number, Ask>();
  const gated = new Map<string | undefined, Map<string, { literal: Literal; rules: number[] }>>();
  for (const { place, query } of rules) {
    const rest = decide(query, keys);
    if (rest.kind === "constant" && !rest.value) continue;
    asks.set(place, compiler.compile(rest));
    const literals = requiredLiterals(rest);
    if (literals === undefined) {
      always.push(place);
      continue;
    }
    for (const literal of literals) {
      const byText = gated.get(literal.field) ?? new Map<string, { literal: Literal; rules: number[] }>();
      gated.set(literal.field, byText);
      const key = `${literal.exact}${literal.text}`;
      const held = byText.get(key);
      if (held === undefined) byText.set(key, { literal, rules: [place] });
      else if (held.rules.at(-1) !== place) held.rules.push(place);
    }
  }
  const gates = [...gated].map(([field, byText]) => makeGate(fields.numberOf(field), [...byText.values()]));
  return { always, gates, asks };
}

/** Answers the tests that the key fields decide, and simplifies. Returns the same object where nothing is decided. */
function decide(query: Query, keys: KeyTexts): Query {
  switch (query.kind) {
    case "constant":
      return query;
    case "test":
      return decideTest(query, keys);
    case "not": {
      const item = decide(query.item, keys);
      return item === query.item ? query : not(item);
    }
    case "and":
    case "or": {
      const items = query.items.map((item) => decide(item, keys));
      if (items.every((item, i) => item === query.items[i])) return query;
      return query.kind === "and" ? allOf(items) : anyOf(items);
    }
  }
}

function decideTest(test: Test, keys: KeyTexts): Query {
  const held = test.field === undefined ? undefined : keys.get(test.field);
  const texts = held === undefined ? undefined : keyTextsOf(test);
  if (held === undefined || texts === undefined) return test;
  return texts.some((text) => held.has(text)) ? ALWAYS : NEVER;
}

/** The texts of a test that a key field decides: whole values without regard to case. */
export function keyTextsOf({ matcher }: Test): readonly string[] | undefined {
  const isDecided = matcher.kind === "text" && matcher.place === "equals" && !matcher.view.cased && !matcher.view.dash;
  return isDecided ? matcher.texts : undefined;
}

interface Needle {
  readonly literal: Literal;
  readonly rules: readonly number[];
}

function makeGate(field: number, needles: readonly Needle[]): Gate {
  const whole = new Map<string, readonly number[]>();
  const parts = new Map<string, number[]>();
  for (const { literal, rules } of needles) {
    if (literal.exact) {
      whole.set(literal.text, rules);
      continue;
    }
    const part = literal.text.slice(0, NEEDLE_LENGTH);
    const held = parts.get(part);
    if (held === undefined) parts.set(part, [...rules]);
    else held.push(...rules);
  }
  const scan = makeScan([...parts]);
  const tryText = (text: string, open: (place: number) => void): void => {
    const rules = whole.get(text);
    if (rules !== undefined) for (const place of rules) open(place);
    scan?.(text, open);
  };
  return (frame, open) => {
    const text = frame.text(field, FOLDED_VIEW);
    if (typeof text === "string") tryText(text, open);
    else if (text !== undefined) for (const each of text) tryText(each, open);
  };
}

type Scan = (text: string, open: (place: number) => void) => void;

function makeScan(parts: readonly (readonly [string, readonly number[]])[]): Scan | undefined {
  if (parts.length === 0) return undefined;
  if (parts.length < PASS_MIN) {
    return (text, open) => {
      for (const [part, rules] of parts) if (text.includes(part)) for (const place of rules) open(place);
    };
  }
  const machine = new AhoCorasick(parts.map(([part]) => part));
  return (text, open) => {
    machine.scan(text, (needle) => {
      for (const place of (parts[needle] as readonly [string, readonly number[]])[1]) open(place);
    });
  };
}
