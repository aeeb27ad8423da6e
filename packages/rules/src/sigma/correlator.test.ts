import { describe, expect, test } from "vitest";
import {
  type CompiledRule,
  type Correlator,
  type CorrelatorSnapshot,
  compileRules,
  createCorrelator,
  jsonSource,
  type Ruleset,
} from "./index.ts";

const START = Date.UTC(2026, 2, 2, 10);

function base(name: string, id: number): string {
  return `title: ${name}\nname: ${name}\nlogsource: { product: windows }\ndetection: { sel: { EventID: ${id} }, condition: sel }\n`;
}

const BASES = [base("a", 1), base("b", 2), base("c", 3)];

function correlation(body: string, head = "title: corr\nname: corr\n"): string {
  return `${head}correlation:\n${body.replaceAll(/^/gm, "  ")}`;
}

function rulesetOf(...texts: string[]): Ruleset {
  const { ruleset, diagnostics } = compileRules(
    texts.map((text, i) => ({ file: `${i}.yml`, text })),
    { routing: false },
  );
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return ruleset as Ruleset;
}

interface Sent {
  readonly s: number;
  readonly id: number;
  readonly [field: string]: unknown;
}

/** Sends events; yields `title@index group` for every firing. */
function send(ruleset: Ruleset, correlator: Correlator<number>, events: readonly Sent[], from = 0): string[] {
  const out: string[] = [];
  events.forEach((event, i) => {
    const source = jsonSource({ ...event, EventID: event.id });
    const rules: CompiledRule[] = [];
    ruleset.match(source, (rule) => rules.push(rule));
    for (const firing of correlator.accept({ rules, source, at: START + event.s * 1000, ref: from + i })) {
      out.push(`${firing.rule.title}@${from + i} ${Object.values(firing.group).join()}`.trim());
    }
  });
  return out;
}

function fire(texts: readonly string[], events: readonly Sent[]): string[] {
  const ruleset = rulesetOf(...texts);
  return send(ruleset, createCorrelator<number>(ruleset), events);
}

