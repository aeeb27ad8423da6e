/** Compiled rules as the correlator asks them: which meet an event, and what a field of it holds. */
import { eventSource, type FieldValue, type Knowledge } from "@culprit/rules";
import type { RuleMatcher } from "./match.ts";

/** A matcher over the rules of the knowledge, with positional data named by its event table. */
export function createRuleMatcher({ ruleset, tables }: Pick<Knowledge, "ruleset" | "tables">): RuleMatcher {
  return {
    match(event, decoded) {
      const names: string[] = [];
      ruleset?.match(eventSource(event, { manifest: tables.manifest, derived: decoded }), (rule) =>
        names.push(rule.key),
      );
      return names;
    },
    field(event, name, decoded) {
      return textOf(eventSource(event, { manifest: tables.manifest, derived: decoded }).get(name));
    },
  };
}

function textOf(value: FieldValue): string | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.map(String).join(" ") : String(value);
}
