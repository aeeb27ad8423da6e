/**
 * One group of one correlation: its matches in order of event time, and for which moments the condition holds.
 *
 * A window ends at a match and reaches back by the timespan, both ends included; so "any stretch of that length" is some
 * window, in whatever order matches arrive. A match that arrives late changes the windows that end up to a timespan after
 * it, and these are looked at again. Moments at which the condition holds belong to one episode as long as no window
 * between them fails it and they are at most a timespan apart; an episode is reported once.
 */
import { type Aggregate, type Measured, newAggregate } from "./aggregate.ts";
import type { ConditionOperator, CorrelationBody, Threshold } from "./correlation-rule.ts";

/** Matches of one group that are kept, where the condition does not need more. */
const ENTRIES_MAX = 10_000;
/** Whatever the condition says. */
const ENTRIES_LIMIT = 1_000_000;
/** Share of the oldest matches that goes at once when there are too many. */
const DROP_SHARE = 0.1;

/** Events that a firing lists; the newest of the window. */
const EVENTS_MAX = 1_000;

export interface Entry<Ref> extends Measured {
  /** The events behind the match: one, or those of the correlation that matched. */
  readonly refs: readonly Ref[];
  /** Values that correlations further up may ask for. */
  readonly carried: readonly (string | undefined)[];
  /** Whether the condition holds for the window that ends here; the entries of one moment agree. */
  held: boolean;
}

/** A moment at which the condition came to hold. */
export interface Moment<Ref> {
  readonly at: number;
  /** The last entry of the window. */
  readonly entry: Entry<Ref>;
  /** Whether an episode begins here, or the moment joins one. */
  readonly begins: boolean;
  /** The newest events of the window, at most `EVENTS_MAX`; to be asked before another match is taken in. */
  readonly refs: () => readonly Ref[];
}

/** The entries of one moment, by place, and where the window that ends there begins. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly from: number;
}

/** What a window is made of, out of the rule. */
export interface WindowShape {
  readonly body: CorrelationBody;
  readonly spanMs: number;
  /** Silence that ends a session; without sessions, infinite. */
  readonly gapMs: number;
  readonly entriesMax: number;
}

export function windowShape(body: CorrelationBody): WindowShape {
  const needed = Math.max(...body.threshold.map(({ value }) => value)) * 2;
  return {
    body,
    spanMs: body.timespanMs,
    gapMs: body.extension.sessionGapMs ?? Number.POSITIVE_INFINITY,
    entriesMax: Math.min(Math.max(ENTRIES_MAX, Math.ceil(needed)), ENTRIES_LIMIT),
  };
}

export class Window<Ref> {
  readonly entries: Entry<Ref>[];
  /** Entries given up because there were too many. */
  dropped = 0;
  private readonly shape: WindowShape;
  /** The aggregate of the newest window and where that begins, while matches come in order. */
  private live: { readonly aggregate: Aggregate; from: number } | undefined;

  constructor(shape: WindowShape, entries: Entry<Ref>[] = []) {
    this.shape = shape;
    this.entries = entries;
  }

  /** Takes matches of one moment in. Yields the moments at which the condition came to hold, in order of time. */
  add(batch: readonly Entry<Ref>[]): readonly Moment<Ref>[] {
    const [entry] = batch;
    if (entry === undefined) return [];
    // Before, not after: what a moment says of its window is read when the match has been taken in.
    if (this.entries.length >= this.shape.entriesMax) this.dropOldest(Math.ceil(this.shape.entriesMax * DROP_SHARE));
    const newest = this.entries.at(-1);
    // What happens at one time is in any order, but only the ordered type has to put it into one.
    const isOrdered = this.shape.body.type === "temporal_ordered";
    const isNewest = newest === undefined || entry.at > newest.at || (entry.at === newest.at && !isOrdered);
    if (isNewest && batch.length === 1) {
      this.entries.push(entry);
      return this.report(this.extend(entry));
    }
    this.entries.splice(this.firstAfter(entry.at), 0, ...batch);
    return this.report(this.sweep(entry.at));
  }

  /** Gives up the matches before a time. */
  forgetBefore(at: number): void {
    const keep = this.firstFrom(at);
    if (keep > 0) this.cut(keep);
  }

  private dropOldest(count: number): void {
    this.dropped += count;
    this.cut(count);
  }

  private cut(count: number): void {
    this.entries.splice(0, count);
    this.live = undefined;
  }

  /** The newest window, moved on by one match. */
  private extend(entry: Entry<Ref>): readonly Span[] {
    const last = this.entries.length - 1;
    const previous = this.entries[last - 1];
    if (previous !== undefined && entry.at - previous.at > this.shape.gapMs) this.live = undefined;
    if (this.live === undefined) {
      const from = this.windowStart(last);
      this.live = { aggregate: this.aggregateOf(from, last + 1), from };
    } else {
      const { aggregate } = this.live;
      aggregate.add(entry);
      while ((this.entries[this.live.from] as Entry<Ref>).at < entry.at - this.shape.spanMs) {
        aggregate.remove(this.entries[this.live.from] as Entry<Ref>);
        this.live.from += 1;
      }
    }
    const { aggregate, from } = this.live;
    const span = { first: previous?.at === entry.at ? this.firstFrom(entry.at) : last, last, from };
    return this.judge(span, aggregate) ? [span] : [];
  }