describe("what fires when", () => {
  test("the condition fires once an episode and again in the next", () => {
    const text = correlation("type: event_count\nrules: [a]\ngroup-by: [H]\ntimespan: 60s\ncondition: { gte: 2 }");
    const seconds = [0, 10, 20, 30, 200, 210];
    expect(
      fire(
        [...BASES, text],
        seconds.map((s) => ({ s, id: 1, H: "h" })),
      ),
    ).toEqual(["corr@1 h", "corr@5 h"]);
  });

  test("groups are compared without regard to case and events without the field are one group", () => {
    const text = correlation("type: event_count\nrules: [a]\ngroup-by: [H]\ntimespan: 60s\ncondition: { gte: 2 }");
    const events = [
      { s: 0, id: 1, H: "HV01" },
      { s: 1, id: 1 },
      { s: 2, id: 1, H: "hv01" },
      { s: 3, id: 1 },
    ];
    expect(fire([...BASES, text], events)).toEqual(["corr@2 HV01", "corr@3"]);
  });

  test("a range holds only inside it", () => {
    const text = correlation("type: event_count\nrules: [a]\ntimespan: 60s\ncondition: { gt: 1, lte: 2 }");
    expect(
      fire(
        [...BASES, text],
        [0, 1, 2].map((s) => ({ s, id: 1 })),
      ),
    ).toEqual(["corr@1"]);
  });

  test("an event that two rules match is counted once, and satisfies both for temporal", () => {
    const both = base("also_a", 1);
    const count = correlation("type: event_count\nrules: [a, also_a]\ntimespan: 60s\ncondition: { gte: 2 }");
    expect(fire([...BASES, both, count], [{ s: 0, id: 1 }])).toEqual([]);
    expect(
      fire(
        [...BASES, both, count],
        [
          { s: 0, id: 1 },
          { s: 0, id: 1 },
        ],
      ),
    ).toEqual(["corr@1"]);
    const temporal = correlation("type: temporal\nrules: [a, also_a]\ntimespan: 60s");
    expect(fire([...BASES, both, temporal], [{ s: 0, id: 1 }])).toEqual(["corr@0"]);
  });

  test("sums, averages, percentiles and medians leave out what is no number", () => {
    const metric = (type: string, condition: string): string =>
      correlation(`type: ${type}\nrules: [a]\ntimespan: 60s\ncondition: { field: V, ${condition} }`);
    const events = [1, "x", "3", undefined, 8].map((V, s) => ({ s, id: 1, V }));
    expect(fire([...BASES, metric("value_sum", "gte: 12")], events)).toEqual(["corr@4"]);
    expect(fire([...BASES, metric("value_avg", "eq: 4")], events)).toEqual(["corr@4"]);
    expect(fire([...BASES, metric("value_percentile", "percentile: 75, gt: 5")], events)).toEqual(["corr@4"]);
    expect(fire([...BASES, metric("value_median", "eq: 3")], events)).toEqual(["corr@4"]);
    expect(fire([...BASES, metric("value_avg", "lt: 100")], [{ s: 0, id: 1 }])).toEqual([]);
  });

  test("all that one event matches is judged at once", () => {
    const wide = base("wide", 1);
    const text = correlation("type: temporal\nrules: [a, wide]\ntimespan: 60s\ncondition: { eq: 1 }");
    expect(fire([...BASES, wide, text], [{ s: 0, id: 1 }])).toEqual([]);
  });

  test("an ordered condition counts the longest run of rules in order", () => {
    const text = correlation("type: temporal_ordered\nrules: [a, b, c]\ntimespan: 60s\ncondition: { gte: 2 }");
    expect(
      fire(
        [...BASES, text],
        [
          { s: 0, id: 3 },
          { s: 1, id: 2 },
          { s: 2, id: 1 },
        ],
      ),
    ).toEqual([]);
    expect(
      fire(
        [...BASES, text],
        [
          { s: 0, id: 1 },
          { s: 1, id: 3 },
        ],
      ),
    ).toEqual(["corr@1"]);
  });

  test("a chain asks the inner group, then the event that completed it", () => {
    const inner = correlation(
      "type: event_count\nrules: [a]\ngroup-by: [H, U]\ntimespan: 60s\ncondition: { gte: 2 }",
      "title: inner\nid: 8D31496D-14C9-5A27-9B12-62AB6C800AA5\n",
    );
    const outer = correlation(
      "type: temporal\nrules: [8d31496d-14c9-5a27-9b12-62ab6c800aa5, b]\ngroup-by: [H, Site]\ntimespan: 60s",
    );
    const events = [
      { s: 0, id: 1, H: "h", U: "u", Site: "old" },
      { s: 1, id: 1, H: "h", U: "u", Site: "new" },
      { s: 2, id: 2, H: "h", Site: "old" },
      { s: 3, id: 2, H: "h", Site: "new" },
    ];
    expect(fire([...BASES, inner, outer], events)).toEqual(["corr@3 h,new"]);
  });

  test("generate lets the rules alert on their own, and silent correlations fire only when asked for", () => {
    const inner = correlation(
      "type: event_count\nrules: [a]\ntimespan: 60s\ncondition: { gte: 1 }",
      "title: inner\nname: inner\n",
    );
    const outer = correlation(
      "type: event_count\nrules: [inner]\ntimespan: 60s\ncondition: { gte: 1 }\ngenerate: true",
    );
    const ruleset = rulesetOf(...BASES, inner, outer);
    expect(ruleset.rules.map(({ title, emits }) => [title, emits])).toEqual([
      ["a", false],
      ["b", true],
      ["c", true],
      ["inner", true],
      ["corr", true],
    ]);
    const quiet = rulesetOf(...BASES, inner, outer.replace("generate: true", "generate: false"));
    expect(send(quiet, createCorrelator(quiet), [{ s: 0, id: 1 }])).toEqual(["corr@0"]);
    expect(send(quiet, createCorrelator(quiet, { silentToo: true }), [{ s: 0, id: 1 }])).toEqual(["inner@0", "corr@0"]);
  });
});

describe("extensions", () => {
  test("a session ends after its gap, however long it may last", () => {
    const text = `${correlation("type: event_count\nrules: [a]\ntimespan: 1h\ncondition: { gte: 3 }")}\nx-culprit: { window: session, gap: 30s }\n`;
    const at = (seconds: number[]): Sent[] => seconds.map((s) => ({ s, id: 1 }));
    expect(fire([...BASES, text], at([0, 20, 60, 80]))).toEqual([]);
    expect(fire([...BASES, text], at([0, 20, 60, 80, 40]))).toEqual(["corr@4"]);
    expect(fire([...BASES, text], at([0, 60, 85, 110]))).toEqual(["corr@3"]);
  });

  test("absence fires when the watermark has passed the wait, unless the rule matched in it", () => {
    const text = `${correlation("type: event_count\nrules: [a]\ngroup-by: [H]\ntimespan: 60s\ncondition: { gte: 1 }")}\nx-culprit: { absent: { rule: b, within: 10m } }\n`;
    const ruleset = rulesetOf(...BASES, text);
    const correlator = createCorrelator<number>(ruleset);
    const events = [
      { s: 0, id: 1, H: "x" },
      { s: 0, id: 1, H: "y" },
      { s: 300, id: 2, H: "x" },
    ];
    expect(send(ruleset, correlator, events)).toEqual([]);
    expect(correlator.advance(START + 599_000)).toEqual([]);
    const firings = correlator.advance(START + 600_000);
    expect(firings.map(({ group, at, ref, events: refs }) => [{ ...group }, at - START, ref, refs])).toEqual([
      [{ H: "y" }, 600_000, 1, [1]],
    ]);
    expect(correlator.advance(Number.POSITIVE_INFINITY)).toEqual([]);
  });

  test("an answer that arrives before its question counts by event time", () => {
    const text = `${correlation("type: event_count\nrules: [a]\ntimespan: 60s\ncondition: { gte: 1 }")}\nx-culprit: { absent: { rule: b, within: 1m } }\n`;
    const ruleset = rulesetOf(...BASES, text);
    const correlator = createCorrelator<number>(ruleset);
    send(ruleset, correlator, [
      { s: 30, id: 2 },
      { s: 0, id: 1 },
    ]);
    expect(correlator.advance(Number.POSITIVE_INFINITY)).toEqual([]);
  });

  test("suppression holds a group back for its time and no other group", () => {
    const text = `${correlation("type: event_count\nrules: [a]\ngroup-by: [H]\ntimespan: 5s\ncondition: { gte: 1 }")}\nx-culprit: { suppress: 1m }\n`;
    const events = [
      { s: 0, id: 1, H: "x" },
      { s: 30, id: 1, H: "x" },
      { s: 31, id: 1, H: "y" },
      { s: 90, id: 1, H: "x" },
    ];
    expect(fire([...BASES, text], events)).toEqual(["corr@0 x", "corr@2 y", "corr@3 x"]);
  });
});

