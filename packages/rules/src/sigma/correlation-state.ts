/**
 * One correlation: its groups, each with a window; what waits for `absent`; what `suppress` holds back. Groups and their
 * windows are bounded, and what is given up is counted.
 */
import { foldCase } from "./fold.ts";
import type { LinkedCorrelation } from "./link.ts";
import { type Entry, type Moment, Window, type WindowShape, windowShape } from "./window.ts";

/** Groups of one correlation that are kept; above it, the one longest without a match goes. */
const GROUPS_MAX = 100_000;
/** Matches of the rule that must be absent, kept per group; the newest in time. */
const ANSWERS_MAX = 1_000;

/** A match as correlations see it. */
export interface Hit<Ref> {
  readonly at: number;
  /** The events behind it; to be asked at once. */
  readonly refs: () => readonly Ref[];
  /** Whether a detection matched an event; else a correlation came to hold. */
  readonly isEvent: boolean;
  /** Whether an episode of that correlation begins; later moments of it count for order, not for number. */
  readonly begins: boolean;
  readonly get: (field: string) => string | undefined;
}

/** A match, and as which of the correlation's rules. */
export interface InputHit<Ref> {
  readonly hit: Hit<Ref>;
  readonly input: number;
}

/** A moment at which the correlation came to hold, for those further up; `fired` where it is to be told. */
interface Outcome<Ref> {
  readonly fired: Fired<Ref> | undefined;
  readonly hit: Hit<Ref>;
}

export interface Fired<Ref> {
  readonly group: Readonly<Record<string, string | null>>;
  readonly at: number;
  readonly refs: readonly Ref[];
}

/** A wait of `absent`: from when the condition came to hold. */
interface Wait<Ref> {
  readonly at: number;
  readonly ref: Ref;
  readonly refs: readonly Ref[];
  readonly carried: readonly (string | undefined)[];
}

interface Group<Ref> {
  readonly names: readonly (string | undefined)[];
  readonly window: Window<Ref>;
  firedAt: number | undefined;
  waits: Wait<Ref>[];
  answers: number[];
}

export interface GroupSnapshot<Ref> {
  readonly names: readonly (string | null)[];
  readonly entries: readonly {
    readonly at: number;
    readonly input: number;
    readonly text: string | null;
    readonly number: number | null;
    readonly refs: readonly Ref[];
    readonly carried: readonly (string | null)[];
    readonly held: boolean;
  }[];
  readonly firedAt: number | null;
  readonly waits: readonly {
    readonly at: number;
    readonly ref: Ref;
    readonly refs: readonly Ref[];
    readonly carried: readonly (string | null)[];
  }[];
  readonly answers: readonly number[];
}

/** The groups of a correlation, and which values their entries carry; plain data. */
export interface StateSnapshot<Ref> {
  readonly carried: readonly string[];
  readonly groups: readonly GroupSnapshot<Ref>[];
}

interface StateOptions<Ref> {
  /** Fields that correlations further up ask for. */
  readonly carried: readonly string[];
  readonly snapshot?: StateSnapshot<Ref>;
}

export class CorrelationState<Ref> {
  readonly place: number;
  readonly linked: LinkedCorrelation;
  private readonly carried: readonly string[];
  private readonly shape: WindowShape;
  private readonly groups = new Map<string, Group<Ref>>();
  private droppedGroups = 0;
  private droppedEntries = 0;

  constructor(place: number, linked: LinkedCorrelation, { carried, snapshot }: StateOptions<Ref>) {
    this.place = place;
    this.linked = linked;
    this.carried = carried;
    this.shape = windowShape(linked.rule.correlation);
    // A correlation that is unchanged may be asked for other fields by new ones; those are missing in older entries.
    for (const group of snapshot?.groups ?? []) this.restore(group, snapshot?.carried ?? []);
  }

