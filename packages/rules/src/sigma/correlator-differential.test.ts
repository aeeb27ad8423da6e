/** Correlations of every type, condition and grouping, and chains of them, fire as their definition says, in any order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CompiledRule,
  type Correlator,
  compileRules,
  createCorrelator,
  jsonSource,
  type Ruleset,
} from "./index.ts";
import {
  type NaiveCorrelation,
  type NaiveHit,
  type NaiveType,
  naiveMoments,
} from "./naive-correlation.test-support.ts";

/** Rules by name, and the ids of the events they match; an event may match two. */
const RULES = { a: [1], b: [2], c: [3], ab: [1, 2] } as const;
type Name = keyof typeof RULES;
const NAMES = Object.keys(RULES) as Name[];
const TYPES: readonly NaiveType[] = [
  ...(["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median"] as const),
  ...(["temporal", "temporal_ordered"] as const),
];

interface Sent {
  readonly s: number;
  readonly id: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  s: fc.integer({ min: 0, max: 30 }),
  id: fc.integer({ min: 1, max: 4 }),
  fields: fc.record(
    {
      H: fc.constantFrom("x", "X", "y", null),
      G: fc.constantFrom("p", "q", 5, "5"),
      Src: fc.constantFrom("x", "y"),
      V: fc.constantFrom(1, 2, "2", 3, -1, 0.5, "a", "A", null),
      W: fc.constantFrom("u", "v"),
    },
    { requiredKeys: ["Src"] },
  ),
});

interface Plan {
  readonly correlation: NaiveCorrelation;
  readonly names: readonly Name[];
  readonly groupBy: readonly string[];
  readonly fields: readonly string[];
}

const OPERATORS = ["gt", "gte", "lt", "lte", "eq", "neq"] as const;
const condition = fc
  .tuple(fc.shuffledSubarray([...OPERATORS], { minLength: 1, maxLength: 2 }), fc.array(fc.integer({ min: 0, max: 4 })))
  .map(([operators, limits]) => Object.fromEntries(operators.map((operator, i) => [operator, limits[i] ?? 2])));
const plan = fc
  .record({
    type: fc.constantFrom(...TYPES),
    names: fc.shuffledSubarray(NAMES, { minLength: 1 }),
    // `who` is an alias: `Src` in matches of `a`, and the field of that name in the others.
    groupBy: fc.subarray(["H", "G", "who"]),
    span: fc.constantFrom(1, 5, 10),
    condition,
    isDefault: fc.boolean(),
    percentile: fc.constantFrom(0, 25, 50, 90, 100),
    isPair: fc.boolean(),
  })
  .map(({ type, names, groupBy, span, condition: asked, isDefault, percentile, isPair }): Plan => {
    const isTemporal = type.startsWith("temporal");
    const correlation = {
      ...{ type, rules: names.length, span, percentile },
      condition: isTemporal && isDefault ? {} : asked,
    };
    const fields = !type.startsWith("value_") ? [] : type === "value_count" && isPair ? ["V", "W"] : ["V"];
    return { correlation, names, groupBy, fields };
  });

function detectionText(name: Name): string {
  return `title: ${name}\nname: ${name}\nlogsource: { product: windows }\ndetection: { sel: { EventID: [${RULES[name]}] }, condition: sel }\n`;
}

function correlationText({ correlation, names, groupBy, fields }: Plan, title: string): string {
  const { type, span, percentile } = correlation;
  const asked = {
    ...(fields.length === 0 ? {} : { field: fields }),
    ...(type === "value_percentile" ? { percentile } : {}),
    ...correlation.condition,
  };
  const body = {
    ...{ type, rules: names, "group-by": groupBy, timespan: `${span}s` },
    ...(Object.keys(asked).length === 0 ? {} : { condition: asked }),
    ...(names.includes("a") ? { aliases: { who: { a: "Src" } } } : {}),
  };
  return `title: ${title}\nname: ${title}\ncorrelation: ${JSON.stringify(body)}\n`;
}

