/** Who sends what, how much, how late, and since when not any more. Bounded; at the limit who was silent longest is forgotten. */
import type { EpochMs } from "@culprit/model";
import type { Clock, Metrics } from "@culprit/runtime";

/**
 * Senders remembered.
 * @internal
 */
export const SOURCES_MAX = 10_000;
/** Computers told apart behind one sender; more are not counted. */
const HOSTS_PER_SOURCE_MAX = 500;
const LATENESS_BUCKETS_SECONDS = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];

/** A sender: one receiver, one address, and the credentials it came with. */
interface SourceKey {
  readonly receiver: string;
  readonly remote: string;
  /** Name of its token, or of its client certificate. */
  readonly token?: string;
}

export interface SourceView extends SourceKey {
  readonly transport: string;
  /** What it says it is. */
  readonly agent?: string;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  /** Since it was last heard. */
  readonly silentMs: number;
  /** Whether that is longer than `silentAfterMs`. */
  readonly isSilent: boolean;
  readonly deliveries: number;
  readonly events: number;
  readonly duplicates: number;
  readonly notSelected: number;
  readonly deadLetters: number;
  /** Records that were lost here, after they had come. */
  readonly dropped: number;
  /** Events by the format they were read as, the most frequent first; those that were sent again count too. */
  readonly formats: readonly { readonly format: string; readonly events: number }[];
  /** Different computers in its records; stops counting at 500. */
  readonly hosts: number;
  /** The newest record's own time, and how old the newest record of a delivery was when it came: the last one, the worst one. */
  readonly newestAt?: EpochMs;
  readonly lateMs?: number;
  readonly worstLateMs?: number;
}

/** What one delivery brought. */
export interface Delivery {
  readonly receiver: string;
  readonly source: Readonly<Record<string, string>>;
  readonly events: number;
  readonly duplicates: number;
  readonly notSelected: number;
  readonly deadLetters: number;
  readonly dropped?: number;
  readonly formats: ReadonlyMap<string, number>;
  readonly hosts: Iterable<string>;
  readonly newestAt?: EpochMs;
}

interface Held {
  readonly key: SourceKey;
  transport: string;
  agent: string | undefined;
  readonly firstAt: EpochMs;
  lastAt: EpochMs;
  /** On the clock that only goes forward. */
  heardAt: number;
  deliveries: number;
  events: number;
  duplicates: number;
  notSelected: number;
  deadLetters: number;
  dropped: number;
  readonly formats: Map<string, number>;
  readonly hosts: Set<string>;
  newestAt: EpochMs | undefined;
  lateMs: number | undefined;
  worstLateMs: number | undefined;
}

export interface SourcesOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly silentAfterMs: number;
  /** Told of each delivery. */
  readonly onDelivery?: (delivery: Delivery) => void;
}

export class Sources {
  readonly #options: SourcesOptions;
  /** Who was heard last stands last. */
  readonly #held = new Map<string, Held>();
  readonly #late: ReturnType<Metrics["histogram"]>;
  #forgotten = 0;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#late = options.metrics.histogram(
      "ingest_records_lateness_seconds",
      "Age of the newest record of a delivery when it came",
      LATENESS_BUCKETS_SECONDS,
      ["receiver"],
    );
    options.metrics.observe("ingest_sources", "Senders: known, silent, forgotten at the limit", () => ({
      known: this.#held.size,
      silent: [...this.#held.values()].filter((held) => this.#isSilent(held)).length,
      forgotten_total: this.#forgotten,
    }));
  }

  note(delivery: Delivery): void {
    const { clock, onDelivery } = this.#options;
    onDelivery?.(delivery);
    const held = this.#of(delivery);
    held.lastAt = clock.now();
    held.heardAt = clock.elapsed();
    held.agent = delivery.source["agent"] ?? held.agent;
    held.transport = delivery.source["transport"] ?? held.transport;
    held.deliveries += 1;
    held.events += delivery.events;
    held.duplicates += delivery.duplicates;
    held.notSelected += delivery.notSelected;
    held.deadLetters += delivery.deadLetters;
    held.dropped += delivery.dropped ?? 0;
    for (const [format, count] of delivery.formats) held.formats.set(format, (held.formats.get(format) ?? 0) + count);
    for (const host of delivery.hosts) if (held.hosts.size < HOSTS_PER_SOURCE_MAX) held.hosts.add(host);
    if (delivery.newestAt !== undefined) this.#noteLateness(held, delivery.newestAt);
  }

  /** Every sender, the one heard last first. */
  view(): readonly SourceView[] {
    return [...this.#held.values()].reverse().map((held) => this.#viewOf(held));
  }

  #noteLateness(held: Held, newestAt: EpochMs): void {
    // A sender whose clock runs ahead is not early: it is on time.
    const lateMs = Math.max(0, held.lastAt - newestAt);
    held.lateMs = lateMs;
    held.worstLateMs = Math.max(held.worstLateMs ?? 0, lateMs);
    held.newestAt = Math.max(held.newestAt ?? newestAt, newestAt);
    this.#late.observe(lateMs / 1_000, { receiver: held.key.receiver });
  }

  #of({ receiver, source }: Delivery): Held {
    const { remote = "", token } = source;
    const id = JSON.stringify([receiver, remote, token]);
    const held = this.#held.get(id) ?? this.#fresh({ receiver, remote, ...(token === undefined ? {} : { token }) });
    this.#held.delete(id);
    this.#held.set(id, held);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= SOURCES_MAX) break;
      this.#held.delete(oldest);
      this.#forgotten += 1;
    }
    return held;
  }

  #fresh(key: SourceKey): Held {
    const now = this.#options.clock.now();
    return {
      key,
      transport: "",
      agent: undefined,
      firstAt: now,
      lastAt: now,
      heardAt: this.#options.clock.elapsed(),
      deliveries: 0,
      events: 0,
      duplicates: 0,
      notSelected: 0,
      deadLetters: 0,
      dropped: 0,
      formats: new Map(),
      hosts: new Set(),
      newestAt: undefined,
      lateMs: undefined,
      worstLateMs: undefined,
    };
  }

  #isSilent(held: Held): boolean {
    return this.#options.clock.elapsed() - held.heardAt > this.#options.silentAfterMs;
  }

  #viewOf(held: Held): SourceView {
    const { key, agent, newestAt, lateMs, worstLateMs, heardAt, hosts, formats, ...counted } = held;
    return {
      ...key,
      ...counted,
      silentMs: this.#options.clock.elapsed() - heardAt,
      isSilent: this.#isSilent(held),
      hosts: hosts.size,
      formats: [...formats].map(([format, events]) => ({ format, events })).sort((a, b) => b.events - a.events),
      ...(agent === undefined ? {} : { agent }),
      ...(newestAt === undefined ? {} : { newestAt }),
      ...(lateMs === undefined ? {} : { lateMs }),
      ...(worstLateMs === undefined ? {} : { worstLateMs }),
    };
  }
}
