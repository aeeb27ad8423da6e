/**
 * Puts documents together: filters onto the rules they name, correlations onto the rules they refer to, and the order in
 * which a chain of correlations is to be run.
 */
import { clip, contentId } from "@culprit/model";
import { Reporter, type RuleDiagnostic } from "./diagnostic.ts";
import { allOf, type Query } from "./expression.ts";
import { coversLogSource } from "./logsource.ts";
import type { CorrelationRule, DetectionRule, FilterRule, Rule } from "./rule.ts";

/** A detection with its filters applied. */
interface LinkedDetection {
  readonly kind: "detection";
  readonly rule: DetectionRule;
  readonly query: Query;
  /** Whether its matches are results of their own, or only input of correlations. */
  readonly emits: boolean;
}

/** A correlation with its references resolved to places in `LinkedRules.all`. */
export interface LinkedCorrelation {
  readonly kind: "correlation";
  readonly rule: CorrelationRule;
  /** In the order of the rule's list. */
  readonly inputs: readonly number[];
  readonly absent?: number;
  /** Alias to place of the rule to field. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<number, string>>;
  readonly emits: boolean;
  /** Equal for correlations that would come to the same state from the same events. */
  readonly definition: string;
}

export type LinkedRule = LinkedDetection | LinkedCorrelation;

/** Links the rules; those that cannot be are refused, and so is what rests on them. Order is kept. */
export function linkRules(rules: readonly Rule[], diagnostics: RuleDiagnostic[]): readonly LinkedRule[] {
  const filters = rules.filter((rule) => rule.kind === "filter");
  const others = rules.filter((rule) => rule.kind !== "filter");
  const index = new RuleIndex(others, diagnostics);
  const kept = resolvable(others, index, diagnostics);
  const place = new Map(kept.map((rule, i) => [rule, i] as const));
  const filtered = applyFilters(kept, filters, diagnostics);
  const placeOf = (reference: string): number =>
    place.get(index.find(reference) as DetectionRule | CorrelationRule) as number;
  const silent = silentRules(kept, placeOf);
  const definitions = new Map<number, string>();
  const definitionOf = (i: number): string => {
    const held = definitions.get(i);
    if (held !== undefined) return held;
    const rule = kept[i] as DetectionRule | CorrelationRule;
    const definition =
      rule.kind === "detection"
        ? contentId("detection", JSON.stringify(filtered.get(rule), bigintText))
        : contentId(
            "correlation",
            bodyText(rule),
            ...rule.correlation.rules.map((name) => definitionOf(placeOf(name))),
          );
    definitions.set(i, definition);
    return definition;
  };
  return kept.map((rule, i) => {
    const emits = !silent.has(i);
    if (rule.kind === "detection") return { kind: "detection", rule, query: filtered.get(rule) as Query, emits };
    const { correlation } = rule;
    const aliases = new Map(
      [...correlation.aliases].map(([alias, fields]) => {
        return [alias, new Map([...fields].map(([name, field]) => [placeOf(name), field]))] as const;
      }),
    );
    const absent = correlation.extension.absent;
    return {
      kind: "correlation",
      rule,
      inputs: correlation.rules.map(placeOf),
      ...(absent === undefined ? {} : { absent: placeOf(absent.rule) }),
      aliases,
      emits,
      definition: definitionOf(i),
    };
  });
}

/** Every rule that a correlation rests on. */
function referencesOf({ correlation }: CorrelationRule): readonly string[] {
  const absent = correlation.extension.absent;
  return absent === undefined ? correlation.rules : [...correlation.rules, absent.rule];
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value === undefined ? null : value;
}

function bodyText({ correlation, id, name, title }: CorrelationRule): string {
  const aliases = [...correlation.aliases].map(([alias, fields]) => [alias, [...fields]]);
  return JSON.stringify([id ?? name ?? title, { ...correlation, aliases }]);
}

/** Rules by id and name; what two rules share cannot be referred to. */
class RuleIndex {
  private readonly byReference = new Map<string, (DetectionRule | CorrelationRule)[]>();

  constructor(rules: readonly (DetectionRule | CorrelationRule)[], diagnostics: RuleDiagnostic[]) {
    for (const rule of rules) {
      for (const reference of new Set([rule.id?.toLowerCase(), rule.name])) {
        if (reference === undefined) continue;
        const held = this.byReference.get(reference);
        if (held === undefined) this.byReference.set(reference, [rule]);
        else {
          held.push(rule);
          const read = `"${clip(reference, 60)}", which "${clip(held[0]?.title ?? "", 60)}" has too`;
          new Reporter(rule.title, diagnostics).warn({
            at: rule.at,
            read,
            expected: "an id and a name that no other rule has",
          });
        }
      }
    }
  }

  /** The one rule with that id or name. */
  find(reference: string): DetectionRule | CorrelationRule | undefined {
    const found = this.all(reference);
    return found.length === 1 ? found[0] : undefined;
  }

  all(reference: string): readonly (DetectionRule | CorrelationRule)[] {
    return this.byReference.get(reference) ?? this.byReference.get(reference.toLowerCase()) ?? [];
  }
}

