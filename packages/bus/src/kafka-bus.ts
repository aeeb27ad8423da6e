/** The bus on Apache Kafka, over any client that offers a `Wire`. */
import { ALL_TOPICS, Fault, TOPICS } from "@culprit/model";
import type { Batch, Bus, ConsumeOptions, Follower, FollowOptions, Outgoing, Progress, Reader } from "./bus.ts";
import { type GroupHost, GroupReader, type GroupTimes } from "./kafka-group.ts";
import { KAFKA_DEFAULTS, type KafkaBusOptions } from "./kafka-options.ts";
import type { OwnershipOptions } from "./kafka-ownership.ts";
import { Producer } from "./kafka-producer.ts";
import { Publisher, publishFault } from "./kafka-publisher.ts";
import { TopicReader } from "./kafka-reading.ts";
import { recordOf, type SizedRecord } from "./kafka-record.ts";
import { commitMessages, restoreState } from "./kafka-state.ts";
import { type LogEnd, persist, type Wire } from "./kafka-wire.ts";

/** A transaction that its owner does not end is ended by the broker after this; until then readers wait. */
const TRANSACTION_TIMEOUT_MS = 15_000;
const COMMIT_TIMEOUT_MS = 12_000;
const REBALANCE_MS = 60_000;
const ASK_TIMEOUT_MS = 30_000;
const WATCH_EVERY_MS = 5_000;

export interface KafkaLogOptions extends KafkaBusOptions {
  /** Partitions of each topic, as they are. */
  readonly counts: ReadonlyMap<string, number>;
  /** New connections; the bus closes them. */
  readonly openWire: () => Wire;
}

