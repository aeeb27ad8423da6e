/**
 * One partition being read: what was fetched waits here, and is handed on in batches, one at a time and in order.
 *
 * At most one fetched answer waits while another is handled, so what is held stays bounded however slow the handler is.
 */
import type { EpochMs } from "@culprit/model";
import type { Batch, Message } from "./bus.ts";
import { committedRecords, messageOf } from "./kafka-record.ts";
import type { FetchedPartition, FetchedRecord } from "./kafka-wire.ts";

export interface CursorOptions {
  readonly partition: number;
  readonly from: number;
  handle(batch: Batch): Promise<void> | void;
  /** Told whenever everything below a position has been handled, also where no message came. */
  reached?(position: number): void;
}

interface Answer {
  readonly records: readonly FetchedRecord[];
  readonly next: number;
  /** When it was asked for, where it holds everything that there was. */
  readonly askedAt?: EpochMs;
}

export class Cursor {
  readonly topic: string;
  readonly partition: number;
  /** The node that leads the partition, while it is known. */
  node: string | undefined;
  /** Fetched by itself, to tell an answer that had no room for it from one that holds nothing to see. */
  alone = false;
  /** When it last got on, or had nothing to do. Units: `performance.now()`. */
  progressAt = performance.now();
  readonly ended: Promise<void>;
  readonly #batchMessagesMax: number;
  readonly #options: CursorOptions;
  readonly #answers: Answer[] = [];
  #fetchPosition: number;
  #position: number;
  #handledTo: number;
  #end: number;
  #busySince: number | undefined;
  #readThrough: EpochMs | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  readonly #drained: () => void;

  constructor(topic: string, options: CursorOptions & { readonly batchMessagesMax: number; onDrained(): void }) {
    this.partition = options.partition;
    this.topic = topic;
    this.#batchMessagesMax = options.batchMessagesMax;
    this.#options = options;
    this.#fetchPosition = options.from;
    this.#position = options.from;
    this.#handledTo = options.from;
    this.#end = options.from;
    this.#drained = options.onDrained;
    this.ended = this.#run();
  }

  get fetchPosition(): number {
    return this.#fetchPosition;
  }

  /** Everything below has been handled. */
  get position(): number {
    return this.#position;
  }

  /** The `next` of the last batch; behind it may lie what nobody gets to see. */
  get handledTo(): number {
    return this.#handledTo;
  }

  get end(): number {
    return this.#end;
  }

  /** When a broker was last asked and had nothing that has not been handled; `undefined` before the first time. */
  get readThrough(): EpochMs | undefined {
    return this.#readThrough;
  }

  get lag(): number {
    return Math.max(0, this.#end - this.#position);
  }

  get hasRoom(): boolean {
    return this.#answers.length < 1;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** How long the batch in work has been in work. Units: milliseconds. */
  busyMs(now: number): number {
    return this.#busySince === undefined ? 0 : now - this.#busySince;
  }

  /** Takes what a broker answered to a fetch from `from`, sent at `askedAt`. */
  take(fetched: FetchedPartition, from: number, askedAt: EpochMs): void {
    if (this.#stopped || from !== this.#fetchPosition) return;
    this.#end = Math.max(fetched.stableEnd, from);
    const { records, next } = committedRecords(fetched, from);
    if (next === from) {
      this.#skipNothing(fetched, askedAt);
      return;
    }
    this.alone = false;
    this.#fetchPosition = next;
    this.#answers.push(next >= fetched.stableEnd ? { records, next, askedAt } : { records, next });
    this.#wake?.();
  }

  /** Goes on somewhere else, where what was to come next is not there any more. */
  reposition(to: number): void {
    this.#fetchPosition = to;
    this.#answers.push({ records: [], next: to });
    this.#wake?.();
  }

  /** Resolves once the batch in work is done; nothing is handled after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.ended.catch(() => {});
  }

  /**
   * Nothing came although there is more: either others took up the answer, or compaction left a batch without records. Asked
   * for alone there are no others, so then the offset holds nothing and the next one is tried.
   */
  #skipNothing(fetched: FetchedPartition, askedAt: EpochMs): void {
    if (this.#fetchPosition >= fetched.stableEnd) {
      this.alone = false;
      if (this.#position < this.#end) return;
      this.progressAt = performance.now();
      this.#readThrough = askedAt;
    } else if (this.alone) this.reposition(this.#fetchPosition + 1);
    else this.alone = true;
  }

  async #run(): Promise<void> {
    // The first turn comes after the constructor has returned, so that nobody is called before the cursor is known.
    await Promise.resolve();
    while (!this.#stopped) {
      const answer = this.#answers[0];
      if (answer === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      await this.#handle(answer);
      this.#answers.shift();
      this.#drained();
    }
  }

  async #handle({ records, next, askedAt }: Answer): Promise<void> {
    for (let start = 0; start < records.length; start += this.#batchMessagesMax) {
      if (this.#stopped) return;
      const slice = records.slice(start, start + this.#batchMessagesMax);
      const after = records[start + this.#batchMessagesMax]?.offset ?? next;
      await this.#work(
        slice.map((record) => messageOf(record, { topic: this.topic, partition: this.partition })),
        after,
      );
    }
    if (this.#stopped) return;
    this.#advance(next);
    if (askedAt !== undefined) this.#readThrough = askedAt;
  }

  async #work(messages: readonly Message[], next: number): Promise<void> {
    this.#busySince = performance.now();
    try {
      await this.#options.handle({
        topic: this.topic,
        partition: this.partition,
        messages,
        next,
        end: Math.max(this.#end, next),
      });
    } finally {
      this.#busySince = undefined;
    }
    this.#handledTo = next;
    this.#advance(next);
  }

  #advance(position: number): void {
    this.#position = position;
    this.progressAt = performance.now();
    this.#options.reached?.(position);
  }
}
