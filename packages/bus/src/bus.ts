/**
 * The log between the stages, as every engine offers it: topics with partitions, messages with keys, groups whose members
 * share the partitions, and one atomic commit of what a stage says, what it remembers and how far it has read.
 *
 * The embedded log and Kafka both pass `bus.contract.ts`; nothing here promises what one of them cannot keep.
 */
import type { EpochMs, Fault } from "@culprit/model";

/** What a stage publishes. */
export interface Outgoing {
  readonly topic: string;
  /** Messages of one key keep their order; in a compacted topic the newest one stays. */
  readonly key: string;
  /** Data that JSON can carry, or bytes. `null` removes the key from a compacted topic. */
  readonly value: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The partition to use instead of the key's own, for messages that belong to a partition and not to a key (ticks). */
  readonly partition?: number;
}

/** What a stage reads. */
export interface Message {
  readonly topic: string;
  readonly partition: number;
  /** Rises within a partition, with gaps where messages were compacted away or belong to the engine. */
  readonly offset: number;
  readonly key: string;
  /** As published; bytes stay bytes, and so does a value that says it is JSON and is not. The reader parses it. */
  readonly value: unknown;
  /** When the log took it, by our clock. */
  readonly at: EpochMs;
  readonly headers: Readonly<Record<string, string>>;
}

/** Messages of one partition in order; never empty. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly Message[];
  /** The position to commit once all of them are dealt with. */
  readonly next: number;
  /** The offset the next message of the partition will get: `end - next` is what is left to read. */
  readonly end: number;
}

/** One thing a stage remembers under a key of its own; `null` forgets it. */
export interface Change {
  readonly key: string;
  readonly value: unknown;
}

export interface Commit {
  readonly outputs?: readonly Outgoing[];
  readonly changes?: readonly Change[];
  /** How far is done: a batch's `next`, or the last one again where only outputs or changes are new. Never goes back. */
  readonly position: number;
}

/** A partition given to this member of the group, until `lost` is aborted. */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  /** Where reading goes on. */
  readonly position: number;
  /** What earlier owners committed as changes and did not forget. */
  readonly state: ReadonlyMap<string, unknown>;
  /** Keys whose stored state was damaged; they are missing in `state` and stand in the dead letters. */
  readonly damaged: readonly string[];
  /** Aborted when the partition is taken away or the consumer closes; a batch in work may still finish before that. */
  readonly lost: AbortSignal;
  /**
   * A moment, by our clock: whatever the log took before it has been handled. A second or so ago while the log answers and
   * nothing is left to read; it stands still while there is more. `undefined` until the end has been seen.
   */
  readThrough(): EpochMs | undefined;
  /**
   * Stores outputs, changes and position: all of them or none.
   * Errors: `bus.fenced` when the partition is not ours any more; as `publish` otherwise.
   */
  commit(commit: Commit): Promise<void>;
}

/** What a stage does with one partition; made anew for each assignment. */
export interface PartitionTask {
  /** Called with one batch at a time. Throwing ends the consumer: retries are the task's own matter. */
  handle(batch: Batch): Promise<void>;
  /** Called once after the last batch, also when the partition is lost. */
  close?(): Promise<void>;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topic: string;
  /** Where a group without a stored position begins; `earliest` unless told. */
  readonly from?: "earliest" | "latest";
  readonly batchMessagesMax?: number;
  open(assignment: Assignment): Promise<PartitionTask> | PartitionTask;
}

/** A running reader. */
export interface Reader {
  /**
   * Settles when reading has ended: resolves after `close`, rejects with what a task or the engine threw. Whoever reads has
   * to watch it: left alone, a rejection ends the process, which beats a stage that stands still unnoticed.
   */
  readonly ended: Promise<void>;
  /** Stops reading, lets batches in work finish, closes the tasks. */
  close(): Promise<void>;
}

export interface FollowOptions {
  readonly topic: string;
  /** Where to begin, by partition; a partition left out begins at its start. */
  readonly positions?: ReadonlyMap<number, number>;
  readonly batchMessagesMax?: number;
  handle(batch: Batch): Promise<void> | void;
}

export interface Follower extends Reader {
  /** Resolves once everything that was there at the start has been handled; rejects if reading ends before. */
  readonly caughtUp: Promise<void>;
}

/** How far a group has come in one partition. */
export interface Progress {
  readonly partition: number;
  /** The next offset to read. */
  readonly position: number;
  readonly end: number;
}

export interface Bus {
  /**
   * Stores messages; resolves once they are durable (fsynced, or acknowledged by all in-sync replicas), in order per key.
   * Errors: `bus.full`, `bus.busy`, `bus.unavailable` (all retriable; a retry may repeat what was stored), else
   * `bus.closed`, `bus.unknown-topic`, `bus.unserialisable`, `bus.too-large`.
   */
  publish(messages: readonly Outgoing[]): Promise<void>;
  /** Reads a topic as a member of a group. */
  consume(options: ConsumeOptions): Promise<Reader>;
  /** Reads every partition of a topic without a group; the reader keeps its own positions if it wants any. */
  follow(options: FollowOptions): Promise<Follower>;
  /** Errors: `bus.unknown-topic`. */
  partitionsOf(topic: string): number;
  progress(group: string, topic: string): Promise<readonly Progress[]>;
  /** What has happened since the start, by name: counters and gauges for `/metrics`. */
  stats(): Readonly<Record<string, number>>;
  /** Resolves with what broke it when the log can no longer be used; the process has to end. Else never settles. */
  readonly broken: Promise<Fault>;
  /** Ends all readers, then the log. Calling it again changes nothing. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
