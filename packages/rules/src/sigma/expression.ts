/** What a rule asks of an event: tests on fields, joined by and, or and not. Built simplified. */
import type { Matcher } from "./matcher.ts";
import { matcherKey } from "./matcher.ts";

/** A test on a field; without a field, on every value of the event. */
export interface Test {
  readonly kind: "test";
  readonly field: string | undefined;
  readonly matcher: Matcher;
  /** Equal for tests that always answer alike. */
  readonly key: string;
}

export type Query =
  | Test
  | { readonly kind: "and" | "or"; readonly items: readonly Query[] }
  | { readonly kind: "not"; readonly item: Query }
  | { readonly kind: "constant"; readonly value: boolean };

export const ALWAYS: Query = { kind: "constant", value: true };
export const NEVER: Query = { kind: "constant", value: false };

export function testOf(field: string | undefined, matcher: Matcher): Test {
  return {
    kind: "test",
    field,
    matcher,
    key: `${field === undefined ? "*" : `=${field}`}\u0000${matcherKey(matcher)}`,
  };
}

export function not(item: Query): Query {
  if (item.kind === "constant") return item.value ? NEVER : ALWAYS;
  return item.kind === "not" ? item.item : { kind: "not", item };
}

/** All of the items; of none, true. */
export function allOf(items: readonly Query[]): Query {
  return join("and", items);
}

/** Any of the items; of none, false. Tests for texts at one place of one field become one test for any of them. */
export function anyOf(items: readonly Query[]): Query {
  return join("or", items);
}

function join(kind: "and" | "or", items: readonly Query[]): Query {
  // True ends an `or`, false ends an `and`; the other constant adds nothing.
  const ending = kind === "or";
  const flat: Query[] = [];
  const seen = new Set<Query | string>();
  for (const item of items.flatMap((each) => (each.kind === kind ? each.items : [each]))) {
    if (item.kind === "constant") {
      if (item.value === ending) return item;
      continue;
    }
    const key = item.kind === "test" ? item.key : item;
    if (seen.has(key)) continue;
    seen.add(key);
    flat.push(item);
  }
  const joined = kind === "or" ? mergeTexts(flat) : flat;
  const [only] = joined;
  if (only === undefined) return kind === "and" ? ALWAYS : NEVER;
  return joined.length === 1 ? only : { kind, items: joined };
}

function mergeTexts(items: readonly Query[]): Query[] {
  const out: Query[] = [];
  const groups = new Map<string, { place: number; field: string | undefined; like: Matcher; texts: Set<string> }>();
  for (const item of items) {
    if (item.kind !== "test" || item.matcher.kind !== "text") {
      out.push(item);
      continue;
    }
    const { place, view, texts } = item.matcher;
    const key = `${item.field === undefined ? "*" : `=${item.field}`}\u0000${place}\u0000${view.cased}\u0000${view.dash}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { place: out.length, field: item.field, like: item.matcher, texts: new Set(texts) });
      out.push(item);
    } else {
      for (const text of texts) group.texts.add(text);
    }
  }
  for (const { place, field, like, texts } of groups.values()) {
    if (like.kind === "text" && texts.size > like.texts.length) {
      out[place] = testOf(field, { ...like, texts: [...texts].sort() });
    }
  }
  return out;
}