  /** Every window that a match at a time is part of, looked at again. */
  private sweep(at: number): readonly Span[] {
    this.live = undefined;
    const { entries, shape } = this;
    const spans: Span[] = [];
    let first = this.firstFrom(at);
    let from = this.windowStart(first);
    let aggregate = this.aggregateOf(from, first);
    while (first < entries.length) {
      const end = (entries[first] as Entry<Ref>).at;
      if (end > at + shape.spanMs) break;
      const previous = entries[first - 1];
      if (previous !== undefined && end - previous.at > shape.gapMs) {
        aggregate = newAggregate(shape.body);
        from = first;
      }
      const next = this.firstAfter(end);
      this.addMoment(aggregate, first, next);
      while ((entries[from] as Entry<Ref>).at < end - shape.spanMs) {
        aggregate.remove(entries[from] as Entry<Ref>);
        from += 1;
      }
      const span = { first, last: next - 1, from };
      if (this.judge(span, aggregate)) spans.push(span);
      first = next;
    }
    return spans;
  }

  /** Whether the condition newly holds for the window of a moment. Where it no longer does, that is noted. */
  private judge({ first, last }: Span, aggregate: Aggregate): boolean {
    const { entries, shape } = this;
    const value = aggregate.value((entries[first] as Entry<Ref>).at - shape.spanMs);
    const holds = value !== undefined && meets(shape.body.threshold, value);
    const wasHeld = (entries[first] as Entry<Ref>).held;
    this.mark(first, last, holds && wasHeld);
    return holds && !wasHeld;
  }

  /** The moments that newly hold, each beginning an episode unless one that held, or was just reported, is near. */
  private report(spans: readonly Span[]): readonly Moment<Ref>[] {
    return spans.map(({ first, last, from }) => {
      const { at } = this.entries[first] as Entry<Ref>;
      const begins = !this.isHeldNear(first - 1, at) && !this.isHeldNear(last + 1, at);
      this.mark(first, last, true);
      return { at, entry: this.entries[last] as Entry<Ref>, begins, refs: () => this.refsOf(from, last) };
    });
  }

  /** Notes it on every entry of a moment. They agree already, but for the one that came last. */
  private mark(first: number, last: number, held: boolean): void {
    const start = (this.entries[first] as Entry<Ref>).held === held ? last : first;
    for (let i = start; i <= last; i += 1) (this.entries[i] as Entry<Ref>).held = held;
  }

  /** The newest events of a window, oldest first, each once. */
  private refsOf(from: number, last: number): readonly Ref[] {
    const refs = new Set<Ref>();
    for (let i = last; i >= from && refs.size < EVENTS_MAX; i -= 1) {
      for (const ref of (this.entries[i] as Entry<Ref>).refs.toReversed()) refs.add(ref);
    }
    return [...refs].slice(0, EVENTS_MAX).reverse();
  }

  private isHeldNear(place: number, at: number): boolean {
    const entry = this.entries[place];
    const reach = Math.min(this.shape.spanMs, this.shape.gapMs);
    return entry?.held === true && Math.abs(entry.at - at) <= reach;
  }

  /** Where the window that ends at an entry begins. */
  private windowStart(end: number): number {
    const { entries, shape } = this;
    const earliest = this.firstFrom((entries[end] as Entry<Ref>).at - shape.spanMs);
    if (shape.gapMs === Number.POSITIVE_INFINITY) return earliest;
    let from = end;
    while (from > earliest && (entries[from] as Entry<Ref>).at - (entries[from - 1] as Entry<Ref>).at <= shape.gapMs)
      from -= 1;
    return from;
  }

  private aggregateOf(from: number, to: number): Aggregate {
    const aggregate = newAggregate(this.shape.body);
    let first = from;
    while (first < to) {
      const next = Math.min(this.firstAfter((this.entries[first] as Entry<Ref>).at), to);
      this.addMoment(aggregate, first, next);
      first = next;
    }
    return aggregate;
  }

  /** Adds the entries of one moment in the order of the rule's list: what happens at one time is in any order. */
  private addMoment(aggregate: Aggregate, from: number, to: number): void {
    if (to - from === 1) {
      aggregate.add(this.entries[from] as Entry<Ref>);
      return;
    }
    for (const entry of this.entries.slice(from, to).sort((a, b) => a.input - b.input)) aggregate.add(entry);
  }

  /** Place of the first entry at or after a time. */
  private firstFrom(at: number): number {
    return this.search((entry) => entry.at >= at);
  }

  /** Place of the first entry after a time. */
  private firstAfter(at: number): number {
    return this.search((entry) => entry.at > at);
  }

  private search(isBeyond: (entry: Entry<Ref>) => boolean): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBeyond(this.entries[middle] as Entry<Ref>)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function meets(threshold: Threshold, value: number): boolean {
  return threshold.every(({ operator, value: limit }) => meetsOne(operator, value, limit));
}

function meetsOne(operator: ConditionOperator, value: number, limit: number): boolean {
  switch (operator) {
    case "gt":
      return value > limit;
    case "gte":
      return value >= limit;
    case "lt":
      return value < limit;
    case "lte":
      return value <= limit;
    case "eq":
      return value === limit;
    case "neq":
      return value !== limit;
  }
}
