/**
 * What one sender may send: bytes and records a second, each with a store that fills at that rate. A sender may go on while
 * its store is not empty and pays for what it sent afterwards, so that any request passes whole or not at all, however large
 * it is; the debt is waited off before the next one.
 */
import type { Clock, Metrics } from "@culprit/runtime";
import type { IngestToken, Quota } from "./config.ts";

/** Senders whose use is remembered; at the limit the one that was heard longest ago starts with a full store again. */
const SENDERS_MAX = 10_000;

/** Who sends, as its source says it: the name of its token or certificate, else its address. */
export interface Sender {
  readonly remote: string;
  readonly token?: string;
}

export interface Use {
  readonly bytes?: number;
  readonly records?: number;
}

interface Stores {
  readonly quota: Quota;
  bytes: number;
  records: number;
  filledAt: number;
}

export interface QuotasOptions {
  /** Of each sender that has none of its own. */
  readonly quota: Quota | undefined;
  readonly tokens: readonly Pick<IngestToken, "name" | "quota">[];
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class Quotas {
  readonly #quota: Quota | undefined;
  readonly #own: ReadonlyMap<string, Quota>;
  readonly #clock: Clock;
  /** Who was heard last stands last. */
  readonly #stores = new Map<string, Stores>();
  #exceeded = 0;

  constructor({ quota, tokens, clock, metrics }: QuotasOptions) {
    this.#quota = quota;
    this.#own = new Map(tokens.flatMap((token) => (token.quota === undefined ? [] : [[token.name, token.quota]])));
    this.#clock = clock;
    metrics.observe("ingest_quotas", "Times a sender was held back because its quota was used up", () => ({
      exceeded_total: this.#exceeded,
    }));
  }

  /** Milliseconds until a sender may send again; 0 where it may now. */
  waitMs(sender: Sender): number {
    const stores = this.#filled(sender);
    if (stores === undefined) return 0;
    const { bytesPerSecond, recordsPerSecond } = stores.quota;
    const waitMs = Math.max(timeToFill(stores.bytes, bytesPerSecond), timeToFill(stores.records, recordsPerSecond));
    if (waitMs > 0) this.#exceeded += 1;
    return waitMs;
  }

  /** Takes what was sent from the sender's stores; a negative use gives it back. */
  charge(sender: Sender, { bytes = 0, records = 0 }: Use): void {
    const stores = this.#filled(sender);
    if (stores === undefined) return;
    stores.bytes -= bytes;
    stores.records -= records;
  }

  #filled(sender: Sender): Stores | undefined {
    const { token, remote } = sender;
    const quota = (token === undefined ? undefined : this.#own.get(token)) ?? this.#quota;
    if (quota === undefined) return undefined;
    const key = token === undefined ? `address ${remote}` : `token ${token}`;
    const now = this.#clock.elapsed();
    const burst = (rate: number | undefined): number => (rate ?? 0) * quota.burstSeconds;
    const full = { bytes: burst(quota.bytesPerSecond), records: burst(quota.recordsPerSecond) };
    const stores = this.#stores.get(key) ?? { quota, ...full, filledAt: now };
    const seconds = (now - stores.filledAt) / 1_000;
    stores.filledAt = now;
    stores.bytes = Math.min(full.bytes, stores.bytes + seconds * (quota.bytesPerSecond ?? 0));
    stores.records = Math.min(full.records, stores.records + seconds * (quota.recordsPerSecond ?? 0));
    this.#stores.delete(key);
    this.#stores.set(key, stores);
    for (const oldest of this.#stores.keys()) {
      if (this.#stores.size <= SENDERS_MAX) break;
      this.#stores.delete(oldest);
    }
    return stores;
  }
}

function timeToFill(store: number, rate: number | undefined): number {
  return rate === undefined || store > 0 ? 0 : Math.floor((-store / rate) * 1_000) + 1;
}
