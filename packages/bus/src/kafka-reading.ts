/**
 * Reading partitions of one topic, whoever decides which: one fetch at a time from each node that leads some of them, over
 * connections of their own. What a broker cannot answer now is asked again; reading goes on by itself once it can.
 */
import { Fault } from "@culprit/model";
import { Cursor, type CursorOptions } from "./kafka-cursor.ts";
import { isKind, pause, type Wire, WireError } from "./kafka-wire.ts";

const BATCH_MESSAGES_MAX = 1_000;
/** A broker answers as soon as there is something; while there is nothing, a partition that is added and a reader that closes wait for it. */
const FETCH_WAIT_MS = 500;
const FETCH_PARTITION_MAX_BYTES = 1024 * 1024;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;

export interface TopicReaderOptions {
  /** Used by this reader alone, and closed with it. */
  readonly wire: Wire;
  readonly topic: string;
  readonly batchMessagesMax?: number;
  /** Told once, with what a handler threw or what makes reading pointless. */
  onFailure(error: unknown): void;
  /** Told of messages that were deleted before they were read. */
  onLost?(count: number): void;
}

export class TopicReader {
  readonly #options: TopicReaderOptions;
  readonly #cursors = new Set<Cursor>();
  readonly #loops = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #sleepers: (() => void)[] = [];
  #supervising: Promise<void> | undefined;
  /** When a broker last answered a fetch. Units: `performance.now()`. */
  #answeredAt = performance.now();

  constructor(options: TopicReaderOptions) {
    this.#options = options;
  }

  get cursors(): Iterable<Cursor> {
    return this.#cursors;
  }

  /** Whether a partition has stood still for so long although it could get on. */
  stuck(forMs: number): Cursor | undefined {
    const now = performance.now();
    const hears = now - this.#answeredAt < forMs / 2;
    return [...this.#cursors].find(
      (cursor) => cursor.busyMs(now) > forMs || (hears && cursor.lag > 0 && now - cursor.progressAt > forMs),
    );
  }

  /** Begins to read a partition. */
  add(options: CursorOptions): Cursor {
    const batchMessagesMax = this.#options.batchMessagesMax ?? BATCH_MESSAGES_MAX;
    const cursor = new Cursor(this.#options.topic, { ...options, batchMessagesMax, onDrained: () => this.#wake() });
    this.#cursors.add(cursor);
    const forget = (): unknown => this.#cursors.delete(cursor);
    cursor.ended.then(forget, (error: unknown) => {
      forget();
      this.#options.onFailure(error);
    });
    this.#wake();
    this.#supervising ??= this.#supervise();
    return cursor;
  }

  /** Stops reading; batches in work are finished. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await Promise.all([...this.#cursors].map((cursor) => cursor.stop()));
    await this.#options.wire.close();
    await this.#supervising;
    await Promise.all(this.#loops.values());
  }

  /** Finds leaders for the cursors that have none and keeps a loop running for every node that leads one. */
  async #supervise(): Promise<void> {
    const { wire, topic } = this.#options;
    let waitMs = RETRY_FIRST_MS;
    while (!this.#closing.signal.aborted) {
      const homeless = [...this.#cursors].filter(({ node }) => node === undefined);
      if (homeless.length === 0) {
        waitMs = RETRY_FIRST_MS;
        await this.#change();
        continue;
      }
      try {
        const leaders = await wire.leaders(topic);
        for (const cursor of homeless) cursor.node = leaders.get(cursor.partition);
        for (const node of new Set(homeless.flatMap((cursor) => cursor.node ?? []))) this.#loop(node);
        if (homeless.every(({ node }) => node !== undefined)) continue;
      } catch (error) {
        if (!(error instanceof WireError && error.passing)) {
          this.#fail(error);
          return;
        }
      }
      if (!(await pause(waitMs, this.#closing.signal))) return;
      waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
      await wire.refresh().catch(() => {});
    }
  }

  #fail(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#options.onFailure(error);
  }

  #loop(node: string): void {
    if (this.#loops.has(node)) return;
    this.#wake();
    const running = this.#fetchFrom(node).catch((error: unknown) => this.#fail(error));
    this.#loops.set(
      node,
      running.finally(() => this.#loops.delete(node)),
    );
  }

  async #fetchFrom(node: string): Promise<void> {
    let waitMs = RETRY_FIRST_MS;
    while (!this.#closing.signal.aborted) {
      const mine = [...this.#cursors].filter((cursor) => cursor.node === node && !cursor.stopped);
      if (mine.length === 0) return;
      const open = mine.filter(({ hasRoom }) => hasRoom);
      const wanted = open.filter(({ alone }) => alone).slice(0, 1);
      if (wanted.length === 0) wanted.push(...open);
      if (wanted.length === 0) {
        await this.#change();
        continue;
      }
      try {
        await this.#fetch(node, wanted);
        waitMs = RETRY_FIRST_MS;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        if (isKind(error, "OFFSET_OUT_OF_RANGE")) await this.#reposition(wanted, error.partition);
        else if (!error.passing) throw error;
        if (!(await pause(waitMs, this.#closing.signal))) return;
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
        // The leaders may be others by now.
        await this.#options.wire.refresh().catch(() => {});
        for (const cursor of mine) cursor.node = undefined;
        this.#wake();
      }
    }
  }

  async #fetch(node: string, wanted: readonly Cursor[]): Promise<void> {
    const from = new Map(wanted.map((cursor) => [cursor.partition, cursor.fetchPosition]));
    const askedAt = Date.now();
    const fetched = await this.#options.wire.fetch({
      node,
      topic: this.#options.topic,
      from,
      maxWaitMs: FETCH_WAIT_MS,
      partitionMaxBytes: FETCH_PARTITION_MAX_BYTES,
    });
    this.#answeredAt = performance.now();
    for (const answer of fetched) {
      const position = from.get(answer.partition);
      const cursor = wanted.find(({ partition }) => partition === answer.partition);
      if (position !== undefined) cursor?.take(answer, position, askedAt);
    }
  }

  /** What was to be read next is gone: reading goes on with the oldest that is there, and the gap is counted. */
  async #reposition(wanted: readonly Cursor[], partition: number | undefined): Promise<void> {
    const { wire, topic } = this.#options;
    const lost = wanted.filter((cursor) => partition === undefined || cursor.partition === partition);
    const starts = await wire.offsetsAt(
      topic,
      lost.map((cursor) => cursor.partition),
      "start",
    );
    const ends = await wire.offsetsAt(
      topic,
      lost.map((cursor) => cursor.partition),
      "end",
    );
    for (const cursor of lost) {
      const start = starts.get(cursor.partition) ?? 0;
      const end = ends.get(cursor.partition) ?? 0;
      if (cursor.fetchPosition > end) throw beyondTheEnd(topic, cursor, end);
      if (cursor.fetchPosition >= start) continue;
      this.#options.onLost?.(start - cursor.fetchPosition);
      cursor.reposition(start);
    }
  }

  #change(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#sleepers.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }
}

function beyondTheEnd(topic: string, { partition, fetchPosition }: Cursor, end: number): Fault {
  const message =
    `reading of ${topic}/${partition} should go on at ${fetchPosition}, but the log ends at ${end}: it was cut short or made ` +
    "anew; give the group another name, or remove its records from state, to begin again";
  return new Fault("bus.position-beyond-end", message, { fields: { topic, partition, position: fetchPosition, end } });
}