function shown(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function groupKey(values: readonly (string | null | undefined)[]): string {
  return JSON.stringify(values.map((value) => value?.toLowerCase() ?? null));
}

function hitsOf({ names, groupBy, fields }: Plan, events: readonly Sent[]): NaiveHit[] {
  return events.flatMap((event, ref) =>
    names.flatMap((name, input): NaiveHit[] => {
      if (!(RULES[name] as readonly number[]).includes(event.id)) return [];
      const aliased = groupBy.map((field) => (field === "who" && name === "a" ? "Src" : field));
      const values = fields.map((field) => shown(event.fields[field]));
      const isWhole = values.length > 0 && values.every((value) => value !== undefined);
      return [
        {
          ...{ at: event.s, input, ref },
          group: groupKey(aliased.map((field) => shown(event.fields[field]))),
          value: !isWhole ? undefined : values.length === 1 ? values[0] : JSON.stringify(values),
        },
      ];
    }),
  );
}

function rulesetOf(texts: readonly string[], optimize: boolean): Ruleset {
  const files = texts.map((text, i) => ({ file: `${i}.yml`, text }));
  const { ruleset, diagnostics } = compileRules(files, { routing: false, optimize });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return ruleset as Ruleset;
}

/** The groups of the correlation called `outer` that fire with an event. */
function firedBy(ruleset: Ruleset, correlator: Correlator<number>, { s, id, fields }: Sent, ref: number): string[] {
  const source = jsonSource({ ...fields, EventID: id });
  const rules: CompiledRule[] = [];
  ruleset.match(source, (rule) => rules.push(rule));
  const firings = correlator.accept({ rules, source, at: s * 1000, ref });
  return firings.filter(({ rule }) => rule.title === "outer").map(({ group }) => groupKey(Object.values(group)));
}

/** After which arrival each group first fired. */
function firstFirings(texts: readonly string[], events: readonly Sent[]): Map<string, number> {
  const ruleset = rulesetOf(texts, true);
  const correlator = createCorrelator<number>(ruleset);
  const first = new Map<string, number>();
  events.forEach((event, ref) => {
    for (const group of firedBy(ruleset, correlator, event, ref)) if (!first.has(group)) first.set(group, ref);
  });
  return first;
}

/** The same, by looking at all that has arrived after each arrival. */
function firstByDefinition(
  events: readonly Sent[],
  momentsOf: (arrived: readonly Sent[]) => ReadonlyMap<string, number[]>,
): Map<string, number> {
  const first = new Map<string, number>();
  events.forEach((_, i) => {
    for (const group of momentsOf(events.slice(0, i + 1)).keys()) if (!first.has(group)) first.set(group, i);
  });
  return first;
}

const byKey = (first: ReadonlyMap<string, number>): [string, number][] => [...first].sort();

/**
 * How many episodes begin when the moments that hold change from `before` to `now`, of all the moments of a group: a
 * moment that newly holds begins one unless the moment next to it held or has just come to hold, within the timespan.
 */
function newEpisodes(
  before: ReadonlySet<number>,
  now: readonly number[],
  all: readonly number[],
  span: number,
): number {
  const known = new Set(now.filter((at) => before.has(at)));
  let count = 0;
  for (const at of now) {
    if (before.has(at)) continue;
    const place = all.indexOf(at);
    const beside = [all[place - 1], all[place + 1]];
    if (!beside.some((other) => other !== undefined && known.has(other) && Math.abs(other - at) <= span)) count += 1;
    known.add(at);
  }
  return count;
}

test("any correlation fires when the definition says, once an episode, wherever a snapshot is taken", () => {
  const property = fc.property(
    ...[plan, fc.array(sent, { maxLength: 14 }), fc.boolean(), fc.nat()],
    (planned, events, optimize, cut) => {
      const ruleset = rulesetOf([...NAMES.map(detectionText), correlationText(planned, "outer")], optimize);
      let correlator = createCorrelator<number>(ruleset);
      let held: ReadonlyMap<string, number[]> = new Map();
      events.forEach((event, ref) => {
        if (ref === cut % events.length)
          correlator = createCorrelator<number>(ruleset, { snapshot: correlator.snapshot() });
        const hits = hitsOf(planned, events.slice(0, ref + 1));
        const now = naiveMoments(planned.correlation, hits);
        const expected = [...now].flatMap(([group, moments]) => {
          const times = hits.filter((hit) => hit.group === group).map(({ at }) => at);
          const all = [...new Set(times)].sort((a, b) => a - b);
          const before = new Set(held.get(group) ?? []);
          return Array<string>(newEpisodes(before, moments, all, planned.correlation.span)).fill(group);
        });
        expect(firedBy(ruleset, correlator, event, ref).sort()).toEqual(expected.sort());
        held = now;
      });
    },
  );
  fc.assert(property, { numRuns: 600 });
});

test("a chain first fires, in each group, when the definition says of the moments of its inner correlation", () => {
  const chain = fc.record({
    inner: fc.record({
      groupBy: fc.constantFrom(["H"], ["H", "G"]),
      span: fc.constantFrom(5, 10),
      least: fc.integer({ min: 1, max: 3 }),
    }),
    type: fc.constantFrom<NaiveType>("temporal", "temporal_ordered", "value_count"),
    isInnerFirst: fc.boolean(),
    span: fc.constantFrom(5, 20),
  });
  fc.assert(
    fc.property(chain, fc.array(sent, { maxLength: 14 }), ({ inner, type, isInnerFirst, span }, events) => {
      const innerPlan: Plan = {
        correlation: {
          type: "event_count",
          rules: 1,
          span: inner.span,
          condition: { gte: inner.least },
          percentile: 0,
        },
        ...{ names: ["ab"], groupBy: inner.groupBy, fields: [] },
      };
      const rules = isInnerFirst ? ["inner", "c"] : ["c", "inner"];
      const isCount = type === "value_count";
      const outer: NaiveCorrelation = { type, rules: 2, span, condition: isCount ? { gte: 2 } : {}, percentile: 0 };
      const outerText = `title: outer\ncorrelation: ${JSON.stringify({
        ...{ type, rules, "group-by": ["H"], timespan: `${span}s` },
        ...(isCount ? { condition: { field: "G", gte: 2 } } : {}),
      })}\n`;
      const momentsOf = (arrived: readonly Sent[]): ReadonlyMap<string, number[]> => {
        const own = hitsOf({ ...innerPlan, names: ["c"], groupBy: ["H"], fields: ["G"] }, arrived);
        const moments = [...naiveMoments(innerPlan.correlation, hitsOf(innerPlan, arrived))].flatMap(([key, held]) =>
          held.map((at, i): NaiveHit => {
            const [H, G] = JSON.parse(key) as [string | null, (string | null)?];
            const ref = -1 - i - 100 * [...key].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7);
            return { at, input: rules.indexOf("inner"), ref, group: groupKey([H]), value: G ?? undefined };
          }),
        );
        return naiveMoments(outer, [...own.map((hit) => ({ ...hit, input: rules.indexOf("c") })), ...moments]);
      };
      // What a group of one field completes is told by its last event, so values are counted over groups that have them.
      fc.pre(!isCount || inner.groupBy.length === 2);
      const texts = [...NAMES.map(detectionText), correlationText(innerPlan, "inner"), outerText];
      expect(byKey(firstFirings(texts, events))).toEqual(byKey(firstByDefinition(events, momentsOf)));
    }),
    { numRuns: 300 },
  );
});
