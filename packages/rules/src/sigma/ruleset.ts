/**
 * Rule files to a rule set that matches events: read, link, and plan by kind of event.
 *
 * Source: PLAYBOOKS "Compile for speed".
 */
import { contentId } from "@culprit/model";
import { Reporter, type RuleDiagnostic } from "./diagnostic.ts";
import { type RuleFile, readDocuments } from "./documents.ts";
import { QueryCompiler } from "./evaluate.ts";
import { allOf, type Query } from "./expression.ts";
import type { FieldSource, FieldValue } from "./field-source.ts";
import { scalarText } from "./field-source.ts";
import { foldCase } from "./fold.ts";
import { FieldNumbers, Frame } from "./frame.ts";
import { type LinkedCorrelation, type LinkedRule, linkRules } from "./link.ts";
import { type LogSource, routeOf } from "./logsource.ts";
import { type KeyTexts, keyTextsOf, makePlan, type Plan, type PlannedRule } from "./plan.ts";
import { type DetectionRule, type RelatedRule, type Rule, type RuleLevel, readRule } from "./rule.ts";

export interface CompileOptions {
  /** Whether log sources restrict which events a rule sees (Windows channels and event ids). Default true. */
  readonly routing?: boolean;
  /** Values for `expand`; each may hold wildcards. */
  readonly placeholders?: ReadonlyMap<string, readonly string[]>;
  /** False asks every rule of every event, one after the other; for tests of the optimiser. Default true. */
  readonly optimize?: boolean;
}

/** A rule of a rule set. Its `key` is its `name`, else its `id`, else its title, made unique. */
export interface CompiledRule {
  readonly kind: "detection" | "correlation";
  readonly key: string;
  /** Place in the rule set; the order in which matches are reported. */
  readonly place: number;
  readonly title: string;
  readonly id?: string;
  readonly name?: string;
  readonly level?: RuleLevel;
  readonly status?: string;
  readonly tags: readonly string[];
  readonly related: readonly RelatedRule[];
  /** Of a detection. */
  readonly logsource?: LogSource;
  /** False for a rule that only feeds correlations (no `generate`). */
  readonly emits: boolean;
  /** `x-culprit` as it stands in the file. */
  readonly extension: unknown;
  /** Every top-level key that Sigma does not define. */
  readonly custom: ReadonlyMap<string, unknown>;
  readonly file: string;
  readonly line: number;
}

export interface Ruleset {
  readonly rules: readonly CompiledRule[];
  /** Changes with any rule. */
  readonly hash: string;
  /** Calls `onMatch` for each detection that matches, in the order of the rules. */
  match(source: FieldSource, onMatch: (rule: CompiledRule) => void): void;
  /** The detection queries and correlations, for the correlator and the selection. */
  readonly internals: RulesetInternals;
}

interface RulesetInternals {
  /** Query of each detection by place, log source included where routing is on. */
  readonly queries: ReadonlyMap<number, Query>;
  readonly correlations: ReadonlyMap<number, LinkedCorrelation>;
}

export interface Compilation {
  /** Every rule that could be honoured; `undefined` when none could. */
  readonly ruleset: Ruleset | undefined;
  /** In the order of the files. An error names a rule that is not in the rule set. */
  readonly diagnostics: readonly RuleDiagnostic[];
}

/** Compiles rule files. Rules that cannot be honoured are left out and said so; the caller decides whether to go on. */
export function compileRules(files: Iterable<RuleFile>, options: CompileOptions = {}): Compilation {
  const diagnostics: RuleDiagnostic[] = [];
  const rules: Rule[] = [];
  const placeholders = options.placeholders ?? new Map();
  for (const file of files) {
    for (const document of readDocuments(file, diagnostics)) {
      const rule = readRule(document, placeholders, diagnostics);
      if (rule === undefined) continue;
      rules.push(rule);
      if (options.routing !== false && rule.kind === "detection") warnOfRoute(rule, diagnostics);
    }
  }
  const linked = linkRules(rules, diagnostics);
  const ruleset = linked.length === 0 ? undefined : new PlannedRuleset(linked, options);
  return { ruleset, diagnostics };
}

