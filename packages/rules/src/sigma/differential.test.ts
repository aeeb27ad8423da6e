/** The engine, with its optimiser on and off, and the naive evaluator agree on generated rules and events. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { detection, detectionText, event, oneTest } from "./detection.test-support.ts";
import { compileRules, jsonSource } from "./index.ts";
import type { NaiveDetection } from "./naive.test-support.ts";
import { naiveMatch } from "./naive.test-support.ts";
import { PLACEHOLDERS } from "./naive-value.test-support.ts";

test("the engine agrees with the naive evaluator, optimiser on and off", () => {
  fc.assert(
    fc.property(
      fc.array(detection, { minLength: 1, maxLength: 6 }),
      fc.array(event, { minLength: 1, maxLength: 8 }),
      (detections, events) => {
        const files = detections.map((each, n) => ({ file: `r${n}.yml`, text: detectionText(each, n) }));
        const expected = events.map((each) =>
          detections.flatMap((rule, n) => (naiveMatch(rule, each) ? [`r${n}`] : [])),
        );
        for (const optimize of [true, false]) {
          const { ruleset, diagnostics } = compileRules(files, {
            routing: false,
            optimize,
            placeholders: PLACEHOLDERS,
          });
          expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
          const matched = events.map((each) => {
            const titles: string[] = [];
            ruleset?.match(jsonSource(each), ({ title }) => titles.push(title));
            return titles;
          });
          expect(matched).toEqual(expected);
        }
      },
    ),
    { numRuns: 250 },
  );
});

const MODIFIERS = [
  ...["all", "cased", "neq", "exists", "startswith", "endswith", "contains", "windash", "expand", "fieldref", "cidr"],
  ...["re", "i", "m", "s", "base64", "base64offset", "utf16le", "utf16be", "utf16", "wide"],
  ...["lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"],
];

test("every modifier is generated so that it holds for some events and not for others", () => {
  const outcomes = new Map<string, Set<boolean>>();
  const property = fc.property(
    fc.array(oneTest, { minLength: 10, maxLength: 10 }),
    fc.array(event, { minLength: 10, maxLength: 10 }),
    (detections, events) => {
      const files = detections.map((each, n) => ({ file: `r${n}.yml`, text: detectionText(each, n) }));
      const { ruleset } = compileRules(files, { routing: false, placeholders: PLACEHOLDERS });
      for (const each of events) {
        const titles = new Set<string>();
        ruleset?.match(jsonSource(each), ({ title }) => titles.add(title));
        detections.forEach((rule, n) => {
          expect(titles.has(`r${n}`), JSON.stringify([rule, each])).toBe(naiveMatch(rule, each));
          const [, ...modifiers] = (Object.keys(rule.selections["sel"] ?? {})[0] ?? "").split("|");
          for (const modifier of modifiers)
            outcomes.set(modifier, (outcomes.get(modifier) ?? new Set()).add(titles.has(`r${n}`)));
        });
      }
    },
  );
  // One seed, so that what is reached is the same on every run.
  fc.assert(property, { seed: 8, numRuns: 100 });
  const written = Object.fromEntries([...outcomes].map(([modifier, seen]) => [modifier, seen.size]));
  expect(written).toEqual(Object.fromEntries(MODIFIERS.map((modifier) => [modifier, 2])));
});

test("an empty value and a missing one are told apart by the plan", () => {
  const rule: NaiveDetection = { selections: { sel_a: { Channel: "" } }, condition: "sel_a and not not sel_a" };
  const { ruleset } = compileRules([{ file: "r.yml", text: detectionText(rule, 0) }], { routing: false });
  const matches = [{ Channel: "" }, {}].map((each) => {
    let count = 0;
    ruleset?.match(jsonSource(each), () => {
      count += 1;
    });
    return count;
  });
  expect(matches).toEqual([1, 0]);
});

test("more kinds of events than there are plans for are matched alike", () => {
  const rules = Array.from({ length: 40 }, (_, n): NaiveDetection => {
    return {
      selections: { sel_a: { EventID: n, Channel: `c${n}` }, sel_b: { EventID: n } },
      condition: n % 2 === 0 ? "sel_a" : "sel_b",
    };
  });
  const files = rules.map((each, n) => ({ file: `r${n}.yml`, text: detectionText(each, n) }));
  const { ruleset } = compileRules(files, { routing: false });
  for (let i = 0; i < 1_600; i += 1) {
    const each = { EventID: i % 40, Channel: `C${Math.floor(i / 40)}` };
    const titles: string[] = [];
    ruleset?.match(jsonSource(each), ({ title }) => titles.push(title));
    expect(titles).toEqual(rules.flatMap((rule, n) => (naiveMatch(rule, each) ? [`r${n}`] : [])));
  }
});

test("many rules behind one pass over a field match as they do one by one", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "A"), minLength: 1, maxLength: 4 });
  const modifier = fc.constantFrom("", "|contains", "|startswith", "|endswith", "|contains|cased");
  const simple = fc
    .tuple(modifier, word)
    .map(([mod, each]) => ({ selections: { sel_a: { [`A${mod}`]: each } }, condition: "sel_a" }));
  const line = fc.record({ A: fc.string({ unit: fc.constantFrom("a", "b", "c", "A", "B"), maxLength: 10 }) });
  fc.assert(
    fc.property(
      fc.array(simple, { minLength: 20, maxLength: 40 }),
      fc.array(line, { minLength: 1, maxLength: 10 }),
      (detections, events) => {
        const files = detections.map((each, n) => ({ file: `r${n}.yml`, text: detectionText(each, n) }));
        const { ruleset } = compileRules(files, { routing: false });
        for (const each of events) {
          const titles: string[] = [];
          ruleset?.match(jsonSource(each), ({ title }) => titles.push(title));
          expect(titles).toEqual(detections.flatMap((rule, n) => (naiveMatch(rule, each) ? [`r${n}`] : [])));
        }
      },
    ),
    { numRuns: 100 },
  );
});
