/**
 * Publishing: what callers hand over meanwhile goes out with the next request, in the order in which it came.
 *
 * A publish is done, or refused, by its deadline. After a write whose outcome nobody knows a new producer is opened.
 */
import { Fault } from "@culprit/model";
import { Producer } from "./kafka-producer.ts";
import type { SizedRecord } from "./kafka-record.ts";
import { isKind, type Wire } from "./kafka-wire.ts";

const ROUND_MAX_BYTES = 4 * 1024 * 1024;

export interface PublisherOptions {
  readonly wire: Wire;
  /** From a publish to its answer, at most. */
  readonly timeoutMs: number;
  /** What may wait before `bus.busy`. */
  readonly pendingMaxBytes: number;
}

interface Waiting {
  readonly records: readonly SizedRecord[];
  readonly bytes: number;
  readonly deadline: number;
  readonly done: PromiseWithResolvers<void>;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #waiting: Waiting[] = [];
  #pendingBytes = 0;
  #producer: Producer | undefined;
  #sending: Promise<void> | undefined;
  #published = 0;
  #failures = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get stats(): Readonly<Record<string, number>> {
    return {
      pending_bytes: this.#pendingBytes,
      published_messages_total: this.#published,
      publish_failures_total: this.#failures,
    };
  }

  /** Errors: `bus.busy`, `bus.unavailable`, `bus.too-large`. */
  async publish(records: readonly SizedRecord[]): Promise<void> {
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.pendingMaxBytes) {
      const fields = { pending: this.#pendingBytes, most: this.#options.pendingMaxBytes };
      throw new Fault("bus.busy", "too much waits for the brokers", { retriable: true, fields });
    }
    this.#pendingBytes += bytes;
    const deadline = performance.now() + this.#options.timeoutMs;
    const waiting: Waiting = { records, bytes, deadline, done: Promise.withResolvers() };
    this.#waiting.push(waiting);
    this.#sending ??= this.#sendAll();
    const timer = setTimeout(() => this.#giveUp(waiting), this.#options.timeoutMs);
    try {
      await waiting.done.promise;
    } finally {
      clearTimeout(timer);
      this.#pendingBytes -= bytes;
    }
  }

  /** What was not sent yet is not sent any more; what was sent may be stored or not. */
  #giveUp(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place !== -1) this.#waiting.splice(place, 1);
    const message = `no broker has stored it within ${this.#options.timeoutMs} ms`;
    waiting.done.reject(new Fault("bus.unavailable", message, { retriable: true }));
  }

  /** Resolves once nothing waits any more. */
  async drained(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    // Whoever publishes in the same turn goes out together.
    await Promise.resolve();
    for (let round = this.#nextRound(); round.length > 0; round = this.#nextRound()) await this.#send(round);
    this.#sending = undefined;
  }

  #nextRound(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > ROUND_MAX_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(round: readonly Waiting[]): Promise<void> {
    const deadline = Math.min(...round.map((waiting) => waiting.deadline));
    const records = round.flatMap((waiting) => waiting.records);
    try {
      this.#producer ??= await Producer.open(this.#options.wire, { transactionTimeoutMs: 60_000, deadline });
      await this.#producer.send(records, deadline);
      this.#published += records.length;
      for (const { done } of round) done.resolve();
    } catch (error) {
      this.#producer = undefined;
      this.#failures += 1;
      for (const { done } of round) done.reject(publishFault(error));
    }
  }
}

/** What a failed write means to whoever asked for it. */
export function publishFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (isKind(error, "MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE")) {
    return new Fault("bus.too-large", `the broker takes no message so large: ${text}`, { cause: error });
  }
  return new Fault("bus.unavailable", `the brokers did not store it: ${text}`, { retriable: true, cause: error });
}
