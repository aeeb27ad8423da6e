/**
 * The bus on one machine: a log in a SQLite file (or in memory), worked by a thread of its own. One process owns a data
 * directory at a time; everything that reads or writes the log goes through its bus.
 */
import { join } from "node:path";
import { ALL_TOPICS, type EpochMs, Fault, TOPICS, type TopicSpec } from "@culprit/model";
import type {
  Assignment,
  Bus,
  Commit,
  ConsumeOptions,
  Follower,
  FollowOptions,
  Outgoing,
  Progress,
  Reader,
} from "./bus.ts";
import { EmbeddedClient } from "./embedded-client.ts";
import { MEMORY_PATH } from "./embedded-file.ts";
import { Group, type GroupHost } from "./embedded-group.ts";
import type { Entry, StoredPosition, StreamSpec } from "./embedded-protocol.ts";
import { BATCH_MESSAGES_MAX, readStream, Wakeup } from "./embedded-reading.ts";
import { decodeMessages, encodeMessages } from "./frame.ts";
import { partitionOf } from "./partition.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const SIZE_MAX_BYTES = 64 * GIB;
const RESERVE_BYTES = 64 * MIB;
const PENDING_MAX_BYTES = 64 * MIB;
const RETAIN_EVERY_MS = 60_000;
/** What one stored body holds at most: a reader takes whole bodies, and damage costs one. */
const ROW_MESSAGES_MAX = 1_000;

export interface EmbeddedBusOptions {
  /** Where the log lives; without one it is in memory and ends with the bus (tests, demos). */
  readonly directory?: string;
  /** The topics to keep; all of Culprit's unless told. `state` is always among them. */
  readonly topics?: readonly TopicSpec[];
  /** Partitions of a topic; one unless told. */
  readonly partitions?: (topic: string) => number;
  /** The clock that stamps messages and that retention goes by. */
  readonly now?: () => EpochMs;
  readonly sizeMaxBytes?: number;
  /** Kept free for commits: publishing to topics kept by time is refused before the last of the space is used. */
  readonly reserveBytes?: number;
  /** What may wait for the disk before `publish` answers `bus.busy`. */
  readonly pendingMaxBytes?: number;
  readonly retainEveryMs?: number;
}

/** The embedded log, with what only it can do. */
export interface EmbeddedBus extends Bus {
  /** Deletes what is too old and read; happens by itself every `retainEveryMs`. */
  retain(): Promise<{ readonly deletedBatches: number; readonly heldBatches: number }>;
  /** Lets a group that will not come back no longer hold messages. */
  forgetGroup(group: string, topic: string): Promise<void>;
}

/**
 * Opens the embedded log.
 * Errors: `bus.owned` naming the process that has the directory, `bus.newer-data`, `bus.damaged`, `bus.partitions-changed`.
 */
export async function openEmbeddedBus(options: EmbeddedBusOptions = {}): Promise<EmbeddedBus> {
  const topics = [...(options.topics ?? ALL_TOPICS)];
  if (!topics.some(({ name }) => name === TOPICS.state.name)) topics.push(TOPICS.state);
  const partitions = options.partitions ?? (() => 1);
  const { client, streams } = await EmbeddedClient.start(
    {
      path: options.directory === undefined ? MEMORY_PATH : join(options.directory, "culprit.db"),
      streams: topics.flatMap((topic) =>
        streamsOf(topic, topic.name === TOPICS.state.name ? 1 : partitions(topic.name)),
      ),
      sizeMaxBytes: options.sizeMaxBytes ?? SIZE_MAX_BYTES,
      reserveBytes: options.reserveBytes ?? RESERVE_BYTES,
    },
    options.pendingMaxBytes ?? PENDING_MAX_BYTES,
  );
  return new EmbeddedLog(client, streams, options);
}

function streamsOf({ name, retention }: TopicSpec, partitions: number): readonly Omit<StreamSpec, "id">[] {
  const retentionMs = retention.kind === "time" ? retention.retentionMs : undefined;
  return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, retentionMs }));
}