  /**
   * Takes in what came of one event: matches of the rules, several where it matched several. Yields the moments that came
   * to hold, and of these which fire.
   */
  take(hits: readonly InputHit<Ref>[], ref: Ref): readonly Outcome<Ref>[] {
    const { type } = this.linked.rule.correlation;
    const isDistinct = type === "temporal" || type === "temporal_ordered" || type === "value_count";
    const batches: { readonly group: Group<Ref>; readonly at: number; readonly entries: Entry<Ref>[] }[] = [];
    for (const { hit, input } of hits) {
      // What goes on holding is one occurrence to those that count, and as many times as it lasts to those that order.
      if (!isDistinct && !hit.begins) continue;
      const source = this.linked.inputs[input] as number;
      const group = this.groupOf(hit, source);
      const batch = batches.find((each) => each.group === group && each.at === hit.at);
      if (batch === undefined) batches.push({ group, at: hit.at, entries: [this.entryOf(hit, input, source)] });
      // One event that several rules match is one event; its own matches come before those of inner correlations.
      else if (isDistinct || !hit.isEvent) batch.entries.push(this.entryOf(hit, input, source));
    }
    const outcomes: Outcome<Ref>[] = [];
    for (const { group, entries } of batches) {
      const before = group.window.dropped;
      const moments = group.window.add(entries);
      this.droppedEntries += group.window.dropped - before;
      for (const moment of moments) outcomes.push(...this.outcomeOf(moment, group, ref));
    }
    return outcomes;
  }

  /** Takes in a match of the rule that must be absent. */
  answer(hit: Hit<Ref>): void {
    const group = this.groupOf(hit, this.linked.absent as number);
    group.answers.push(hit.at);
    if (group.answers.length > ANSWERS_MAX) group.answers.sort((a, b) => a - b).splice(0, 1);
  }

  /** Time has come so far: yields the waits that ended unanswered, and forgets. */
  advance(watermark: number): readonly { readonly fired: Fired<Ref>; readonly hit: Hit<Ref>; readonly ref: Ref }[] {
    const out: { fired: Fired<Ref>; hit: Hit<Ref>; ref: Ref }[] = [];
    const within = this.linked.rule.correlation.extension.absent?.withinMs ?? 0;
    for (const [key, group] of this.groups) {
      const due = group.waits.filter((wait) => wait.at + within <= watermark);
      group.waits = group.waits.filter((wait) => wait.at + within > watermark);
      for (const wait of due.sort((a, b) => a.at - b.at)) {
        if (group.answers.some((at) => at >= wait.at && at <= wait.at + within)) continue;
        const at = wait.at + within;
        if (this.isSuppressed(group, at)) continue;
        const fired = { group: this.groupRecord(group), at, refs: wait.refs };
        out.push({
          fired,
          ref: wait.ref,
          hit: this.hitOf(group, { at, begins: true, refs: () => wait.refs, carried: wait.carried }),
        });
      }
      const horizon = watermark - this.shape.spanMs;
      group.window.forgetBefore(horizon);
      group.answers = group.answers.filter((at) => at >= horizon - within);
      const suppressMs = this.linked.rule.correlation.extension.suppressMs ?? 0;
      const isIdle = group.window.entries.length === 0 && group.waits.length === 0 && group.answers.length === 0;
      if (isIdle && (group.firedAt === undefined || group.firedAt + suppressMs < watermark)) this.groups.delete(key);
    }
    return out;
  }

  stats(): { groups: number; entries: number; droppedGroups: number; droppedEntries: number } {
    let entries = 0;
    for (const group of this.groups.values()) entries += group.window.entries.length;
    return {
      groups: this.groups.size,
      entries,
      droppedGroups: this.droppedGroups,
      droppedEntries: this.droppedEntries,
    };
  }

  snapshot(): StateSnapshot<Ref> {
    const groups = [...this.groups.values()].map(({ names, window, firedAt, waits, answers }) => ({
      names: names.map((name) => name ?? null),
      entries: window.entries.map(({ at, input, text, number, refs, carried, held }) => {
        return {
          at,
          input,
          text: text ?? null,
          number: number ?? null,
          refs,
          carried: carried.map((value) => value ?? null),
          held,
        };
      }),
      firedAt: firedAt ?? null,
      waits: waits.map((wait) => ({ ...wait, carried: wait.carried.map((value) => value ?? null) })),
      answers: [...answers],
    }));
    return { carried: this.carried, groups };
  }

  private restore(held: GroupSnapshot<Ref>, carriedThen: readonly string[]): void {
    const carriedNow = (values: readonly (string | null)[]): (string | undefined)[] =>
      this.carried.map((field) => values[carriedThen.indexOf(field)] ?? undefined);
    const names = held.names.map((name) => name ?? undefined);
    const entries: Entry<Ref>[] = held.entries.map(({ text, number, carried, ...entry }) => {
      return { ...entry, text: text ?? undefined, number: number ?? undefined, carried: carriedNow(carried) };
    });
    this.groups.set(keyOf(names), {
      names,
      window: new Window(this.shape, entries),
      firedAt: held.firedAt ?? undefined,
      waits: held.waits.map((wait) => ({ ...wait, carried: carriedNow(wait.carried) })),
      answers: [...held.answers],
    });
  }

