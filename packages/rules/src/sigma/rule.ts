/**
 * Documents of rule files, read and checked: detection rules, correlation rules and filters, each with the attributes that
 * all share.
 *
 * Source: Sigma rules, correlation and filters specifications.
 */
import { clip } from "@culprit/model";
import { type CorrelationBody, readCorrelationBody } from "./correlation-rule.ts";
import { readDetection } from "./detection.ts";
import { type Position, Reporter, type RuleDiagnostic } from "./diagnostic.ts";
import type { Query } from "./expression.ts";
import type { LogSource } from "./logsource.ts";
import type { Placeholders } from "./modifier.ts";
import { entryOf, plainOf, shownOf, type YamlMap, type YamlTree } from "./yaml-tree.ts";

export const LEVELS = ["informational", "low", "medium", "high", "critical"] as const;
export type RuleLevel = (typeof LEVELS)[number];
const STATUSES: readonly string[] = ["stable", "test", "experimental", "deprecated", "unsupported"];
const RELATION_TYPES: readonly string[] = ["derived", "obsolete", "merged", "renamed", "similar", "correlation"];
const TITLE_MAX_LENGTH = 256;

/** Another rule that this one comes from, replaces or resembles. It has no bearing on matching. */
export interface RelatedRule {
  readonly id: string;
  readonly type: string;
}

/** What every document says of itself. */
interface RuleHead {
  readonly title: string;
  readonly id?: string;
  readonly name?: string;
  readonly level?: RuleLevel;
  readonly status?: string;
  readonly tags: readonly string[];
  readonly related: readonly RelatedRule[];
  /** `x-culprit` as it stands in the file, for others to read. */
  readonly extension: unknown;
  /** Every top-level key that Sigma does not define, as it stands. */
  readonly custom: ReadonlyMap<string, unknown>;
  readonly at: Position;
}

export interface DetectionRule extends RuleHead {
  readonly kind: "detection";
  readonly logsource: LogSource;
  readonly query: Query;
}
export interface CorrelationRule extends RuleHead {
  readonly kind: "correlation";
  readonly correlation: CorrelationBody;
}
export interface FilterRule extends RuleHead {
  readonly kind: "filter";
  readonly logsource: LogSource;
  /** Ids or names; `undefined` for every rule of the log source. */
  readonly rules: readonly string[] | undefined;
  readonly query: Query;
}
export type Rule = DetectionRule | CorrelationRule | FilterRule;

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...["title", "id", "name", "related", "taxonomy", "status", "description", "license", "author", "references", "date"],
  ...[
    "modified",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
  ],
  ...["generate", "action"],
]);

/** Reads one document; `undefined` where it is refused, which the diagnostics say. */
export function readRule(
  document: YamlMap,
  placeholders: Placeholders,
  diagnostics: RuleDiagnostic[],
): Rule | undefined {
  const reporter = new Reporter(ruleNameOf(document), diagnostics);
  const head = readHead(document, reporter);
  const sections = ["detection", "correlation", "filter"].filter((key) => entryOf(document, key) !== undefined);
  const [section] = sections;
  if (section === undefined || sections.length > 1) {
    const read = section === undefined ? "none of them" : sections.join(" and ");
    const fix = section === undefined ? undefined : "write them as separate documents, with --- between";
    reporter.refuse({
      at: document.at,
      read,
      expected: "detection, correlation or filter",
      ...(fix === undefined ? {} : { fix }),
    });
    return undefined;
  }
  const body = entryOf(document, section)?.value as YamlTree;
  if (body.kind !== "map") {
    reporter.refuse({ at: body.at, read: shownOf(body), expected: `a map under ${section}` });
    return undefined;
  }
  const rule = readSection(section, { document, body, head, reporter, placeholders });
  return reporter.refused ? undefined : rule;
}