export class KafkaLog implements Bus, GroupHost {
  readonly broken: Promise<Fault>;
  readonly times: GroupTimes;
  readonly #options: KafkaLogOptions;
  readonly #prefix: string;
  /** For requests that are answered at once. */
  readonly #wire: Wire;
  readonly #publisher: Publisher;
  readonly #readers = new Map<Reader, TopicReader>();
  readonly #broken = Promise.withResolvers<Fault>();
  readonly #watching: NodeJS.Timeout;
  readonly #counted = { dropped: 0, rebalanced: 0, lost: 0 };
  #closing: Promise<void> | undefined;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? KAFKA_DEFAULTS.prefix;
    this.#wire = options.openWire();
    this.broken = this.#broken.promise;
    this.times = {
      sessionMs: options.sessionMs ?? KAFKA_DEFAULTS.sessionMs,
      heartbeatMs: options.heartbeatMs ?? KAFKA_DEFAULTS.heartbeatMs,
      rebalanceMs: REBALANCE_MS,
      commitTimeoutMs: COMMIT_TIMEOUT_MS,
    };
    this.#publisher = new Publisher({
      wire: this.#wire,
      timeoutMs: options.sendTimeoutMs ?? KAFKA_DEFAULTS.sendTimeoutMs,
      pendingMaxBytes: options.pendingMaxBytes ?? KAFKA_DEFAULTS.pendingMaxBytes,
    });
    this.#watching = setInterval(() => this.#watch(), WATCH_EVERY_MS);
    this.#watching.unref();
  }

  openWire(): Wire {
    return this.#options.openWire();
  }

  partitionsOf(topic: string): number {
    const count = this.#options.counts.get(topic);
    if (count !== undefined) return count;
    throw new Fault("bus.unknown-topic", `there is no topic ${topic}`, { fields: { topic } });
  }

  groupName(group: string, topic: string): string {
    return `${this.#prefix}${group}.${topic}`;
  }

  async publish(messages: readonly Outgoing[]): Promise<void> {
    this.#refuseClosed();
    if (messages.length > 0) await this.#publisher.publish(this.#records(messages));
  }

  #records(messages: readonly Outgoing[]): readonly SizedRecord[] {
    const messageMaxBytes = this.#options.messageMaxBytes ?? KAFKA_DEFAULTS.messageMaxBytes;
    return messages.map((message) =>
      recordOf(message, { partitions: this.partitionsOf(message.topic), messageMaxBytes }),
    );
  }

  ownership(
    { group, topic, from }: ConsumeOptions,
    partition: number,
  ): Pick<OwnershipOptions, "producer" | "restore" | "begin" | "encode"> {
    const place = { group, topic, partition };
    const statePartitions = this.partitionsOf(TOPICS.state.name);
    return {
      producer: (signal) =>
        Producer.open(this.#wire, {
          transactionalId: `${this.groupName(group, topic)}.${partition}`,
          transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
          deadline: performance.now() + ASK_TIMEOUT_MS,
          signal,
        }),
      restore: async (signal) => {
        const { letters, ...restored } = await restoreState(this.#wire, place, { statePartitions, signal });
        if (letters.length > 0) await this.#publisher.publish(this.#records(letters));
        return restored;
      },
      begin: async () => (await this.#offsetsAt(topic, from === "latest" ? "end" : "start")).get(partition) ?? 0,
      encode: (commit) => this.#records(commitMessages(commit, place, statePartitions)),
    };
  }

  count(what: "dropped" | "rebalanced" | "lost", count: number): void {
    this.#counted[what] += count;
  }

  async consume(options: ConsumeOptions): Promise<Reader> {
    this.#refuseClosed();
    this.partitionsOf(options.topic);
    const reader = await GroupReader.join(this, options);
    return this.#track(reader, reader.reader);
  }

  async follow(options: FollowOptions): Promise<Follower> {
    this.#refuseClosed();
    const { topic, batchMessagesMax, positions, handle } = options;
    this.partitionsOf(topic);
    // Not the stable end: what is committed may lie behind a transaction that is still open.
    const [starts, ends] = await Promise.all([this.#offsetsAt(topic, "start"), this.#offsetsAt(topic, "end")]);
    const end = Promise.withResolvers<void>();
    let failure: { readonly error: unknown } | undefined;
    const caughtUp = new Map(
      [...ends].map(([partition, target]) => [partition, { target, ...Promise.withResolvers<void>() }]),
    );
    const reader = new TopicReader({
      wire: this.openWire(),
      topic,
      ...(batchMessagesMax === undefined ? {} : { batchMessagesMax }),
      onFailure(error) {
        failure ??= { error };
        void close();
      },
      onLost: (count) => this.count("lost", count),
    });
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= (async () => {
        await reader.close();
        for (const one of caughtUp.values()) {
          one.reject(new Fault("bus.closed", `reading of ${topic} ended before it had caught up`));
        }
        if (failure === undefined) end.resolve();
        else end.reject(failure.error);
      })();
      return closing;
    };
    for (const [partition, { target, resolve }] of caughtUp) {
      const reached = (position: number): void => {
        if (position >= target) resolve();
      };
      const from = Math.max(positions?.get(partition) ?? 0, starts.get(partition) ?? 0);
      reached(from);
      reader.add({ partition, from, handle: (batch: Batch) => handle(batch), reached });
    }
    const all = Promise.all([...caughtUp.values()].map(({ promise }) => promise)).then(() => undefined);
    // A failure shows in `ended`; whoever does not wait for the start need not hear of it twice.
    all.catch(() => {});
    for (const { promise } of caughtUp.values()) promise.catch(() => {});
    const tracked = this.#track({ ended: end.promise, close }, reader);
    return { ended: tracked.ended, close, caughtUp: all };
  }

  #track(reader: Reader, topicReader: TopicReader): Reader {
    this.#readers.set(reader, topicReader);
    const forget = (): unknown => this.#readers.delete(reader);
    reader.ended.then(forget, forget);
    return reader;
  }

  async progress(group: string, topic: string): Promise<readonly Progress[]> {
    const partitions = range(this.partitionsOf(topic));
    const name = this.groupName(group, topic);
    const [starts, ends, committed] = await Promise.all([
      this.#offsetsAt(topic, "start"),
      this.#offsetsAt(topic, "stable-end"),
      this.#ask(() => this.#wire.committedOffsets(name, topic, partitions)),
    ]);
    return partitions.map((partition) => ({
      partition,
      position: committed.get(partition) ?? starts.get(partition) ?? 0,
      end: ends.get(partition) ?? 0,
    }));
  }

  #offsetsAt(topic: string, end: LogEnd): Promise<ReadonlyMap<number, number>> {
    return this.#ask(() => this.#wire.offsetsAt(topic, range(this.partitionsOf(topic)), end));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + ASK_TIMEOUT_MS;
    try {
      return await persist(question, { deadline, refresh: () => this.#wire.refresh() });
    } catch (error) {
      throw publishFault(error);
    }
  }

  stats(): Readonly<Record<string, number>> {
    const cursors = [...this.#readers.values()].flatMap((reader) => [...reader.cursors]);
    return {
      ...this.#publisher.stats,
      partitions_read: cursors.length,
      lag_messages: cursors.reduce((sum, { lag }) => sum + lag, 0),
      partitions_dropped_total: this.#counted.dropped,
      rebalances_total: this.#counted.rebalanced,
      deleted_unread_messages_total: this.#counted.lost,
    };
  }

  /** A partition that could get on and does not is worse than a process that ends and is started again. */
  #watch(): void {
    const stuckMs = this.#options.stuckMs ?? KAFKA_DEFAULTS.stuckMs;
    for (const reader of this.#readers.values()) {
      const cursor = reader.stuck(stuckMs);
      if (cursor === undefined) continue;
      const { topic, partition, position, end } = cursor;
      const message = `reading of ${topic}/${partition} has stood still for ${stuckMs} ms at ${position} of ${end}`;
      this.#broken.resolve(new Fault("bus.stuck", message, { fields: { topic, partition, position, end } }));
    }
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new Fault("bus.closed", "the bus is closed");
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    clearInterval(this.#watching);
    await Promise.all([...this.#readers.keys()].map((reader) => reader.close()));
    await this.#publisher.drained();
    await this.#wire.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Every topic the bus uses, `state` among them. */
export function topicsOf({ topics = ALL_TOPICS }: Pick<KafkaBusOptions, "topics">) {
  return topics.some(({ name }) => name === TOPICS.state.name) ? topics : [...topics, TOPICS.state];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
