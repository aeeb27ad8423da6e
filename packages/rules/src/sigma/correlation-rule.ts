/**
 * The correlation section of a rule: what is counted, over which rules, by which fields, in what time.
 *
 * Source: Sigma correlation rules specification 2.1; the metric types as the reference implementation spells them;
 * `x-culprit` extensions: docs/rules.md.
 */
import { clip, DAY_MS, durationMs } from "@culprit/model";
import type { Reporter } from "./diagnostic.ts";
import { entryOf, shownOf, type YamlMap, type YamlTree } from "./yaml-tree.ts";

const CORRELATION_TYPES = [
  "event_count",
  "value_count",
  "value_sum",
  "value_avg",
  "value_percentile",
  "value_median",
  "temporal",
  "temporal_ordered",
] as const;
type CorrelationType = (typeof CORRELATION_TYPES)[number];

/** A longer timespan is refused. */
const TIMESPAN_MAX_MS = 366 * DAY_MS;

const OPERATORS = ["gt", "gte", "lt", "lte", "eq", "neq"] as const;
export type ConditionOperator = (typeof OPERATORS)[number];

/** All must hold: two make a range. */
export type Threshold = readonly { readonly operator: ConditionOperator; readonly value: number }[];

export interface CorrelationBody {
  readonly type: CorrelationType;
  /** Ids or names, as written; each once. */
  readonly rules: readonly string[];
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  readonly threshold: Threshold;
  /** What is counted or summed; empty for event counts and temporal types. */
  readonly fields: readonly string[];
  /** 0 to 100, for `value_percentile` and `value_median`. */
  readonly percentile: number;
  /** Alias to rule reference to field. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Whether the rules referred to alert on their own as well. */
  readonly generate: boolean;
  readonly extension: CorrelationExtension;
}

/** What `x-culprit` adds to a correlation. */
interface CorrelationExtension {
  /** `window: session`: counting starts anew after a silence of this length. */
  readonly sessionGapMs?: number;
  /** `absent`: fires only if this rule has not matched in the group within the time after the condition held. */
  readonly absent?: { readonly rule: string; readonly withinMs: number };
  /** `suppress`: time after a firing in which the group does not fire again. */
  readonly suppressMs?: number;
}

interface BodyInput {
  readonly document: YamlMap;
  readonly body: YamlMap;
  readonly reporter: Reporter;
}

