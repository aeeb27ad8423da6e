/** Evaluates a playbook's condition over what was seen. Source: packages/rules, `expression.ts`. */
import { assertNever, type EpochMs, shortName } from "@culprit/model";
import type { Counted, Expression } from "@culprit/rules";
import type { Sighting } from "./sighting.ts";

/** Sightings of an alias, in order of time. */
export type Seen = (alias: string) => readonly Sighting[];

export function isMet(expression: Expression, seen: Seen): boolean {
  switch (expression.kind) {
    case "seen":
      return seen(expression.alias).length > 0;
    case "and":
      return expression.all.every((part) => isMet(part, seen));
    case "or":
      return expression.all.some((part) => isMet(part, seen));
    case "not":
      return !isMet(expression.of, seen);
    case "after": {
      const last = seen(expression.than).at(-1);
      return last !== undefined && seen(expression.alias).some((sighting) => sighting.from >= last.to);
    }
    case "count":
      return compare(most(expression.of, expression.spanMs, seen), expression.op, expression.n);
    default:
      return assertNever(expression);
  }
}

/**
 * Whether a condition could hold where at most so many of each alias are seen: `false` is certain, `true` asks for a look.
 */
export function couldBeMet(expression: Expression, atMost: (alias: string) => number): boolean {
  switch (expression.kind) {
    case "seen":
      return atMost(expression.alias) > 0;
    case "and":
      return expression.all.every((part) => couldBeMet(part, atMost));
    case "or":
      return expression.all.some((part) => couldBeMet(part, atMost));
    case "not":
      return true;
    case "after":
      return atMost(expression.alias) > 0 && atMost(expression.than) > 0;
    case "count":
      return mostCouldBe(expression, atMost(expression.of.alias));
    default:
      return assertNever(expression);
  }
}

/** Of `count` signals there are at most so many hosts and values. */
function mostCouldBe({ op, n }: Extract<Expression, { kind: "count" }>, count: number): boolean {
  return op === "<" || op === "<=" || compare(count, op === "==" ? ">=" : op, n);
}

function compare(value: number, op: Extract<Expression, { kind: "count" }>["op"], n: number): boolean {
  switch (op) {
    case ">=":
      return value >= n;
    case ">":
      return value > n;
    case "<=":
      return value <= n;
    case "<":
      return value < n;
    case "==":
      return value === n;
    default:
      return assertNever(op);
  }
}

/** The most that any stretch of `spanMs` holds; of everything where no span is given. One pass with two ends. */
function most(of: Counted, spanMs: number | undefined, seen: Seen): number {
  const sightings = seen(of.alias);
  const values = new Map<string, number>();
  let distinct = 0;
  let best = 0;
  let start = 0;
  for (let end = 0; end < sightings.length; end += 1) {
    distinct += add(values, countedValue(of, sightings[end] as Sighting), 1);
    const from: EpochMs = spanMs === undefined ? Number.NEGATIVE_INFINITY : (sightings[end] as Sighting).from - spanMs;
    while ((sightings[start] as Sighting).from < from) {
      distinct += add(values, countedValue(of, sightings[start] as Sighting), -1);
      start += 1;
    }
    best = Math.max(best, distinct);
  }
  return best;
}

/** Changes a count; returns how the number of different values changed. */
function add(values: Map<string, number>, value: string | undefined, by: 1 | -1): number {
  if (value === undefined) return 0;
  const before = values.get(value) ?? 0;
  values.set(value, before + by);
  if (by === 1) return before === 0 ? 1 : 0;
  return before === 1 ? -1 : 0;
}

function countedValue(of: Counted, { signal, about }: Sighting): string | undefined {
  if (of.kind === "signals") return signal.id;
  return of.kind === "hosts" ? shortName(about) : signal.bindings[of.binding]?.toLowerCase();
}
