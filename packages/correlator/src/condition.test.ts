import type { Expression } from "@culprit/rules";
import fc from "fast-check";
import { expect, test } from "vitest";
import { couldBeMet, isMet } from "./condition.ts";
import type { Sighting } from "./sighting.ts";
import { signal } from "./testing.ts";

const T = Date.parse("2026-03-10T02:00:00Z");
const ALIASES = ["a", "b"] as const;

function expressions(): fc.Arbitrary<Expression> {
  const alias = fc.constantFrom(...ALIASES);
  const of = fc.oneof(
    fc.record({ kind: fc.constantFrom("signals" as const, "hosts" as const), alias }),
    fc.record({ kind: fc.constant("values" as const), alias, binding: fc.constant("disk") }),
  );
  return fc.letrec<{ one: Expression }>((tie) => ({
    one: fc.oneof(
      { maxDepth: 3 },
      fc.record({ kind: fc.constant("seen" as const), alias }),
      fc.record({ kind: fc.constant("after" as const), alias, than: alias }),
      fc.record({
        kind: fc.constant("count" as const),
        of,
        spanMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
        op: fc.constantFrom(">=", ">", "<=", "<", "=="),
        n: fc.nat(4),
      }),
      fc.record({ kind: fc.constant("not" as const), of: tie("one") }),
      fc.record({ kind: fc.constantFrom("and" as const, "or" as const), all: fc.array(tie("one"), { maxLength: 3 }) }),
    ),
  })).one;
}

function sightings(): fc.Arbitrary<readonly Sighting[]> {
  const one = fc.tuple(fc.nat(100), fc.constantFrom("h1", "h2"), fc.constantFrom("0", "1"));
  return fc.array(one, { maxLength: 6 }).map((all) =>
    all
      .toSorted(([a], [b]) => a - b)
      .map(([ms, host, disk]) => {
        const made = signal("r", host, T + ms, { bindings: { disk } });
        return { signal: made, about: host, from: made.at, to: made.at };
      }),
  );
}

test("a condition that could not be met with so many sightings is met by no part of them", () => {
  fc.assert(
    fc.property(expressions(), sightings(), sightings(), fc.nat(6), (expression, a, b, part) => {
      const all = new Map<string, readonly Sighting[]>([
        ["a", a],
        ["b", b],
      ]);
      const seen = (alias: string) => (all.get(alias) ?? []).slice(0, part);
      const could = couldBeMet(expression, (alias) => all.get(alias)?.length ?? 0);
      expect(could || !isMet(expression, seen)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