interface SectionInput {
  readonly document: YamlMap;
  readonly body: YamlMap;
  readonly head: RuleHead;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

function readSection(section: string, { document, body, head, reporter, placeholders }: SectionInput): Rule {
  if (section === "correlation") {
    const correlation = readCorrelationBody({ document, body, reporter });
    return { kind: "correlation", ...head, correlation };
  }
  const logsource = readLogSource(document, reporter);
  if (section === "filter") {
    const rules = readFilterTargets(body, reporter);
    const query = readDetection({ map: body, reserved: ["rules"], reporter, placeholders });
    return { kind: "filter", ...head, logsource, rules, query };
  }
  const timeframe = entryOf(body, "timeframe");
  if (timeframe !== undefined) {
    const fix = "write a correlation rule with a timespan";
    reporter.warn({
      at: timeframe.at,
      read: "timeframe in a detection",
      expected: "no aggregation; it is ignored",
      fix,
    });
  }
  const query = readDetection({ map: body, reserved: ["timeframe"], reporter, placeholders });
  return { kind: "detection", ...head, logsource, query };
}

/** How diagnostics call the rule: its title, else its id or name. */
function ruleNameOf(document: YamlMap): string {
  for (const key of ["title", "id", "name"]) {
    const value = entryOf(document, key)?.value;
    if (value?.kind === "scalar" && value.source.trim() !== "") return clip(value.source, TITLE_MAX_LENGTH);
  }
  return `document at line ${document.at.line}`;
}

function readHead(document: YamlMap, reporter: Reporter): RuleHead {
  const title = textAt(document, "title", reporter);
  if (title === undefined || title.trim() === "") {
    if (!reporter.refused) reporter.refuse({ at: document.at, read: "no title", expected: "a title" });
  } else if (title.length > TITLE_MAX_LENGTH) {
    const read = `a title of ${title.length} characters`;
    reporter.warn({ at: document.at, read, expected: `at most ${TITLE_MAX_LENGTH}` });
  }
  const id = textAt(document, "id", reporter);
  const name = textAt(document, "name", reporter);
  const level = chosenAt(document, "level", LEVELS, reporter);
  const status = textAt(document, "status", reporter);
  const statusAt = entryOf(document, "status");
  if (status !== undefined && statusAt !== undefined && !STATUSES.includes(status)) {
    reporter.warn({
      at: statusAt.value.at,
      read: `status "${clip(status, 40)}"`,
      expected: `one of ${STATUSES.join(", ")}`,
    });
  } else if (status === "unsupported" && statusAt !== undefined) {
    reporter.warn({
      at: statusAt.value.at,
      read: "status unsupported",
      expected: "a rule that can be used; it is loaded as it stands",
    });
  }
  const custom = new Map<string, unknown>();
  for (const { key, value } of document.entries) if (!KNOWN_KEYS.has(key)) custom.set(key, plainOf(value));
  warnOfTaxonomy(document, reporter);
  return {
    title: title ?? "",
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(level === undefined ? {} : { level }),
    ...(status === undefined ? {} : { status }),
    tags: textsAt(document, "tags"),
    related: readRelated(document, reporter),
    extension: custom.get("x-culprit"),
    custom,
    at: document.at,
  };
}

function warnOfTaxonomy(document: YamlMap, reporter: Reporter): void {
  const taxonomy = entryOf(document, "taxonomy");
  if (taxonomy === undefined || (taxonomy.value.kind === "scalar" && taxonomy.value.source === "sigma")) return;
  const expected = "the taxonomy sigma; field names are taken as they stand";
  reporter.warn({ at: taxonomy.value.at, read: `taxonomy ${shownOf(taxonomy.value)}`, expected });
}

/** A text under a key; anything but a scalar is refused. */
function textAt(map: YamlMap, key: string, reporter: Reporter): string | undefined {
  const value = entryOf(map, key)?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return undefined;
  if (value.kind === "scalar") return value.source;
  reporter.refuse({ at: value.at, read: `${shownOf(value)} under ${key}`, expected: "a text" });
  return undefined;
}

function chosenAt<T extends string>(
  map: YamlMap,
  key: string,
  choices: readonly T[],
  reporter: Reporter,
): T | undefined {
  const text = textAt(map, key, reporter);
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each === text.toLowerCase());
  if (choice === undefined) {
    const at = entryOf(map, key)?.value.at ?? map.at;
    reporter.refuse({ at, read: `${key} "${clip(text, 40)}"`, expected: `one of ${choices.join(", ")}` });
  }
  return choice;
}

function textsAt(map: YamlMap, key: string): readonly string[] {
  const value = entryOf(map, key)?.value;
  if (value?.kind !== "list") return [];
  return value.items.flatMap((item) => (item.kind === "scalar" ? [item.source] : []));
}

function readRelated(document: YamlMap, reporter: Reporter): readonly RelatedRule[] {
  const value = entryOf(document, "related")?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return [];
  const related: RelatedRule[] = [];
  for (const item of value.kind === "list" ? value.items : [value]) {
    const id = item.kind === "map" ? textAt(item, "id", reporter) : undefined;
    const type = item.kind === "map" ? textAt(item, "type", reporter) : undefined;
    if (id !== undefined && type !== undefined && RELATION_TYPES.includes(type)) related.push({ id, type });
    else
      reporter.warn({
        at: item.at,
        read: shownOf(item),
        expected: `an id and a type of ${RELATION_TYPES.join(", ")} under related`,
      });
  }
  return related;
}

function readLogSource(document: YamlMap, reporter: Reporter): LogSource {
  const entry = entryOf(document, "logsource");
  if (entry?.value.kind !== "map") {
    const read = entry === undefined ? "no logsource" : shownOf(entry.value);
    reporter.refuse({
      at: entry?.value.at ?? document.at,
      read,
      expected: "a logsource with product, category or service",
    });
    return {};
  }
  const category = textAt(entry.value, "category", reporter);
  const product = textAt(entry.value, "product", reporter);
  const service = textAt(entry.value, "service", reporter);
  if (category === undefined && product === undefined && service === undefined && !reporter.refused) {
    const at = entry.value.at;
    reporter.refuse({ at, read: "an empty logsource", expected: "product, category or service" });
  }
  return {
    ...(category === undefined ? {} : { category }),
    ...(product === undefined ? {} : { product }),
    ...(service === undefined ? {} : { service }),
  };
}

/** The rules a filter is for: a list of ids or names, one of them, or `any`. */
function readFilterTargets(body: YamlMap, reporter: Reporter): readonly string[] | undefined {
  const entry = entryOf(body, "rules");
  const value = entry?.value;
  if (value === undefined || (value.kind === "scalar" && value.value === null) || value.kind === "map") {
    const read = value === undefined ? "a filter without rules" : shownOf(value);
    reporter.refuse({ at: value?.at ?? body.at, read, expected: "ids or names of rules, or any" });
    return [];
  }
  if (value.kind === "scalar") return /^(?:any|all)$/i.test(value.source) ? undefined : [value.source];
  const names = value.items.flatMap((item) => (item.kind === "scalar" && item.value !== null ? [item.source] : []));
  if (names.length === value.items.length) return names.length === 0 ? undefined : names;
  reporter.refuse({ at: value.at, read: shownOf(value), expected: "ids or names of rules" });
  return [];
}