function warnOfRoute({ title, at, logsource }: DetectionRule, diagnostics: RuleDiagnostic[]): void {
  if (!routeOf(logsource).unknown) return;
  const read = `logsource ${[logsource.category, logsource.service].filter((part) => part !== undefined).join(", ")}`;
  const expected = "a category and service of the taxonomy; it restricts nothing";
  new Reporter(title, diagnostics).warn({ at, read, expected });
}

/** Fields whose value decides the plan. */
const KEY_FIELDS = ["EventID", "Channel", "Provider_Name"] as const;
/**
 * Plans made; each is a combination of values that rules name, so more than a few hundred are unusual. Further ones, which
 * only a sender who tries them out can cause, are served by the plan that knows no keys.
 */
const PLANS_MAX = 1_024;
/** Values of key fields whose texts are remembered. */
const VALUES_MAX = 16_384;
/** Combinations of texts per key field; above it, events are matched by the plan that knows no keys. */
const COMBINATIONS_MAX = 65_535;

class PlannedRuleset implements Ruleset {
  readonly rules: readonly CompiledRule[];
  readonly hash: string;
  readonly internals: RulesetInternals;
  private readonly detections: readonly PlannedRule[];
  private readonly fields = new FieldNumbers();
  private readonly compiler: QueryCompiler;
  private readonly frame: Frame;
  private readonly keys: readonly KeyField[];
  private readonly plans = new Map<number, Plan>();
  private keylessPlan: Plan | undefined;
  private readonly opened: number[] = [];
  private readonly openedStamps: number[] = [];
  private stamp = 0;

  constructor(linked: readonly LinkedRule[], { routing = true, optimize = true }: CompileOptions) {
    this.rules = compiledRules(linked);
    const queries = new Map<number, Query>();
    const correlations = new Map<number, LinkedCorrelation>();
    linked.forEach((rule, place) => {
      if (rule.kind === "correlation") correlations.set(place, rule);
      else queries.set(place, routing ? allOf([routeOf(rule.rule.logsource).query, rule.query]) : rule.query);
    });
    this.internals = { queries, correlations };
    this.detections = [...queries].map(([place, query]) => ({ place, query }));
    this.hash = rulesetHash(linked, this.rules, routing);
    const uses = testUses(this.detections);
    this.compiler = new QueryCompiler(this.fields, (key) => optimize && (uses.get(key) ?? 0) > 1);
    this.keys = optimize
      ? KEY_FIELDS.map((field) => new KeyField(field, this.fields.numberOf(field), this.detections))
      : [];
    this.frame = new Frame(this.fields.fields);
    if (!optimize) this.plans.set(0, plainPlan(this.detections, this.compiler));
  }

  match(source: FieldSource, onMatch: (rule: CompiledRule) => void): void {
    const { frame } = this;
    frame.reset(source);
    const plan = this.planOf(frame);
    for (const place of this.candidates(plan, frame)) {
      if (plan.asks.get(place)?.(frame) === true) onMatch(this.rules[place] as CompiledRule);
    }
  }

  /** Places of the rules worth trying, in order, each once. */
  private candidates(plan: Plan, frame: Frame): readonly number[] {
    if (plan.gates.length === 0) return plan.always;
    const { opened, openedStamps } = this;
    this.stamp += 1;
    opened.length = 0;
    const open = (place: number): void => {
      if (openedStamps[place] === this.stamp) return;
      openedStamps[place] = this.stamp;
      opened.push(place);
    };
    for (const gate of plan.gates) gate(frame, open);
    if (opened.length === 0) return plan.always;
    for (const place of plan.always) opened.push(place);
    return opened.sort((a, b) => a - b);
  }

  private planOf(frame: Frame): Plan {
    let number = 0;
    for (const key of this.keys) number = number * (COMBINATIONS_MAX + 1) + key.combination(frame);
    const held = this.plans.get(number);
    if (held !== undefined) return held;
    if (this.plans.size >= PLANS_MAX) {
      this.keylessPlan ??= this.planFor(new Map());
      return this.keylessPlan;
    }
    const plan = this.planFor(new Map(this.keys.flatMap((key) => key.textsOf(frame))));
    this.plans.set(number, plan);
    return plan;
  }

  private planFor(texts: KeyTexts): Plan {
    return makePlan(this.detections, texts, { fields: this.fields, compiler: this.compiler });
  }
}