describe("state", () => {
  const TEXT = correlation("type: event_count\nrules: [a]\ngroup-by: [H]\ntimespan: 60s\ncondition: { gte: 3 }");
  const events = [0, 1, 2].map((s) => ({ s, id: 1, H: "h" }));

  test("a snapshot is plain data, and goes on where it was taken", () => {
    const ruleset = rulesetOf(...BASES, TEXT);
    const first = createCorrelator<number>(ruleset);
    expect(send(ruleset, first, events.slice(0, 2))).toEqual([]);
    const snapshot = JSON.parse(JSON.stringify(first.snapshot())) as CorrelatorSnapshot<number>;
    const second = createCorrelator<number>(ruleset, { snapshot });
    expect(send(ruleset, second, events.slice(2), 2)).toEqual(["corr@2 h"]);
  });

  test("another rule set takes over the state of what is defined alike, and of nothing else", () => {
    const before = rulesetOf(...BASES, TEXT);
    const old = createCorrelator<number>(before);
    send(before, old, events.slice(0, 2));
    const alike = rulesetOf(base("new", 9), ...BASES, TEXT);
    expect(send(alike, createCorrelator<number>(alike, { snapshot: old.snapshot() }), events.slice(2), 2)).toEqual([
      "corr@2 h",
    ]);
    const changes = [TEXT.replace("gte: 3", "gte: 2"), TEXT].map((text, i) =>
      rulesetOf(i === 0 ? base("a", 1) : base("a", 7), text),
    );
    for (const changed of changes) {
      expect(createCorrelator<number>(changed, { snapshot: old.snapshot() }).stats().entries).toBe(0);
    }
  });

  test("a watermark lets go of what no window needs", () => {
    const ruleset = rulesetOf(...BASES, TEXT);
    const correlator = createCorrelator<number>(ruleset);
    send(ruleset, correlator, [...events, { s: 500, id: 1, H: "other" }]);
    correlator.advance(START + 61_500);
    expect(correlator.stats()).toMatchObject({ groups: 2, entries: 2 });
    correlator.advance(START + 400_000);
    expect(correlator.stats()).toMatchObject({ groups: 1, entries: 1 });
  });

  test("a group that never ends keeps a bounded number of matches, counts the rest, and works on", () => {
    const ruleset = rulesetOf(
      ...BASES,
      correlation("type: event_count\nrules: [a]\ntimespan: 1d\ncondition: { gte: 9000 }"),
    );
    const correlator = createCorrelator<number>(ruleset);
    const many = Array.from({ length: 25_000 }, (_, s) => ({ s, id: 1 }));
    expect(send(ruleset, correlator, many)).toEqual(["corr@8999"]);
    const { entries, droppedEntries } = correlator.stats();
    expect(entries).toBeLessThanOrEqual(18_000);
    expect(entries + droppedEntries).toBe(25_000);
  });
});

test("a burst at one instant takes time in proportion", () => {
  const ruleset = rulesetOf(
    ...BASES,
    correlation("type: event_count\nrules: [a]\ntimespan: 1d\ncondition: { gte: 15000 }"),
    correlation("type: value_count\nrules: [a]\ntimespan: 1d\ncondition: { field: V, gte: 9000 }", "title: values\n"),
  );
  const events = Array.from({ length: 20_000 }, (_, V) => ({ s: 0, id: 1, V }));
  const started = performance.now();
  expect(send(ruleset, createCorrelator(ruleset), events)).toEqual(["values@8999", "corr@14999"]);
  // In proportion it is some 100 ms; with the square of the burst, minutes.
  expect(performance.now() - started).toBeLessThan(60_000);
});
