/** The engine, with its optimiser on and off, and the naive evaluator agree on generated rules and events. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { compileRules, jsonSource } from "./index.ts";
import type { NaiveDetection, NaiveEvent, NaiveValue } from "./naive.test-support.ts";
import { naiveMatch } from "./naive.test-support.ts";

const CHARS = ["a", "A", "b", "s", "S", "\\", "*", "?", "-", "/", "\u2013", "\n", "1", "Σ", "ς", "😀", " "];
const text = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 5 });
const longText = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 12 });
const number = fc.integer({ min: -3, max: 12 });
const scalar = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 2, arbitrary: number },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false) },
);
const FIELDS = ["A", "B", "N.x", "EventID", "Channel"];
const field = fc.constantFrom(...FIELDS);

const TEXT_MODIFIERS = [
  ...["", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|windash", "|contains|windash"],
  ...["|neq", "|contains|neq", "|all", "|contains|all", "|startswith|cased", "|endswith|windash|all"],
];
const PATTERNS = ["^a", "b$", "a.b", "[ab]+1", "a|b", "S{2}", "(?:ab)*", "\\\\", "1-"];

const item = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.tuple(field, fc.constantFrom(...TEXT_MODIFIERS)).map((parts) => parts.join("")),
        fc.oneof(text, number, fc.array(fc.oneof(text, number), { minLength: 1, maxLength: 3 })),
      )
      // `all` on a single value is refused.
      .map(([key, value]): [string, NaiveValue] => [
        key,
        key.includes("|all") && !Array.isArray(value) ? [value as string] : value,
      ]),
  },
  { weight: 1, arbitrary: fc.tuple(field, fc.constantFrom(null, true, false)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((name) => `${name}|exists`),
      fc.boolean(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.tuple(field, fc.constantFrom("|lt", "|lte", "|gt", "|gte")).map((parts) => parts.join("")),
      number,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((name) => `${name}|re`),
      fc.constantFrom(...PATTERNS),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.tuple(field, fc.constantFrom("|fieldref", "|fieldref|neq")).map((parts) => parts.join("")),
      field,
    ),
  },
);
const keyword = text.filter((word) => word !== "");
const mapSelection = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => Object.fromEntries(items));
const selection = fc.oneof(
  { weight: 5, arbitrary: mapSelection },
  { weight: 1, arbitrary: fc.array(mapSelection, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(keyword, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(keyword, { minLength: 2, maxLength: 3 }).map((words) => ({ "|all": words })) },
);
const NAMES = ["sel_a", "sel_b", "_hidden"];
const condition = fc.letrec<{ node: string; leaf: string }>((tie) => ({
  leaf: fc.constantFrom(...NAMES, "1 of them", "all of sel_*", "1 of *_a", "1 of _*"),
  node: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.tuple(tie("node"), fc.constantFrom("and", "or"), tie("node")).map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("node"), fc.constantFrom("and", "or"), tie("node")).map((parts) => parts.join(" ")),
    tie("node").map((node) => `not ${node}`),
  ),
})).node;

const detection: fc.Arbitrary<NaiveDetection> = fc.record({
  selections: fc.record({ sel_a: selection, sel_b: selection, _hidden: selection }),
  condition,
});

const leaf = fc.oneof(scalar, longText);
const value = fc.oneof({ weight: 5, arbitrary: leaf }, { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }) });
const event: fc.Arbitrary<NaiveEvent> = fc.record(
  {
    A: value,
    B: value,
    EventID: value,
    Channel: value,
    N: fc.oneof(value, fc.record({ x: value }), fc.array(fc.record({ x: value }), { maxLength: 2 })),
    "N.x": value,
  },
  { requiredKeys: [] },
);

function ruleText({ selections, condition: text }: NaiveDetection, n: number): string {
  // Quoted, as rules are, so that nothing is read as another type than was generated.
  const detectionText = stringify(
    { detection: { ...selections, condition: text } },
    { defaultStringType: "QUOTE_DOUBLE", aliasDuplicateObjects: false },
  );
  return `title: r${n}\nlogsource: { product: windows }\n${detectionText}`;
}

test("the engine agrees with the naive evaluator, optimiser on and off", () => {
  fc.assert(
    fc.property(
      fc.array(detection, { minLength: 1, maxLength: 6 }),
      fc.array(event, { minLength: 1, maxLength: 8 }),
      (detections, events) => {
        const files = detections.map((each, n) => ({ file: `r${n}.yml`, text: ruleText(each, n) }));
        const expected = events.map((each) =>
          detections.flatMap((rule, n) => (naiveMatch(rule, each) ? [`r${n}`] : [])),
        );
        for (const optimize of [true, false]) {
          const { ruleset, diagnostics } = compileRules(files, { routing: false, optimize });
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
    { numRuns: 400 },
  );
});

test("an empty value and a missing one are told apart by the plan", () => {
  const rule: NaiveDetection = { selections: { sel_a: { Channel: "" } }, condition: "sel_a and not not sel_a" };
  const { ruleset } = compileRules([{ file: "r.yml", text: ruleText(rule, 0) }], { routing: false });
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
  const files = rules.map((each, n) => ({ file: `r${n}.yml`, text: ruleText(each, n) }));
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
        const files = detections.map((each, n) => ({ file: `r${n}.yml`, text: ruleText(each, n) }));
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
