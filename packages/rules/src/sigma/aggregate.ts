/**
 * What a correlation computes over the entries of a window, kept up as entries come and go.
 *
 * Source: Sigma correlation rules specification, "Correlation Types".
 */
import type { CorrelationBody } from "./correlation-rule.ts";

/** One match of a rule, as far as a window needs it. */
export interface Measured {
  readonly at: number;
  /** Which of the correlation's rules, by place in its list. */
  readonly input: number;
  /** The text counted by `value_count`; `undefined` where a field is missing. */
  readonly text: string | undefined;
  /** The number of the other metrics; `undefined` where the field is missing or no number. */
  readonly number: number | undefined;
}

export interface Aggregate {
  /** Takes an entry in: in order of time, and at one time in order of `input`. */
  add(entry: Measured): void;
  /** Takes out an entry that was taken in; the oldest go first. */
  remove(entry: Measured): void;
  /** The value for a window that began at a time; `undefined` where nothing was measured. */
  value(start: number): number | undefined;
}

/** An empty aggregate of the correlation's type. */
export function newAggregate({ type, rules, percentile }: CorrelationBody): Aggregate {
  switch (type) {
    case "event_count":
      return countAggregate();
    case "value_count":
      return distinctAggregate((entry) => entry.text);
    case "value_sum":
      return sumAggregate((sum) => sum);
    case "value_avg":
      return sumAggregate((sum, count) => sum / count);
    case "value_percentile":
    case "value_median":
      return percentileAggregate(percentile);
    case "temporal":
      return distinctAggregate((entry) => entry.input);
    case "temporal_ordered":
      return orderedAggregate(rules.length);
  }
}

function countAggregate(): Aggregate {
  let count = 0;
  return {
    add: () => {
      count += 1;
    },
    remove: () => {
      count -= 1;
    },
    value: () => count,
  };
}

function distinctAggregate<T>(read: (entry: Measured) => T | undefined): Aggregate {
  const counts = new Map<T, number>();
  return {
    add: (entry) => {
      const value = read(entry);
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    },
    remove: (entry) => {
      const value = read(entry);
      const count = value === undefined ? undefined : counts.get(value);
      if (value === undefined || count === undefined) return;
      if (count === 1) counts.delete(value);
      else counts.set(value, count - 1);
    },
    value: () => counts.size,
  };
}

/**
 * A sum without rounding, as parts that do not overlap, so that a huge number takes nothing with it when it leaves.
 * Source: Shewchuk, "Adaptive Precision Floating-Point Arithmetic", grow-expansion.
 */
function sumAggregate(of: (sum: number, count: number) => number): Aggregate {
  let parts: number[] = [];
  let count = 0;
  const grow = (number: number): void => {
    let carry = number;
    const grown: number[] = [];
    for (const part of parts) {
      const [high, low] = Math.abs(carry) < Math.abs(part) ? [part, carry] : [carry, part];
      carry = high + low;
      const lost = low - (carry - high);
      if (lost !== 0) grown.push(lost);
    }
    grown.push(carry);
    parts = grown;
  };
  return {
    add: ({ number }) => {
      if (number === undefined) return;
      grow(number);
      count += 1;
    },
    remove: ({ number }) => {
      if (number === undefined) return;
      grow(-number);
      count -= 1;
    },
    value: () => {
      if (count === 0) return undefined;
      // From the smallest to the largest, so that small parts add up before they meet large ones.
      const sum = parts.reduce((total, part) => total + part, 0);
      return asWritten(of(asWritten(sum), count));
    },
  };
}

/** Three times 0.1 is 0.3 to whoever wrote it: what binary fractions add beyond 15 digits is dropped. */
function asWritten(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(15));
}

/** Linear interpolation between the two nearest ranks. */
function percentileAggregate(percentile: number): Aggregate {
  const sorted: number[] = [];
  return {
    add: ({ number }) => {
      if (number !== undefined) sorted.splice(placeIn(sorted, number), 0, number);
    },
    remove: ({ number }) => {
      if (number !== undefined) sorted.splice(placeIn(sorted, number), 1);
    },
    value: () => {
      if (sorted.length === 0) return undefined;
      const rank = (percentile / 100) * (sorted.length - 1);
      const below = sorted[Math.floor(rank)] as number;
      const above = sorted[Math.ceil(rank)] as number;
      return asWritten(below + (above - below) * (rank - Math.floor(rank)));
    },
  };
}

function placeIn(sorted: readonly number[], number: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many of the rules matched in the listed order, at most: one pass, no search. For each length and each rule that a
 * chain may end with, only the chain that began last is kept; any other would leave the window earlier.
 */
function orderedAggregate(rules: number): Aggregate {
  const none = Number.NEGATIVE_INFINITY;
  const starts = Array.from({ length: rules }, () => new Array<number>(rules).fill(none));
  return {
    add: ({ at, input }) => {
      for (let length = input; length >= 0; length -= 1) {
        const row = starts[length] as number[];
        const start = length === 0 ? at : latest(starts[length - 1] as number[], input);
        if (start > (row[input] as number)) row[input] = start;
      }
    },
    remove: () => {},
    value: (start) => {
      for (let length = rules; length > 0; length -= 1) {
        if (latest(starts[length - 1] as number[], rules) >= start) return length;
      }
      return 0;
    },
  };
}

function latest(row: readonly number[], end: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < end; i += 1) best = Math.max(best, row[i] as number);
  return best;
}
