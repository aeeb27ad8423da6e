/**
 * Runs the correlations of a rule set: matches go in with their event time, firings come out. It has no clock; time that
 * passes without events (for `absent`, and for forgetting) is given as a watermark.
 *
 * Source: Sigma correlation rules specification 2.1; docs/rules.md for what the specification leaves open.
 */
import type { EpochMs } from "@culprit/model";
import { CorrelationState, type Fired, type Hit, type InputHit, type StateSnapshot } from "./correlation-state.ts";
import { type FieldSource, scalarText } from "./field-source.ts";
import type { CompiledRule, Ruleset } from "./ruleset.ts";

/** An event that detections matched. */
export interface Arrival<Ref> {
  /** Every detection that matched it: what they amount to is judged once. */
  readonly rules: readonly CompiledRule[];
  readonly source: FieldSource;
  /** Event time. */
  readonly at: EpochMs;
  /** What the caller knows the event by; it is put into snapshots as it is. */
  readonly ref: Ref;
}

/** A correlation's condition came to hold for a group. */
export interface Firing<Ref> {
  readonly rule: CompiledRule;
  /** Group-by field to value as first seen; null where the events lack it. */
  readonly group: Readonly<Record<string, string | null>>;
  /** End of the window, or the end of the wait of `absent`. */
  readonly at: EpochMs;
  /** The event that arrived and made it so. */
  readonly ref: Ref;
  /** The events of the window, oldest first. */
  readonly events: readonly Ref[];
}

export interface CorrelatorOptions<Ref> {
  /** State of another correlator; taken over where the definition of a correlation is unchanged. */
  readonly snapshot?: CorrelatorSnapshot<Ref>;
  /** Also yields firings of correlations that only feed others. Default false. */
  readonly silentToo?: boolean;
}

/** Open windows by definition of the correlation; plain data. */
export type CorrelatorSnapshot<Ref> = Readonly<Record<string, StateSnapshot<Ref>>>;

export interface CorrelatorStats {
  readonly groups: number;
  readonly entries: number;
  /** Given up because a limit was reached. */
  readonly droppedGroups: number;
  readonly droppedEntries: number;
}

export interface Correlator<Ref> {
  /** Takes an event in, with every detection it matches, whether they emit or not. */
  accept(arrival: Arrival<Ref>): readonly Firing<Ref>[];
  /**
   * All events up to a time have arrived: waits that ended fire, and what no window can need any more is forgotten.
   * At the end of an input, `Infinity`.
   */
  advance(watermark: EpochMs): readonly Firing<Ref>[];
  snapshot(): CorrelatorSnapshot<Ref>;
  stats(): CorrelatorStats;
}

/** A correlator for the correlations of a rule set; without any, it never fires. */
export function createCorrelator<Ref>(ruleset: Ruleset, options: CorrelatorOptions<Ref> = {}): Correlator<Ref> {
  return new ChainedCorrelator(ruleset, options);
}

/** Where matches of a rule go: which correlation, as which of its rules (or as the one that must be absent). */
interface Consumer<Ref> {
  readonly state: CorrelationState<Ref>;
  readonly input: number | "absent";
}

/** What correlations were given and have not judged yet. */
type Pending<Ref> = { readonly state: CorrelationState<Ref>; readonly hits: InputHit<Ref>[] }[];

class ChainedCorrelator<Ref> implements Correlator<Ref> {
  private readonly states: readonly CorrelationState<Ref>[];
  private readonly consumers = new Map<number, Consumer<Ref>[]>();
  /** How many correlations lie below one, by place. */
  private readonly depths: ReadonlyMap<number, number>;
  private readonly rules: readonly CompiledRule[];
  private readonly silentToo: boolean;

  constructor(ruleset: Ruleset, { snapshot, silentToo = false }: CorrelatorOptions<Ref>) {
    this.rules = ruleset.rules;
    this.silentToo = silentToo;
    const { correlations } = ruleset.internals;
    this.depths = depthsOf(correlations);
    const asked = askedFields(correlations);
    this.states = [...correlations].map(([place, linked]) => {
      const held =
        snapshot !== undefined && Object.hasOwn(snapshot, linked.definition) ? snapshot[linked.definition] : undefined;
      const carried = [...(asked.get(place) ?? [])];
      return new CorrelationState(place, linked, { carried, ...(held === undefined ? {} : { snapshot: held }) });
    });
    for (const state of this.states) {
      for (const [input, place] of state.linked.inputs.entries()) this.addConsumer(place, { state, input });
      if (state.linked.absent !== undefined) this.addConsumer(state.linked.absent, { state, input: "absent" });
    }
  }

  accept({ rules, source, at, ref }: Arrival<Ref>): readonly Firing<Ref>[] {
    if (!rules.some(({ place }) => this.consumers.has(place))) return [];
    const firings: Firing<Ref>[] = [];
    const hit = {
      at,
      refs: () => [ref],
      isEvent: true,
      begins: true,
      get: (field: string) => singleText(source, field),
    };
    const pending: Pending<Ref> = [];
    for (const { place } of rules) this.pass(place, hit, pending);
    this.run(pending, ref, firings);
    return firings;
  }