  private outcomeOf(moment: Moment<Ref>, group: Group<Ref>, ref: Ref): readonly Outcome<Ref>[] {
    const { at, entry, begins } = moment;
    if (this.linked.absent !== undefined) {
      if (begins) group.waits.push({ at, ref, refs: moment.refs(), carried: entry.carried });
      return [];
    }
    const hit = this.hitOf(group, { at, begins, refs: moment.refs, carried: entry.carried });
    if (!begins || this.isSuppressed(group, at)) return [{ fired: undefined, hit }];
    return [{ fired: { group: this.groupRecord(group), at, refs: moment.refs() }, hit }];
  }

  /** Whether the group fired less than `suppress` before or after; if not, notes that it fires. */
  private isSuppressed(group: Group<Ref>, at: number): boolean {
    const { suppressMs } = this.linked.rule.correlation.extension;
    if (suppressMs !== undefined && group.firedAt !== undefined && Math.abs(at - group.firedAt) <= suppressMs)
      return true;
    group.firedAt = at;
    return false;
  }

  /** What a correlation further up can ask of this one: its group's values, else those of the event that completed it. */
  private hitOf(
    group: Group<Ref>,
    {
      at,
      begins,
      refs,
      carried,
    }: { at: number; begins: boolean; refs: () => readonly Ref[]; carried: readonly (string | undefined)[] },
  ): Hit<Ref> {
    const { groupBy } = this.linked.rule.correlation;
    const get = (field: string): string | undefined => {
      const place = groupBy.indexOf(field);
      return place === -1 ? carried[this.carried.indexOf(field)] : group.names[place];
    };
    return { at, refs, isEvent: false, begins, get };
  }

  private entryOf(hit: Hit<Ref>, input: number, source: number): Entry<Ref> {
    const { fields } = this.linked.rule.correlation;
    const texts = fields.map((field) => hit.get(this.fieldFor(field, source)));
    const isWhole = texts.length > 0 && texts.every((text) => text !== undefined);
    return {
      at: hit.at,
      input,
      text: isWhole ? keyOf(texts) : undefined,
      number: numberOf(texts[0]),
      refs: hit.refs(),
      carried: this.carried.map((field) => hit.get(field)),
      held: false,
    };
  }

  /** The name of a field in matches of one rule, aliases applied. */
  private fieldFor(field: string, source: number): string {
    return this.linked.aliases.get(field)?.get(source) ?? field;
  }

  private groupOf(hit: Hit<Ref>, source: number): Group<Ref> {
    const names = this.linked.rule.correlation.groupBy.map((field) => hit.get(this.fieldFor(field, source)));
    const key = keyOf(names);
    const held = this.groups.get(key);
    if (held !== undefined) {
      // The map keeps groups in the order of their last match, so that the first is the one to give up.
      this.groups.delete(key);
      this.groups.set(key, held);
      return held;
    }
    if (this.groups.size >= GROUPS_MAX) {
      const [oldest] = this.groups.keys();
      if (oldest !== undefined) this.groups.delete(oldest);
      this.droppedGroups += 1;
    }
    const made: Group<Ref> = {
      names,
      window: new Window(this.shape),
      firedAt: undefined,
      waits: [],
      answers: [],
    };
    this.groups.set(key, made);
    return made;
  }

  private groupRecord({ names }: Group<Ref>): Readonly<Record<string, string | null>> {
    const record: Record<string, string | null> = Object.create(null);
    this.linked.rule.correlation.groupBy.forEach((field, i) => {
      record[field] = names[i] ?? null;
    });
    return record;
  }
}

/** Equal for lists of values that are equal but for case; a missing value is equal to a missing value only. */
function keyOf(values: readonly (string | undefined)[]): string {
  return values.map((value) => (value === undefined ? "-" : `${value.length}:${foldCase(value)}`)).join(";");
}

const NUMBER = /^[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:e[+-]?\d{1,3})?$/i;

/** Sums of a window stay finite below this. */
const NUMBER_MAX = 1e300;

function numberOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  const number = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  return Math.abs(number) <= NUMBER_MAX ? number : undefined;
}
