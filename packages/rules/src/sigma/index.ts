export {
  type Arrival,
  type Correlator,
  type CorrelatorOptions,
  type CorrelatorSnapshot,
  type CorrelatorStats,
  createCorrelator,
  type Firing,
} from "./correlator.ts";
export type { RuleDiagnostic } from "./diagnostic.ts";
export type { RuleFile } from "./documents.ts";
export { type EventSourceOptions, eventSource, type Manifest } from "./event-source.ts";
export type { FieldScalar, FieldSource, FieldValue } from "./field-source.ts";
export { jsonSource } from "./json-source.ts";
export type { LogSource } from "./logsource.ts";
export { LEVELS, type RelatedRule, type RuleLevel } from "./rule.ts";
export { type Compilation, type CompiledRule, type CompileOptions, compileRules, type Ruleset } from "./ruleset.ts";
export { type RuleSelection, type SelectionEntry, type SelectionOptions, selectionOf } from "./selection.ts";