const KNOWN_KEYS: readonly string[] = [
  ...["type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "x-culprit"],
];

/** Reads the section; what is wrong is reported, and the result then never used. */
export function readCorrelationBody({ document, body, reporter }: BodyInput): CorrelationBody {
  for (const { key, at } of body.entries) {
    if (!KNOWN_KEYS.includes(key))
      reporter.refuse({ at, read: `"${clip(key, 40)}" in a correlation`, expected: KNOWN_KEYS.join(", ") });
  }
  const type = readType(body, reporter);
  const rules = readRules(body, reporter);
  const condition = readCondition(body, type, rules.length, reporter);
  return {
    type,
    rules,
    groupBy: readNames(body, "group-by", reporter),
    timespanMs: readTimespan(body, reporter),
    ...condition,
    aliases: readAliases(body, reporter),
    generate: readGenerate(document, reporter) || readGenerate(body, reporter),
    extension: readExtension(document, body, reporter),
  };
}

function readType(body: YamlMap, reporter: Reporter): CorrelationType {
  const value = entryOf(body, "type")?.value;
  const type = value?.kind === "scalar" ? CORRELATION_TYPES.find((each) => each === value.source) : undefined;
  if (type === undefined) {
    const read = value === undefined ? "a correlation without type" : `type ${shownOf(value)}`;
    reporter.refuse({ at: value?.at ?? body.at, read, expected: CORRELATION_TYPES.join(", ") });
  }
  return type ?? "event_count";
}

function readRules(body: YamlMap, reporter: Reporter): readonly string[] {
  const rules = readNames(body, "rules", reporter);
  const entry = entryOf(body, "rules");
  const at = entry?.value.at ?? body.at;
  if (rules.length === 0 && !reporter.refused) {
    reporter.refuse({ at, read: "a correlation without rules", expected: "ids or names of rules" });
  }
  const twice = rules.find((rule, i) => rules.indexOf(rule) !== i);
  if (twice !== undefined)
    reporter.refuse({ at, read: `"${clip(twice, 60)}" twice under rules`, expected: "each rule once" });
  return rules;
}

/** A list of texts, or one text; absent is empty. */
function readNames(map: YamlMap, key: string, reporter: Reporter): readonly string[] {
  const value = entryOf(map, key)?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return [];
  const items: readonly YamlTree[] = value.kind === "list" ? value.items : [value];
  const names: string[] = [];
  for (const item of items) {
    if (item.kind === "scalar" && item.source !== "") names.push(item.source);
    else reporter.refuse({ at: item.at, read: `${shownOf(item)} under ${key}`, expected: "a name or a list of names" });
  }
  return names;
}

const TIMESPAN = /^[1-9]\d{0,8}[smhd]$/;

function readTimespan(body: YamlMap, reporter: Reporter): number {
  const value = entryOf(body, "timespan")?.value;
  const text = value?.kind === "scalar" ? value.source : "";
  const span = TIMESPAN.test(text) ? durationMs(text) : undefined;
  if (span !== undefined && span <= TIMESPAN_MAX_MS) return span;
  const read = value === undefined ? "a correlation without timespan" : `timespan ${shownOf(value)}`;
  const expected = "a whole number and s, m, h or d, such as 5m, up to 366d";
  reporter.refuse({ at: value?.at ?? body.at, read, expected });
  return 1;
}

interface ReadCondition {
  readonly threshold: Threshold;
  readonly fields: readonly string[];
  readonly percentile: number;
}

function readCondition(body: YamlMap, type: CorrelationType, ruleCount: number, reporter: Reporter): ReadCondition {
  const isTemporal = type === "temporal" || type === "temporal_ordered";
  const value = entryOf(body, "condition")?.value;
  const percentile = type === "value_median" ? 50 : 0;
  const none: ReadCondition = { threshold: [{ operator: "gte", value: ruleCount }], fields: [], percentile };
  if (value === undefined || (value.kind === "scalar" && value.value === null)) {
    if (!isTemporal)
      reporter.refuse({ at: body.at, read: `${type} without condition`, expected: "a condition such as gte: 3" });
    return none;
  }
  if (value.kind !== "map") {
    const fix = isTemporal ? "leave the condition out to ask for all rules, or write gte: 2" : "write gte: 3";
    reporter.refuse({
      at: value.at,
      read: `condition ${shownOf(value)}`,
      expected: "a map of operator and number",
      fix,
    });
    return none;
  }
  return readConditionMap(value, { type, isTemporal, percentile, reporter });
}

interface ConditionContext {
  readonly type: CorrelationType;
  readonly isTemporal: boolean;
  readonly percentile: number;
  readonly reporter: Reporter;
}

function readConditionMap(map: YamlMap, { type, isTemporal, percentile, reporter }: ConditionContext): ReadCondition {
  const threshold: { operator: ConditionOperator; value: number }[] = [];
  let rank: number | undefined;
  for (const { key, at, value } of map.entries) {
    const operator = OPERATORS.find((each) => each === key);
    if (operator !== undefined) threshold.push({ operator, value: readNumber(value, key, reporter) });
    else if (key === "percentile" && type === "value_percentile") rank = readNumber(value, key, reporter);
    else if (key !== "field") {
      reporter.refuse({
        at,
        read: `"${clip(key, 40)}" in the condition of ${type}`,
        expected: `${OPERATORS.join(", ")} or field`,
      });
    }
  }
  if (threshold.length === 0) {
    reporter.refuse({ at: map.at, read: "a condition without operator", expected: OPERATORS.join(", ") });
  }
  const fields = readNames(map, "field", reporter);
  const isMetric = type.startsWith("value_");
  if (isMetric && fields.length === 0) {
    reporter.refuse({ at: map.at, read: `${type} without field`, expected: "field: the field whose values count" });
  } else if (isMetric && type !== "value_count" && fields.length > 1) {
    reporter.refuse({ at: map.at, read: `${fields.length} fields for ${type}`, expected: "one field" });
  } else if (!isMetric && fields.length > 0) {
    const fix = isTemporal ? "remove field" : "remove field, or make it a value_count";
    reporter.refuse({ at: map.at, read: `field in the condition of ${type}`, expected: "an operator alone", fix });
  }
  if (type === "value_percentile" && (rank === undefined || rank < 0 || rank > 100)) {
    const read = rank === undefined ? "value_percentile without percentile" : `percentile ${rank}`;
    reporter.refuse({ at: map.at, read, expected: "percentile: 0 to 100 in the condition" });
  }
  return { threshold, fields, percentile: rank ?? percentile };
}

function readNumber(value: YamlTree, key: string, reporter: Reporter): number {
  if (value.kind === "scalar") {
    if (typeof value.value === "number" && Number.isFinite(value.value)) return value.value;
    if (typeof value.value === "string" && /^\d{1,15}$/.test(value.value)) {
      reporter.warn({ at: value.at, read: `${key} in quotes`, expected: "a number", fix: "remove the quotes" });
      return Number(value.value);
    }
  }
  reporter.refuse({ at: value.at, read: `${key} ${shownOf(value)}`, expected: "a number" });
  return 0;
}

function readAliases(body: YamlMap, reporter: Reporter): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const aliases = new Map<string, ReadonlyMap<string, string>>();
  const value = entryOf(body, "aliases")?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return aliases;
  if (value.kind !== "map") {
    reporter.refuse({ at: value.at, read: shownOf(value), expected: "a map of alias to rules and fields" });
    return aliases;
  }
  for (const { key: alias, value: mapping } of value.entries) {
    const fields = new Map<string, string>();
    if (mapping.kind !== "map") {
      reporter.refuse({
        at: mapping.at,
        read: shownOf(mapping),
        expected: `a map of rule to field under ${clip(alias, 40)}`,
      });
      continue;
    }
    for (const { key: rule, value: field } of mapping.entries) {
      if (field.kind !== "scalar" || field.source === "") {
        reporter.refuse({ at: field.at, read: shownOf(field), expected: "the name of a field" });
      } else fields.set(rule, field.source);
    }
    aliases.set(alias, fields);
  }
  return aliases;
}

