import fc from "fast-check";
import { expect, test } from "vitest";
import { type Aggregate, type Measured, newAggregate } from "./aggregate.ts";
import type { CorrelationBody } from "./correlation-rule.ts";

type Type = CorrelationBody["type"];

function aggregateOf(type: Type, entries: readonly Measured[] = []): Aggregate {
  const aggregate = newAggregate({
    type,
    rules: ["a", "b"],
    groupBy: [],
    timespanMs: 1,
    threshold: [],
    fields: ["V"],
    percentile: 75,
    aliases: new Map(),
    generate: false,
    extension: {},
  });
  for (const entry of entries) aggregate.add(entry);
  return aggregate;
}

function entry(number: number | undefined, input = 0): Measured {
  return { at: 0, input, text: number === undefined ? undefined : String(number), number };
}

test.each(["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "temporal"] as const)(
  "%s of what stays does not depend on what has left",
  (type) => {
    const number = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ min: -1e18, max: 1e18, noNaN: true }),
      fc.constantFrom(0.1, 0.2, 0.3, 1e16, -1e16, 1e300),
    );
    const measured = fc.tuple(fc.option(number, { nil: undefined }), fc.nat({ max: 1 })).map((pair) => entry(...pair));
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 12 }), fc.nat(), (entries, n) => {
        const aggregate = aggregateOf(type, entries);
        const gone = n % (entries.length + 1);
        for (const each of entries.slice(0, gone)) aggregate.remove(each);
        const [left, fresh] = [aggregate.value(0), aggregateOf(type, entries.slice(gone)).value(0)];
        expect(left === undefined).toBe(fresh === undefined);
        // The last digit may be rounded either way.
        if (left !== undefined && fresh !== undefined)
          expect(Math.abs(left - fresh)).toBeLessThanOrEqual(Math.abs(fresh) * 1e-14);
      }),
    );
  },
);

test("decimals add up as they are written", () => {
  const tenths = Array.from({ length: 10 }, () => entry(0.1));
  expect(aggregateOf("value_sum", tenths).value(0)).toBe(1);
  expect(aggregateOf("value_sum", tenths.slice(0, 3)).value(0)).toBe(0.3);
  expect(aggregateOf("value_avg", tenths.slice(0, 3)).value(0)).toBe(0.1);
});

test("a huge number takes nothing with it when it leaves the window", () => {
  const [huge, one] = [entry(-1e300), entry(1)];
  const aggregate = aggregateOf("value_sum", [huge, one, one]);
  aggregate.remove(huge);
  expect(aggregate.value(0)).toBe(2);
});
