/**
 * Correlations by their definition, for tests alone: every window that ends at a match is looked at anew, whatever came
 * before. Written from the specification; shares no code with the engine.
 */

export type NaiveType =
  | "event_count"
  | "value_count"
  | "value_sum"
  | "value_avg"
  | "value_percentile"
  | "value_median"
  | "temporal"
  | "temporal_ordered";

export interface NaiveCorrelation {
  readonly type: NaiveType;
  /** How many rules are listed. */
  readonly rules: number;
  readonly span: number;
  /** Operator to limit; all must hold. Without any, a temporal type asks for all its rules. */
  readonly condition: Readonly<Record<string, number>>;
  readonly percentile: number;
}

/** One match of one of the rules. */
export interface NaiveHit {
  readonly at: number;
  readonly input: number;
  /** The event, which counts once however many rules it matches. */
  readonly ref: number;
  readonly group: string;
  /** What is counted or measured; `undefined` where a field is missing. */
  readonly value: string | undefined;
}

/** The moments at which the condition holds, by group. */
export function naiveMoments(correlation: NaiveCorrelation, hits: readonly NaiveHit[]): ReadonlyMap<string, number[]> {
  const moments = new Map<string, number[]>();
  for (const group of new Set(hits.map((hit) => hit.group))) {
    const own = hits.filter((hit) => hit.group === group);
    const ends = [...new Set(own.map(({ at }) => at))].sort((a, b) => a - b);
    const held = ends.filter((end) => {
      const inside = own.filter(({ at }) => at <= end && at >= end - correlation.span);
      const value = measured(correlation, inside);
      return value !== undefined && meets(correlation, value);
    });
    if (held.length > 0) moments.set(group, held);
  }
  return moments;
}

function measured({ type, percentile }: NaiveCorrelation, inside: readonly NaiveHit[]): number | undefined {
  const events = inside.filter((hit, i) => inside.findIndex(({ ref }) => ref === hit.ref) === i);
  const numbers = events
    .map(({ value }) => (value === undefined || !/^-?\d+(?:\.\d+)?$/.test(value) ? Number.NaN : Number(value)))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b);
  const sum = numbers.reduce((total, number) => total + number, 0);
  switch (type) {
    case "event_count":
      return events.length;
    case "value_count":
      return new Set(events.map(({ value }) => value?.toLowerCase()).filter((value) => value !== undefined)).size;
    case "value_sum":
      return numbers.length === 0 ? undefined : sum;
    case "value_avg":
      return numbers.length === 0 ? undefined : sum / numbers.length;
    case "value_percentile":
      return ranked(numbers, percentile);
    case "value_median":
      return ranked(numbers, 50);
    case "temporal":
      return new Set(inside.map(({ input }) => input)).size;
    case "temporal_ordered":
      return longestChain(inside, -1, Number.NEGATIVE_INFINITY);
  }
}

function ranked(sorted: readonly number[], percentile: number): number | undefined {
  const rank = ((sorted.length - 1) * percentile) / 100;
  const [below, above] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (below === undefined || above === undefined) return undefined;
  return below * (1 - (rank % 1)) + above * (rank % 1);
}

/** Rules in the listed order, each at the time of the one before or later. */
function longestChain(inside: readonly NaiveHit[], input: number, at: number): number {
  const next = inside.filter((hit) => hit.input > input && hit.at >= at);
  return Math.max(0, ...next.map((hit) => 1 + longestChain(inside, hit.input, hit.at)));
}

function meets({ type, rules, condition }: NaiveCorrelation, value: number): boolean {
  const isDefault = Object.keys(condition).length === 0 && type.startsWith("temporal");
  return Object.entries(isDefault ? { gte: rules } : condition).every(([operator, limit]) => {
    if (operator === "gt") return value > limit;
    if (operator === "gte") return value >= limit;
    if (operator === "lt") return value < limit;
    if (operator === "lte") return value <= limit;
    return operator === "eq" ? value === limit : value !== limit;
  });
}
