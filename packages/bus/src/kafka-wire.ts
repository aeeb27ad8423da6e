/**
 * What the Kafka bus needs of a client library: requests of the Kafka protocol, sent to the right broker, with errors that
 * say what went wrong. `kafka.ts` fills it in; nothing above knows which library that is.
 *
 * One wire is one set of connections. A broker answers the requests of a connection one after the other, so whoever waits
 * for long (fetching, joining a group) has a wire of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** A record as it is sent; the partition is always ours to choose. */
export interface WireRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record as it comes back, control records and those of aborted transactions among them. */
export interface FetchedRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControl: boolean;
}

export interface FetchedPartition {
  readonly partition: number;
  /** Everything below is decided: committed or aborted. */
  readonly stableEnd: number;
  readonly aborted: readonly { readonly producerId: string; readonly firstOffset: number }[];
  readonly records: readonly FetchedRecord[];
}

export interface FetchRequest {
  readonly node: string;
  readonly topic: string;
  readonly from: ReadonlyMap<number, number>;
  readonly maxWaitMs: number;
  readonly partitionMaxBytes: number;
}

export interface ProducerIdentity {
  readonly transactionalId: string | undefined;
  readonly producerId: string;
  readonly epoch: number;
}

export interface ProduceRequest {
  readonly node: string;
  readonly identity: ProducerIdentity;
  readonly batches: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly firstSequence: number;
    readonly records: readonly WireRecord[];
  }[];
  readonly timeoutMs: number;
}

export interface JoinRequest {
  readonly group: string;
  readonly topic: string;
  readonly protocol: string;
  readonly memberId: string;
  readonly sessionMs: number;
  readonly rebalanceMs: number;
  /** What the member tells the leader, for the assignment. */
  readonly told: Buffer;
}

export interface Joined {
  readonly memberId: string;
  readonly generation: number;
  /** All members, when this one is to make the assignment; else none. */
  readonly members: readonly { readonly id: string; readonly told: Buffer }[];
}

export interface Membership {
  readonly group: string;
  readonly memberId: string;
  readonly generation: number;
}

export interface MemberShare {
  readonly partitions: readonly number[];
  readonly told: Buffer;
}

/** Which end of a partition: the first record kept, the next offset, or the first undecided one. */
export type LogEnd = "start" | "end" | "stable-end";

export interface Wire {
  /** The node that leads each partition. Errors: `UNKNOWN_TOPIC_OR_PARTITION`. */
  leaders(topic: string): Promise<ReadonlyMap<number, string>>;
  /** Forgets what is known of leaders and coordinators. */
  refresh(): Promise<void>;
  fetch(request: FetchRequest): Promise<readonly FetchedPartition[]>;
  produce(request: ProduceRequest): Promise<void>;
  offsetsAt(topic: string, partitions: readonly number[], end: LogEnd): Promise<ReadonlyMap<number, number>>;
  initProducer(transactionalId: string | undefined, transactionTimeoutMs: number): Promise<ProducerIdentity>;
  addToTransaction(
    identity: ProducerIdentity,
    targets: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  ): Promise<void>;
  endTransaction(identity: ProducerIdentity, outcome: "commit" | "abort"): Promise<void>;
  join(request: JoinRequest): Promise<Joined>;
  /** `shares` by member id, from the leader alone. */
  sync(member: Membership, topic: string, shares: ReadonlyMap<string, MemberShare>): Promise<MemberShare>;
  heartbeat(member: Membership): Promise<void>;
  leave(member: Membership): Promise<void>;
  commitOffsets(member: Membership, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Partitions without a committed offset are left out. */
  committedOffsets(group: string, topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

/** A connection that failed, broke, or did not answer. */
export const CONNECTION = "CONNECTION";
/** The wire was closed by us. */
export const CLOSED = "CLOSED";

/** What a broker answered, or that none did. `kind` is the protocol's name of the error. */
export class WireError extends Error {
  readonly kind: string;
  /** Whether trying again may help. */
  readonly passing: boolean;
  /** The partition it is about, where it is about one. */
  readonly partition: number | undefined;

  constructor(
    kind: string,
    message: string,
    options: { readonly passing: boolean; readonly partition?: number | undefined; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WireError";
    this.kind = kind;
    this.passing = options.passing;
    this.partition = options.partition;
  }
}

export function isKind(error: unknown, ...kinds: readonly string[]): boolean {
  return error instanceof WireError && kinds.includes(error.kind);
}

/** A newer owner of the same transactional id exists: this one may say nothing any more. */
export function isFenced(error: unknown): boolean {
  return isKind(
    error,
    "INVALID_PRODUCER_EPOCH",
    "PRODUCER_FENCED",
    "INVALID_PRODUCER_ID_MAPPING",
    "INVALID_TXN_STATE",
    "UNKNOWN_PRODUCER_ID",
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
  );
}

/** Waits; ends early, and says so, when the signal is aborted. */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await sleep(durationMs, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (signal?.aborted === true) return false;
    throw error;
  }
}

/** CONCURRENT_TRANSACTIONS lasts as long as markers are written: a few milliseconds. */
const PERSIST_FIRST_MS = 5;
const PERSIST_MAX_MS = 500;

/**
 * Does work, and does it again while it fails with what may pass, up to a deadline.
 * Units: `deadline` is on the `performance.now()` clock.
 * Errors: the last one.
 */
export async function persist<T>(
  work: () => Promise<T>,
  options: { readonly deadline: number; readonly signal?: AbortSignal; readonly refresh?: () => Promise<void> },
): Promise<T> {
  let waitMs = PERSIST_FIRST_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const mayPass = error instanceof WireError && error.passing;
      if (!mayPass || performance.now() + waitMs > options.deadline) throw error;
      if (!(await pause(waitMs, options.signal))) throw error;
      waitMs = Math.min(waitMs * 2, PERSIST_MAX_MS);
      // Too early for new leaders is no reason to give up: the next try says what is wrong.
      if (error.kind !== "CONCURRENT_TRANSACTIONS") await options.refresh?.().catch(() => {});
    }
  }
}