  advance(watermark: EpochMs): readonly Firing<Ref>[] {
    const firings: Firing<Ref>[] = [];
    for (const state of this.states) {
      for (const { fired, hit, ref } of state.advance(watermark)) {
        this.report(state, fired, ref, firings);
        const pending: Pending<Ref> = [];
        this.pass(state.place, hit, pending);
        this.run(pending, ref, firings);
      }
    }
    return firings;
  }

  snapshot(): CorrelatorSnapshot<Ref> {
    const out: Record<string, StateSnapshot<Ref>> = Object.create(null);
    for (const state of this.states) out[state.linked.definition] = state.snapshot();
    return out;
  }

  stats(): CorrelatorStats {
    const total = { groups: 0, entries: 0, droppedGroups: 0, droppedEntries: 0 };
    for (const state of this.states) {
      const stats = state.stats();
      total.groups += stats.groups;
      total.entries += stats.entries;
      total.droppedGroups += stats.droppedGroups;
      total.droppedEntries += stats.droppedEntries;
    }
    return total;
  }

  private addConsumer(place: number, consumer: Consumer<Ref>): void {
    const held = this.consumers.get(place);
    if (held === undefined) this.consumers.set(place, [consumer]);
    else held.push(consumer);
  }

  /** Gives a match of a rule to the correlations that refer to it. */
  private pass(place: number, hit: Hit<Ref>, pending: Pending<Ref>): void {
    for (const { state, input } of this.consumers.get(place) ?? []) {
      if (input === "absent") {
        state.answer(hit);
        continue;
      }
      const held = pending.find((each) => each.state === state);
      if (held === undefined) pending.push({ state, hits: [{ hit, input }] });
      else held.hits.push({ hit, input });
    }
  }

  /** Lets the correlations judge what they were given, inner ones first, so that each judges once; there is no circle. */
  private run(pending: Pending<Ref>, ref: Ref, firings: Firing<Ref>[]): void {
    for (;;) {
      let next = 0;
      for (let i = 1; i < pending.length; i += 1) if (this.depthAt(pending, i) < this.depthAt(pending, next)) next = i;
      const [judged] = pending.splice(next, 1);
      if (judged === undefined) return;
      for (const { fired, hit } of judged.state.take(judged.hits, ref)) {
        if (fired !== undefined) this.report(judged.state, fired, ref, firings);
        this.pass(judged.state.place, hit, pending);
      }
    }
  }

  private depthAt(pending: Pending<Ref>, i: number): number {
    const place = pending[i]?.state.place;
    return place === undefined ? 0 : (this.depths.get(place) ?? 0);
  }

  private report(
    state: CorrelationState<Ref>,
    { group, at, refs }: Fired<Ref>,
    ref: Ref,
    firings: Firing<Ref>[],
  ): void {
    const rule = this.rules[state.place] as CompiledRule;
    if (rule.emits || this.silentToo) firings.push({ rule, group, at, ref, events: refs });
  }
}

/**
 * The fields that correlations further up may ask of a correlation's matches, by place: those they group by or measure,
 * and those asked of them in turn.
 */
function askedFields(correlations: Ruleset["internals"]["correlations"]): ReadonlyMap<number, ReadonlySet<string>> {
  const asked = new Map<number, Set<string>>();
  let isGrowing = true;
  while (isGrowing) {
    isGrowing = false;
    for (const [place, { rule, inputs, absent, aliases }] of correlations) {
      const own = [...rule.correlation.groupBy, ...rule.correlation.fields];
      for (const input of absent === undefined ? inputs : [...inputs, absent]) {
        if (!correlations.has(input)) continue;
        const fields = asked.get(input) ?? new Set<string>();
        const before = fields.size;
        for (const field of own) fields.add(aliases.get(field)?.get(input) ?? field);
        for (const field of asked.get(place) ?? []) fields.add(field);
        asked.set(input, fields);
        if (fields.size > before) isGrowing = true;
      }
    }
  }
  return asked;
}

/** The length of the longest chain below each correlation. */
function depthsOf(correlations: Ruleset["internals"]["correlations"]): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  const depthOf = (place: number): number => {
    const linked = correlations.get(place);
    if (linked === undefined) return 0;
    const held = depths.get(place);
    if (held !== undefined) return held;
    const below = linked.absent === undefined ? linked.inputs : [...linked.inputs, linked.absent];
    const depth = 1 + below.reduce((most, input) => Math.max(most, depthOf(input)), 0);
    depths.set(place, depth);
    return depth;
  };
  for (const place of correlations.keys()) depthOf(place);
  return depths;
}

/** The text of a field; of several values, the first. */
function singleText(source: FieldSource, field: string): string | undefined {
  const value = source.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return scalarText(value);
  const [first] = value;
  return first === undefined ? undefined : scalarText(first);
}