/** The rules whose references, and theirs in turn, all resolve without a circle. */
function resolvable(
  rules: readonly (DetectionRule | CorrelationRule)[],
  index: RuleIndex,
  diagnostics: RuleDiagnostic[],
): readonly (DetectionRule | CorrelationRule)[] {
  const verdicts = new Map<DetectionRule | CorrelationRule, "open" | "sound" | "refused">();
  const refuse = (rule: CorrelationRule, read: string, expected: string, fix?: string): "refused" => {
    new Reporter(rule.title, diagnostics).refuse({
      at: rule.at,
      read,
      expected,
      ...(fix === undefined ? {} : { fix }),
    });
    return "refused";
  };
  const judge = (rule: DetectionRule | CorrelationRule): "open" | "sound" | "refused" => {
    const held = verdicts.get(rule);
    if (held !== undefined || rule.kind === "detection") return held ?? "sound";
    verdicts.set(rule, "open");
    const verdict = judgeReferences(rule);
    verdicts.set(rule, verdict);
    return verdict;
  };
  const judgeReferences = (rule: CorrelationRule): "sound" | "refused" => {
    const { correlation } = rule;
    const meant = new Set<DetectionRule | CorrelationRule>();
    const absent = correlation.extension.absent?.rule;
    for (const reference of referencesOf(rule)) {
      const found = index.all(reference);
      const [only] = found;
      const shown = `a reference to "${clip(reference, 60)}"`;
      if (only === undefined)
        return refuse(rule, shown, "the id or name of a loaded rule", "load that rule too, or correct the name");
      if (found.length > 1) return refuse(rule, shown, `one rule of that id or name, not ${found.length}`);
      const verdict = judge(only);
      if (verdict === "open") return refuse(rule, `${shown}, which leads back here`, "no circle of correlations");
      if (verdict === "refused") return refuse(rule, shown, "a rule that can be loaded; that one is refused");
      if (meant.has(only) && reference !== absent)
        return refuse(rule, `${shown}, a rule already listed`, "each rule once");
      meant.add(only);
    }
    const listed = new Set(correlation.rules.map((reference) => index.find(reference)));
    for (const [alias, fields] of correlation.aliases) {
      for (const reference of fields.keys()) {
        const target = index.find(reference);
        if (target !== undefined && listed.has(target)) continue;
        const read = `alias ${clip(alias, 40)} for "${clip(reference, 60)}"`;
        return refuse(rule, read, `one of the correlation's rules: ${correlation.rules.join(", ")}`);
      }
    }
    return "sound";
  };
  return rules.filter((rule) => judge(rule) === "sound");
}

/** Rules that are only input: some correlation refers to them, and none that does says `generate`. */
function silentRules(
  rules: readonly (DetectionRule | CorrelationRule)[],
  placeOf: (reference: string) => number,
): ReadonlySet<number> {
  const silent = new Set<number>();
  const loud = new Set<number>();
  for (const rule of rules) {
    if (rule.kind !== "correlation") continue;
    for (const reference of rule.correlation.rules) (rule.correlation.generate ? loud : silent).add(placeOf(reference));
  }
  return new Set([...silent].filter((place) => !loud.has(place)));
}

function applyFilters(
  rules: readonly (DetectionRule | CorrelationRule)[],
  filters: readonly FilterRule[],
  diagnostics: RuleDiagnostic[],
): ReadonlyMap<DetectionRule, Query> {
  const parts = new Map<DetectionRule, Query[]>();
  for (const rule of rules) if (rule.kind === "detection") parts.set(rule, [rule.query]);
  for (const filter of filters) {
    const reporter = new Reporter(filter.title, diagnostics);
    if (filter.rules === undefined) {
      for (const [rule, queries] of parts)
        if (coversLogSource(filter.logsource, rule.logsource)) queries.push(filter.query);
      continue;
    }
    for (const reference of filter.rules) {
      const named = rules.filter(
        (rule) => rule.id?.toLowerCase() === reference.toLowerCase() || rule.name === reference,
      );
      if (named.length === 0) {
        const read = `a filter for "${clip(reference, 60)}"`;
        reporter.warn({ at: filter.at, read, expected: "the id or name of a loaded rule; it filters nothing" });
      }
      for (const rule of named) {
        const queries = rule.kind === "detection" ? parts.get(rule) : undefined;
        if (queries === undefined || rule.kind !== "detection") {
          const read = `a filter for the correlation "${clip(rule.title, 60)}"`;
          reporter.warn({ at: filter.at, read, expected: "a detection; filter the rules it refers to" });
        } else if (!coversLogSource(filter.logsource, rule.logsource)) {
          const read = `a filter for "${clip(rule.title, 60)}", which has another log source`;
          reporter.warn({ at: filter.at, read, expected: "the rule's log source or a wider one; it is not applied" });
        } else if (!queries.includes(filter.query)) queries.push(filter.query);
      }
    }
  }
  return new Map([...parts].map(([rule, queries]) => [rule, allOf(queries)] as const));
}