class EmbeddedLog implements EmbeddedBus, GroupHost {
  readonly client: EmbeddedClient;
  readonly wakeup = new Wakeup();
  readonly broken: Promise<Fault>;
  readonly #now: () => EpochMs;
  readonly #streams = new Map<string, StreamSpec[]>();
  readonly #groups = new Map<string, Group>();
  readonly #readers = new Set<Reader>();
  readonly #retaining: NodeJS.Timeout;
  #closing: Promise<void> | undefined;

  constructor(client: EmbeddedClient, streams: readonly StreamSpec[], options: EmbeddedBusOptions) {
    this.client = client;
    this.broken = client.broken;
    this.#now = options.now ?? Date.now;
    for (const stream of streams) {
      const known = this.#streams.get(stream.topic) ?? [];
      known[stream.partition] = stream;
      this.#streams.set(stream.topic, known);
    }
    // A failure to delete is no failure to store: the next round tries again, and a broken log says so by `broken`.
    this.#retaining = setInterval(() => void this.retain().catch(() => {}), options.retainEveryMs ?? RETAIN_EVERY_MS);
    this.#retaining.unref();
  }

  now(): EpochMs {
    return this.#now();
  }

  streamsOf(topic: string): readonly StreamSpec[] {
    const streams = this.#streams.get(topic);
    if (streams !== undefined) return streams;
    throw new Fault("bus.unknown-topic", `there is no topic ${topic}`, { fields: { topic } });
  }

  partitionsOf(topic: string): number {
    return this.streamsOf(topic).length;
  }

  async publish(messages: readonly Outgoing[]): Promise<void> {
    this.#refuseClosed();
    if (messages.length === 0) return;
    const bulk = messages.some(({ topic }) => this.streamsOf(topic)[0]?.retentionMs !== undefined);
    const at = this.now();
    const { streams } = await this.client.ask({ kind: "write", entries: this.#entriesOf(messages, at), at, bulk });
    for (const stream of streams) this.wakeup.wake(stream);
  }

  async commit({ outputs = [], changes = [], position }: Commit, of: Omit<StoredPosition, "position">): Promise<void> {
    const state = changes.map(({ key, value }) => ({ topic: TOPICS.state.name, key: stateKey(of, key), value }));
    const at = this.now();
    const entries = this.#entriesOf([...outputs, ...state], at);
    const { streams } = await this.client.ask({
      kind: "write",
      entries,
      at,
      bulk: false,
      position: { ...of, position },
    });
    for (const stream of streams) this.wakeup.wake(stream);
  }

  async restore(of: Omit<StoredPosition, "position">): Promise<Pick<Assignment, "state" | "damaged">> {
    const [stream] = this.streamsOf(TOPICS.state.name);
    if (stream === undefined) throw new Fault("bus.unknown-topic", "there is no topic state");
    const low = stateKey(of, "");
    // The prefix ends in ":", and ";" is the next character: everything between the two starts with the prefix.
    const high = `${low.slice(0, -1)};`;
    const { rows, damagedKeys } = await this.client.ask({
      kind: "scan",
      stream: stream.id,
      low,
      high,
      now: this.now(),
    });
    const state = new Map<string, unknown>();
    for (const { firstOffset, body } of rows) {
      for (const { key, value } of decodeMessages(body, { ...stream, firstOffset }))
        state.set(key.slice(low.length), value);
    }
    return { state, damaged: damagedKeys.map((key) => key.slice(low.length)) };
  }

  /** Bodies of many messages for topics kept by time, of one message for compacted ones, in the order given. */
  #entriesOf(messages: readonly Outgoing[], at: EpochMs): readonly Entry[] {
    const entries: Entry[] = [];
    const batches = new Map<number, Outgoing[]>();
    for (const message of messages) {
      const stream = this.#streamFor(message);
      if (stream.retentionMs === undefined) {
        const body = encodeMessages([message], at);
        entries.push({ stream: stream.id, body, count: 1, key: message.key, removes: message.value === null });
      } else {
        const batch = batches.get(stream.id);
        if (batch === undefined) batches.set(stream.id, [message]);
        else batch.push(message);
      }
    }
    for (const [stream, batch] of batches) {
      for (let start = 0; start < batch.length; start += ROW_MESSAGES_MAX) {
        const row = batch.slice(start, start + ROW_MESSAGES_MAX);
        entries.push({ stream, body: encodeMessages(row, at), count: row.length });
      }
    }
    return entries;
  }

  #streamFor({ topic, key, partition }: Outgoing): StreamSpec {
    const streams = this.streamsOf(topic);
    const stream = streams[partition ?? partitionOf(key, streams.length)];
    if (stream !== undefined) return stream;
    throw new Fault("bus.unknown-topic", `topic ${topic} has no partition ${partition}`, { fields: { topic } });
  }

