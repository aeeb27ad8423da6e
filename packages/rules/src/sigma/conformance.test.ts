/** The conformance suite: 130 cases of our own making, each a set of rules, events in order of arrival, and what must come. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CompiledRule, compileRules, createCorrelator, jsonSource } from "./index.ts";

interface Expected {
  readonly rule: string;
  readonly matchedEventIndexes?: readonly number[];
  readonly emitted?: boolean;
  readonly fired?: boolean;
  readonly firstFiredAtIndex?: number | null;
  readonly groups?: readonly { key: Record<string, string>; firstFiredAtIndex: number }[];
  readonly rejected?: boolean;
}

interface Case {
  readonly id: string;
  readonly rules: readonly string[];
  readonly events: readonly Record<string, unknown>[];
  readonly expected: readonly Expected[];
  readonly placeholders?: Readonly<Record<string, readonly string[]>>;
}

const FIXTURE = new URL("../../fixtures/sigma-conformance.jsonl", import.meta.url);
const CASES = readFileSync(FIXTURE, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Case);

/** What each rule gave: matched events for all detections, and where each correlation first fired, by group. */
function run(each: Case, optimize: boolean) {
  const files = each.rules.map((text, i) => ({ file: `${each.id}-${i}.yml`, text }));
  const placeholders = new Map(Object.entries(each.placeholders ?? {}));
  const { ruleset, diagnostics } = compileRules(files, { routing: false, placeholders, optimize });
  const matched = new Map<string, number[]>();
  const emitted = new Set<string>();
  const fired = new Map<string, { group: Readonly<Record<string, string | null>>; index: number }[]>();
  if (ruleset !== undefined) {
    const correlator = createCorrelator<number>(ruleset);
    each.events.forEach((event, index) => {
      const source = jsonSource(event);
      const at = Date.parse(String(event["@timestamp"] ?? "1970-01-01T00:00:00Z"));
      const rules: CompiledRule[] = [];
      ruleset.match(source, (rule) => {
        matched.set(rule.title, [...(matched.get(rule.title) ?? []), index]);
        if (rule.emits) emitted.add(rule.title);
        rules.push(rule);
      });
      for (const firing of correlator.accept({ rules, source, at, ref: index })) {
        const held = fired.get(firing.rule.title) ?? [];
        held.push({ group: { ...firing.group }, index });
        fired.set(firing.rule.title, held);
      }
    });
  }
  return { matched, emitted, fired, diagnostics };
}

for (const optimize of [true, false]) {
  test.each(CASES)(`$id holds, optimiser ${optimize ? "on" : "off"}`, (each) => {
    const { matched, emitted, fired, diagnostics } = run(each, optimize);
    for (const expected of each.expected) {
      const refusals = diagnostics.filter(({ severity, rule }) => severity === "error" && rule === expected.rule);
      expect(refusals.length > 0, `refused: ${JSON.stringify(refusals)}`).toBe(expected.rejected === true);
      if (expected.emitted !== undefined) expect(emitted.has(expected.rule)).toBe(expected.emitted);
      else if (expected.matchedEventIndexes !== undefined) {
        expect(matched.get(expected.rule) ?? []).toEqual(expected.matchedEventIndexes);
      }
      if (expected.fired === undefined) continue;
      const firings = fired.get(expected.rule) ?? [];
      expect(firings[0]?.index ?? null).toBe(expected.firstFiredAtIndex);
      for (const { key, firstFiredAtIndex } of expected.groups ?? []) {
        const first = firings.find(({ group }) => JSON.stringify(group) === JSON.stringify(key));
        expect(first?.index).toBe(firstFiredAtIndex);
      }
    }
  });
}