/** One key field: the texts rules compare it with, and a number for each combination of them that events hold. */
class KeyField {
  private readonly name: string;
  private readonly number: number;
  private readonly known = new Set<string>();
  private readonly combinations = new Map<string, number>();
  private readonly texts: ReadonlySet<string>[] = [];
  private readonly byScalar = new Map<FieldValue, number>();
  private readonly byList = new WeakMap<object, number>();

  constructor(name: string, number: number, rules: readonly PlannedRule[]) {
    this.name = name;
    this.number = number;
    for (const { query } of rules) {
      for (const test of testsIn(query)) {
        if (test.kind === "test" && test.field === name)
          for (const text of keyTextsOf(test) ?? []) this.known.add(text);
      }
    }
  }

  /** The number of what the field holds, as far as rules can tell; `COMBINATIONS_MAX` where there are too many. */
  combination(frame: Frame): number {
    const value = frame.value(this.number);
    if (typeof value === "object" && value !== null) {
      const held = this.byList.get(value);
      if (held !== undefined) return held;
      const made = this.numberFor(value);
      this.byList.set(value, made);
      return made;
    }
    const held = this.byScalar.get(value);
    if (held !== undefined) return held;
    const made = this.numberFor(value === undefined || value === null ? [] : [value]);
    if (this.byScalar.size >= VALUES_MAX) this.byScalar.clear();
    this.byScalar.set(value, made);
    return made;
  }

  /** The texts of the current combination; nothing where there are too many to keep apart. */
  textsOf(frame: Frame): readonly (readonly [string, ReadonlySet<string>])[] {
    const texts = this.texts[this.combination(frame)];
    return texts === undefined ? [] : [[this.name, texts]];
  }

  private numberFor(values: readonly (string | number | bigint | boolean | null)[]): number {
    const texts = new Set<string>();
    for (const value of values) {
      const text = scalarText(value);
      const folded = text === undefined ? "" : foldCase(text);
      if (text !== undefined && this.known.has(folded)) texts.add(folded);
    }
    const key = JSON.stringify([...texts].sort());
    const held = this.combinations.get(key);
    if (held !== undefined) return held;
    if (this.combinations.size >= COMBINATIONS_MAX) return COMBINATIONS_MAX;
    const made = this.combinations.size;
    this.combinations.set(key, made);
    this.texts.push(texts);
    return made;
  }
}

function plainPlan(rules: readonly PlannedRule[], compiler: QueryCompiler): Plan {
  const asks = new Map(rules.map(({ place, query }) => [place, compiler.compile(query)] as const));
  return { always: rules.map(({ place }) => place), gates: [], asks };
}

function* testsIn(query: Query): Generator<Extract<Query, { kind: "test" }>> {
  switch (query.kind) {
    case "test":
      yield query;
      break;
    case "not":
      yield* testsIn(query.item);
      break;
    case "and":
    case "or":
      for (const item of query.items) yield* testsIn(item);
  }
}

function testUses(rules: readonly PlannedRule[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { query } of rules) for (const { key } of testsIn(query)) uses.set(key, (uses.get(key) ?? 0) + 1);
  return uses;
}

function compiledRules(linked: readonly LinkedRule[]): readonly CompiledRule[] {
  const keys = new Set<string>();
  return linked.map(({ kind, rule, emits }, place) => {
    const wanted = rule.name ?? rule.id ?? rule.title;
    let key = wanted;
    for (let n = 2; keys.has(key); n += 1) key = `${wanted} (${n})`;
    keys.add(key);
    const { title, id, name, level, status, tags, related, extension, custom, at } = rule;
    return {
      kind,
      key,
      place,
      title,
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
      ...(level === undefined ? {} : { level }),
      ...(status === undefined ? {} : { status }),
      tags,
      related,
      ...(rule.kind === "detection" ? { logsource: rule.logsource } : {}),
      emits,
      extension,
      custom,
      file: at.file,
      line: at.line,
    };
  });
}

function rulesetHash(linked: readonly LinkedRule[], rules: readonly CompiledRule[], routing: boolean): string {
  const parts = linked.map((rule, place) => {
    const compiled = rules[place] as CompiledRule;
    const body = rule.kind === "correlation" ? rule.definition : rule.query;
    return JSON.stringify(
      [compiled.key, compiled.level, compiled.extension, rule.emits, compiled.logsource, body],
      (_, value) => (typeof value === "bigint" ? `${value}n` : value),
    );
  });
  return contentId("ruleset", String(routing), ...parts);
}