  async consume(options: ConsumeOptions): Promise<Reader> {
    this.#refuseClosed();
    const name = `${options.group}:${options.topic}`;
    const group = this.#groups.get(name) ?? new Group(this, options.topic);
    this.#groups.set(name, group);
    return this.#track(await group.join(options));
  }

  async follow(options: FollowOptions): Promise<Follower> {
    this.#refuseClosed();
    const stopping = new AbortController();
    const ends = new Map((await this.client.ask({ kind: "ends" })).map(({ stream, end }) => [stream, end]));
    const reading = this.streamsOf(options.topic).map((stream) => {
      const caughtUp = Promise.withResolvers<void>();
      const from = options.positions?.get(stream.partition) ?? 0;
      const target = ends.get(stream.id) ?? 0;
      const reached = (position: number): void => {
        if (position >= target) caughtUp.resolve();
      };
      const ended = readStream({
        client: this.client,
        wakeup: this.wakeup,
        now: () => this.now(),
        stream,
        from,
        batchMessagesMax: options.batchMessagesMax ?? BATCH_MESSAGES_MAX,
        signal: stopping.signal,
        handle: options.handle,
        reached,
      }).finally(() => {
        stopping.abort();
        caughtUp.reject(new Fault("bus.closed", `reading of ${options.topic} ended before it had caught up`));
      });
      return { caughtUp: caughtUp.promise, ended };
    });
    const ended = Promise.all(reading.map((one) => one.ended)).then(() => undefined);
    const caughtUp = Promise.all(reading.map((one) => one.caughtUp)).then(() => undefined);
    // A failure shows in `ended`; whoever does not wait for the start need not hear of it twice.
    caughtUp.catch(() => {});
    const close = async (): Promise<void> => {
      stopping.abort();
      await Promise.allSettled(reading.map((one) => one.ended));
    };
    return { ...this.#track({ ended, close }), caughtUp };
  }

  #track(reader: Reader): Reader {
    this.#readers.add(reader);
    const forget = (): unknown => this.#readers.delete(reader);
    reader.ended.then(forget, forget);
    return reader;
  }

  async progress(group: string, topic: string): Promise<readonly Progress[]> {
    const streams = this.streamsOf(topic);
    const [ends, positions] = await Promise.all([
      this.client.ask({ kind: "ends" }),
      this.client.ask({ kind: "positions", group, topic }),
    ]);
    return streams.map(({ id, partition }) => {
      const { start, end } = ends.find(({ stream }) => stream === id) ?? { start: 0, end: 0 };
      return { partition, position: positions.find((at) => at.partition === partition)?.position ?? start, end };
    });
  }

  stats(): Readonly<Record<string, number>> {
    return this.client.stats;
  }

  retain(): Promise<{ readonly deletedBatches: number; readonly heldBatches: number }> {
    return this.client.ask({ kind: "retain", now: this.now() });
  }

  async forgetGroup(group: string, topic: string): Promise<void> {
    await this.client.ask({ kind: "forget-group", group, topic });
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new Fault("bus.closed", "the embedded log is closed");
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    clearInterval(this.#retaining);
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Group and topic names have no colon: they are ours, and `consume` is never given text from outside. */
function stateKey({ group, topic, partition }: Omit<StoredPosition, "position">, key: string): string {
  return `${group}:${topic}:${partition}:${key}`;
}
