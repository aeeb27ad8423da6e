/** The loop that reads one partition of the embedded log: batches in order, sleeping at the end until more is written. */
import type { EpochMs } from "@culprit/model";
import type { Batch, Message } from "./bus.ts";
import type { EmbeddedClient } from "./embedded-client.ts";
import type { StreamSpec } from "./embedded-protocol.ts";
import { decodeMessages } from "./frame.ts";

export const BATCH_MESSAGES_MAX = 1_000;
const READ_MAX_BYTES = 4 * 1024 * 1024;

/** Wakes readers that sleep at the end of a stream. */
export class Wakeup {
  readonly #versions = new Map<number, number>();
  readonly #sleepers = new Map<number, Set<() => void>>();

  versionOf(stream: number): number {
    return this.#versions.get(stream) ?? 0;
  }

  wake(stream: number): void {
    this.#versions.set(stream, this.versionOf(stream) + 1);
    const sleepers = this.#sleepers.get(stream);
    this.#sleepers.delete(stream);
    for (const wake of sleepers ?? []) wake();
  }

  /** Resolves once the stream has been written to after `version` was asked for, or the signal is aborted. */
  async sleep(stream: number, version: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.versionOf(stream) !== version) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleepers = this.#sleepers.get(stream) ?? new Set();
    this.#sleepers.set(stream, sleepers);
    sleepers.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    sleepers.delete(resolve);
  }
}

export interface ReadingOptions {
  readonly client: EmbeddedClient;
  readonly wakeup: Wakeup;
  readonly now: () => number;
  readonly stream: StreamSpec;
  readonly from: number;
  readonly batchMessagesMax: number;
  readonly signal: AbortSignal;
  handle(batch: Batch): Promise<void> | void;
  /** Told whenever everything below a position has been handled, also where the log has a gap and no batch came. */
  reached?(position: number): void;
  /** Told with each look at the log that found its end, once all before it has been handled. */
  atEnd?(end: SeenEnd): void;
}

/** The end of a stream, as it was seen. */
export interface SeenEnd {
  readonly at: EpochMs;
  /** The stream has not been written to since while `Wakeup` still tells the same. */
  readonly version: number;
}

/** Reads until the signal is aborted; a batch in work is finished first. Errors: what `handle` or the log threw. */
export async function readStream(options: ReadingOptions): Promise<void> {
  const { client, wakeup, stream, signal, batchMessagesMax } = options;
  let position = options.from;
  while (!signal.aborted) {
    const seen = { at: options.now(), version: wakeup.versionOf(stream.id) };
    const { rows, next, end } = await client.ask({
      kind: "read",
      stream: stream.id,
      from: position,
      messagesMax: batchMessagesMax,
      bytesMax: READ_MAX_BYTES,
      now: seen.at,
    });
    const messages = rows.flatMap(({ firstOffset, body }) => decodeMessages(body, { ...stream, firstOffset }));
    const wanted = messages.filter(({ offset }) => offset >= position);
    for (let start = 0; start < wanted.length; start += batchMessagesMax) {
      if (signal.aborted) return;
      const slice = wanted.slice(start, start + batchMessagesMax);
      const following = wanted[start + batchMessagesMax];
      await options.handle(batchOf(stream, slice, { next: following?.offset ?? next, end }));
    }
    position = Math.max(position, next);
    options.reached?.(position);
    if (position < end) continue;
    options.atEnd?.(seen);
    await wakeup.sleep(stream.id, seen.version, signal);
  }
}

function batchOf(stream: StreamSpec, messages: readonly Message[], at: { next: number; end: number }): Batch {
  return { topic: stream.topic, partition: stream.partition, messages, next: at.next, end: at.end };
}