function readGenerate(map: YamlMap, reporter: Reporter): boolean {
  const value = entryOf(map, "generate")?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return false;
  if (value.kind === "scalar" && typeof value.value === "boolean") return value.value;
  reporter.refuse({ at: value.at, read: `generate ${shownOf(value)}`, expected: "true or false" });
  return false;
}

/** The keys of `x-culprit` that concern correlations; other keys are for others. */
function readExtension(document: YamlMap, body: YamlMap, reporter: Reporter): CorrelationExtension {
  const maps = [entryOf(document, "x-culprit")?.value, entryOf(body, "x-culprit")?.value].filter(
    (each) => each?.kind === "map",
  );
  const find = (key: string): YamlTree | undefined => {
    for (const map of maps) {
      const value = map?.kind === "map" ? entryOf(map, key)?.value : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const window = find("window");
  const gap = find("gap");
  let extension: CorrelationExtension = {};
  if (window !== undefined) {
    const isSession = window.kind === "scalar" && window.source === "session";
    const isSliding = window.kind === "scalar" && window.source === "sliding";
    if (!isSession && !isSliding)
      reporter.refuse({ at: window.at, read: `window ${shownOf(window)}`, expected: "session or sliding" });
    if (isSession && gap === undefined)
      reporter.refuse({
        at: window.at,
        read: "window: session without gap",
        expected: "gap: the silence that ends a session",
      });
    if (isSession && gap !== undefined) extension = { sessionGapMs: readDuration(gap, "gap", reporter) };
  } else if (gap !== undefined) {
    reporter.refuse({ at: gap.at, read: "gap without window: session", expected: "both or none" });
  }
  const suppress = find("suppress");
  if (suppress !== undefined) extension = { ...extension, suppressMs: readDuration(suppress, "suppress", reporter) };
  const absent = find("absent");
  if (absent === undefined) return extension;
  const rule = absent.kind === "map" ? entryOf(absent, "rule")?.value : undefined;
  const within = absent.kind === "map" ? entryOf(absent, "within")?.value : undefined;
  if (rule?.kind !== "scalar" || rule.source === "" || within === undefined) {
    reporter.refuse({
      at: absent.at,
      read: `absent ${shownOf(absent)}`,
      expected: "absent: { rule: name, within: 10m }",
    });
    return extension;
  }
  return { ...extension, absent: { rule: rule.source, withinMs: readDuration(within, "within", reporter) } };
}

function readDuration(value: YamlTree, key: string, reporter: Reporter): number {
  const length = value.kind === "scalar" ? durationMs(value.source) : undefined;
  if (length !== undefined && length > 0 && length <= TIMESPAN_MAX_MS) return length;
  reporter.refuse({
    at: value.at,
    read: `${key} ${shownOf(value)}`,
    expected: "a duration such as 90s, 15m, 6h, up to 366d",
  });
  return 1;
}
