/** Short ways to compile one rule and try it, for tests. */
import { type CompileOptions, compileRules, type FieldSource, jsonSource, type RuleDiagnostic } from "./index.ts";

/** A whole rule around a detection written in YAML. */
export function ruleText(detection: string, head = "title: rule\n"): string {
  return `${head}logsource:\n  product: windows\ndetection:\n${detection.replaceAll(/^/gm, "  ")}\n`;
}

/** A selection named `sel` and the condition for it. */
export function selectionText(selection: string): string {
  return `sel:\n${selection.replaceAll(/^/gm, "  ")}\ncondition: sel`;
}

/** Which sources a rule file matches, by place. Throws what the diagnostics say when nothing was loaded. */
export function matchedBy(text: string, sources: readonly FieldSource[], options: CompileOptions = {}): number[] {
  const { ruleset, diagnostics } = compileRules([{ file: "rule.yml", text }], { routing: false, ...options });
  if (ruleset === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return sources.flatMap((source, i) => {
    let matched = false;
    ruleset.match(source, () => {
      matched = true;
    });
    return matched ? [i] : [];
  });
}

/** Which values of the field `F` a selection matches, by place; `undefined` stands for an event without it. */
export function matchedValues(selection: string, values: readonly unknown[], options: CompileOptions = {}): number[] {
  const sources = values.map((value) => jsonSource(value === undefined ? {} : { F: value }));
  return matchedBy(ruleText(selectionText(selection)), sources, options);
}

/** What is said of a rule file. */
export function diagnosticsOf(text: string, options: CompileOptions = {}): readonly RuleDiagnostic[] {
  return compileRules([{ file: "rule.yml", text }], options).diagnostics;
}

/** The first refusal of a selection, as `read, expected`. */
export function refusalOf(selection: string, options: CompileOptions = {}): string {
  const refusal = diagnosticsOf(ruleText(selectionText(selection)), options).find(
    ({ severity }) => severity === "error",
  );
  return refusal === undefined ? "" : `${refusal.read}; ${refusal.expected}`;
}
