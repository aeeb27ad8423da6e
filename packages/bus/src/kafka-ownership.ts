/**
 * One partition in this member's hands, from being given to being gone.
 *
 * States: opening (the producer is initialised, which fences the owner before; state and position are read up to the end seen
 * after that; the task is made), working, closing (the batch in work is finished and committed, the task is closed), gone.
 * Dropped at any time: when a newer owner has fenced us, when nobody knows whether a commit was stored, when the group has
 * given us up. Then nothing is said for the partition any more, and a later owner goes on where the last commit stands.
 */
import { type EpochMs, Fault } from "@culprit/model";
import type { Assignment, Batch, Commit, ConsumeOptions, PartitionTask } from "./bus.ts";
import type { Producer } from "./kafka-producer.ts";
import { publishFault } from "./kafka-publisher.ts";
import type { SizedRecord } from "./kafka-record.ts";
import { isFenced } from "./kafka-wire.ts";

export interface Restored extends Pick<Assignment, "state" | "damaged"> {
  /** `undefined` where nothing was ever committed. */
  readonly position: number | undefined;
}

/** A partition that is being read. */
export interface PartitionReading {
  readonly readThrough: EpochMs | undefined;
  stop(): Promise<void>;
}

export interface OwnershipOptions {
  readonly partition: number;
  readonly consume: ConsumeOptions;
  /** Opens the partition's transactional producer: whoever had it before can commit no more. */
  producer(signal: AbortSignal): Promise<Producer>;
  /** Reads what earlier owners committed, up to the end seen now. */
  restore(signal: AbortSignal): Promise<Restored>;
  /** Where a group without a position begins. */
  begin(): Promise<number>;
  /** The records of a commit. Errors: `bus.unknown-topic`, `bus.unserialisable`, `bus.too-large`. */
  encode(commit: Commit): readonly SizedRecord[];
  /** Begins to hand on batches from a position. */
  read(from: number, handle: (batch: Batch) => Promise<void>): PartitionReading;
  readonly commitTimeoutMs: number;
  /** Told once when the partition is dropped; it is gone soon after. */
  onDropped(reason: unknown): void;
}

export class Ownership {
  /** Resolves once the task works; rejects with what kept it from being opened. */
  readonly opened: Promise<void>;
  readonly #options: OwnershipOptions;
  readonly #losing = new AbortController();
  #fenced = false;
  #closing: Promise<void> | undefined;
  #task: PartitionTask | undefined;
  #reading: PartitionReading | undefined;
  #commits: Promise<void> = Promise.resolve();
  #position = -1;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.opened = this.#open();
    // Whoever waits for it hears of it; nobody has to.
    this.opened.catch(() => {});
  }

  get partition(): number {
    return this.#options.partition;
  }

  /** The last position committed, or begun at; -1 before it is open. */
  get position(): number {
    return this.#position;
  }

  get dropped(): boolean {
    return this.#fenced;
  }

  async #open(): Promise<void> {
    const { signal } = this.#losing;
    const producer = await this.#options.producer(signal);
    const { position, state, damaged } = await this.#options.restore(signal);
    const from = position ?? (await this.#options.begin());
    if (signal.aborted) return;
    this.#position = from;
    const { topic, open } = this.#options.consume;
    const commit = (what: Commit): Promise<void> => this.#commitInTurn(producer, what);
    const task = await open({
      topic,
      partition: this.partition,
      position: from,
      state,
      damaged,
      lost: signal,
      readThrough: () => this.#reading?.readThrough,
      commit,
    });
    this.#task = task;
    if (!signal.aborted) this.#reading = this.#options.read(from, (batch) => this.#handle(task, batch));
  }

  async #handle(task: PartitionTask, batch: Batch): Promise<void> {
    try {
      await task.handle(batch);
    } catch (error) {
      // Work for a partition that is not ours any more fails as a matter of course; its next owner does it again.
      if (!this.#fenced) throw error;
    }
  }

  /** One commit after the other: a producer has one transaction at a time. */
  #commitInTurn(producer: Producer, commit: Commit): Promise<void> {
    const done = this.#commits.then(() => this.#commit(producer, commit));
    this.#commits = done.catch(() => {});
    return done;
  }

  async #commit(producer: Producer, commit: Commit): Promise<void> {
    if (this.#fenced) throw this.#fencedFault();
    const { consume, commitTimeoutMs } = this.#options;
    if (commit.position < this.#position) {
      const place = `${consume.topic}/${this.partition}`;
      const message = `a commit to ${place} goes back from ${this.#position} to ${commit.position}`;
      throw new Fault("bus.position-back", message, { fields: this.#fields() });
    }
    const records = this.#options.encode(commit);
    try {
      await producer.transact(records, performance.now() + commitTimeoutMs);
    } catch (error) {
      const fault = isFenced(error) ? this.#fencedFault(error) : publishFault(error);
      // What can never be stored is the task's own mistake; anything else leaves open whether it was stored.
      if (fault.code !== "bus.too-large") this.drop(error);
      throw fault;
    }
    this.#position = commit.position;
  }

  #fencedFault(cause?: unknown): Fault {
    const { group, topic } = this.#options.consume;
    const message = `partition ${this.partition} of ${topic} no longer belongs to this member of ${group}`;
    return new Fault("bus.fenced", message, { cause, fields: this.#fields() });
  }

  #fields(): Readonly<Record<string, string | number>> {
    const { group, topic } = this.#options.consume;
    return { group, topic, partition: this.partition };
  }

  /** Says nothing for the partition any more, from this moment on. */
  drop(reason: unknown): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#losing.abort();
    this.#options.onDropped(reason);
  }

  /** Lets the partition go: finishes and commits the batch in work, closes the task. Errors: what `close` threw. */
  release(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#losing.abort();
    await this.opened.catch(() => {});
    await this.#reading?.stop();
    try {
      await this.#task?.close?.();
    } catch (error) {
      if (!this.#fenced) throw error;
    } finally {
      this.#fenced = true;
      await this.#commits;
    }
  }
}
