/**
 * Topics that are not Culprit's own, read as a member of a group: records in batches, the group's place in a partition moved
 * on only once they are taken. What is read twice after a rebalance or a crash is for the reader to recognise.
 *
 * The library's consumer does here: it may lose a partition in the midst of a batch, which costs repeats and nothing else.
 */
import type { EpochMs } from "@culprit/model";
import type { KafkaBusOptions } from "./kafka-options.ts";
import { pause } from "./kafka-wire.ts";

export interface InputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly at: EpochMs;
  /** Nothing for a record without a value. */
  readonly value: Uint8Array | undefined;
}

export interface TopicInputOptions
  extends Pick<KafkaBusOptions, "brokers" | "clientId" | "tls" | "sasl" | "sessionMs" | "heartbeatMs" | "log"> {
  readonly topics: readonly string[];
  /** The name of the group as brokers know it; members of one group share the partitions. */
  readonly group: string;
  /** Where a group without a place begins: with the oldest record, or with those that come from now on. */
  readonly fromBeginning: boolean;
  /** Takes records of one partition, in order. A rejection means that they are not taken: they come again. */
  handle(records: readonly InputRecord[]): Promise<void>;
  /** Told when reading stops for a reason of its own, and when it goes on. */
  onChange(change: { readonly isReading: boolean; readonly detail: string }): void;
}

export interface TopicInput {
  /** Stops reading; the batch in work is finished and its place kept. */
  close(): Promise<void>;
}

/** What is used of the library's consumer. */
export interface GroupConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(subscription: { topics: string[]; fromBeginning: boolean }): Promise<void>;
  run(config: {
    autoCommit: false;
    eachBatchAutoResolve: false;
    partitionsConsumedConcurrently: number;
    eachBatch(payload: BatchPayload): Promise<void>;
  }): Promise<void>;
  onCrash(listener: (error: Error) => void): void;
  onJoin(listener: () => void): void;
}

/**
 * What the library hands on of a partition.
 * @internal
 */
export interface BatchPayload {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly messages: readonly {
      readonly offset: string;
      readonly timestamp: string;
      readonly value: Buffer | null;
    }[];
  };
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  commitOffsetsIfNecessary(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<void>;
  isRunning(): boolean;
  isStale(): boolean;
}

const PARTITIONS_AT_ONCE = 4;
/** Handed on at a time. */
const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
const CONNECT_RETRY_FIRST_MS = 500;
const CONNECT_RETRY_MAX_MS = 30_000;

/** Begins to read with a consumer; connecting goes on until it succeeds or the input is closed. */
export function inputOn(openConsumer: () => GroupConsumer, options: TopicInputOptions): TopicInput {
  const closing = new AbortController();
  let consumer: GroupConsumer | undefined;
  const begun = begin();

  async function begin(): Promise<void> {
    let waitMs = CONNECT_RETRY_FIRST_MS;
    while (!closing.signal.aborted) {
      const next = openConsumer();
      try {
        next.onCrash((error) => options.onChange({ isReading: false, detail: error.message }));
        next.onJoin(() => options.onChange({ isReading: true, detail: "" }));
        await next.connect();
        await next.subscribe({ topics: [...options.topics], fromBeginning: options.fromBeginning });
        consumer = next;
        await next.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
          eachBatch: (payload) => takeBatch(payload, options),
        });
        return;
      } catch (error) {
        await next.disconnect().catch(() => {});
        options.onChange({ isReading: false, detail: error instanceof Error ? error.message : String(error) });
        await pause(waitMs, closing.signal);
        waitMs = Math.min(waitMs * 2, CONNECT_RETRY_MAX_MS);
      }
    }
  }

  return {
    async close() {
      closing.abort();
      await begun;
      await consumer?.disconnect().catch(() => {});
    },
  };
}

async function takeBatch(payload: BatchPayload, { handle, heartbeatMs = 1_000 }: TopicInputOptions): Promise<void> {
  const { batch, heartbeat, commitOffsetsIfNecessary, resolveOffset, isRunning, isStale } = payload;
  const { topic, partition } = batch;
  // While records cannot be stored their sender waits; the group must not take this member for dead.
  const beat = setInterval(() => void heartbeat().catch(() => {}), heartbeatMs);
  try {
    for (const part of partsOf(batch.messages)) {
      if (!isRunning() || isStale()) return;
      await handle(
        part.map(({ offset, timestamp, value }) => ({
          topic,
          partition,
          offset: Number(offset),
          at: Number(timestamp),
          value: value ?? undefined,
        })),
      );
      const last = part[part.length - 1]?.offset ?? "0";
      resolveOffset(last);
      const next = String(BigInt(last) + 1n);
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] });
    }
  } finally {
    clearInterval(beat);
  }
}

type RawMessage = BatchPayload["batch"]["messages"][number];

function* partsOf(messages: readonly RawMessage[]): Generator<readonly RawMessage[]> {
  let part: RawMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    part.push(message);
    bytes += message.value?.length ?? 0;
    if (part.length < BATCH_RECORDS && bytes < BATCH_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
