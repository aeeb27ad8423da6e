/**
 * Health of the feed: which hosts have fallen silent, which logs lost records or began anew, whose clock is off. In goes what
 * arrived, wanted or not; out come findings, when the feed has been heard for long enough to be sure.
 *
 * Time here is that during which the feed was heard (`heardMs`): it moves with arrivals, at most `STEP_MAX_MS` from one to
 * the next. Where inputs are files, each is a feed of its own, so that the end of one is no silence in another.
 */
import { type Coverage, DAY_MS, type EpochMs, type HostId, MINUTE_MS } from "@culprit/model";
import { clockFinding, type FeedFinding, heardAgainFinding, idFinding, silentFinding } from "./feed-event.ts";
import { clockOffset, type HostClock, judgeClock, noteAge, steadyAge } from "./host-clock.ts";
import { type IdRun, isWaiting, type LogIds, noteIds, settleIds, startLog } from "./record-ids.ts";
import { fallenSilent, noteRecord, type Rhythm, SILENT_AFTER_MIN_MS, startRhythm } from "./rhythm.ts";

const STEP_MAX_MS = 10 * MINUTE_MS;
/** How often is looked for what has waited long enough. */
const LOOK_EVERY_MS = MINUTE_MS;
/** How often what is known of a host is stored while nothing remarkable happens. */
const STORE_EVERY_MS = MINUTE_MS;
/** Hosts watched; at the limit a new one is not, and its records are counted. */
const FEED_HOSTS_MAX = 200_000;
const LOGS_PER_HOST_MAX = 64;
/** A host that is not heard for so long is forgotten. */
const FORGET_MS = 14 * DAY_MS;

/** What arrived, in one piece. */
export interface Heard {
  readonly coverage: Coverage;
  /** When it reached us. */
  readonly heardAt: EpochMs;
  /** How old it was then, where that says something about the host's clock; negative from the future. */
  readonly ageMs?: number;
  /** The file it stood in; one and the same for all that is received. */
  readonly feed?: string;
}

interface HostHealth {
  readonly host: HostId;
  readonly rhythm: Rhythm;
  /** Channel, lower case -> its name and ids. */
  readonly logs: Map<string, { readonly channel: string; ids: LogIds; isResumed?: true }>;
  clock?: HostClock;
  storedMs: number;
}

interface Feed {
  heardMs: number;
  newestAt: EpochMs;
  nextLookMs: number;
  /** Who was heard last stands last. */
  readonly hosts: Map<HostId, HostHealth>;
  readonly waiting: Set<HostHealth>;
}

/** What is known of one host, as it is stored. */
export interface StoredHostHealth {
  readonly host: HostId;
  readonly rhythm: Rhythm;
  readonly logs: readonly { readonly channel: string; readonly ids: LogIds }[];
  readonly clock?: HostClock;
  /** How long the feed had been heard, and until when, as this was stored. */
  readonly heardMs: number;
  readonly newestAt: EpochMs;
}

export interface HealthChanges {
  readonly stored: readonly StoredHostHealth[];
  readonly removed: readonly HostId[];
}

export class FeedHealth {
  readonly #feeds = new Map<string, Feed>();
  readonly #changed = new Set<HostHealth>();
  readonly #removed = new Set<HostId>();
  #hosts = 0;
  #untracked = 0;

  /** Pieces that came of hosts and logs beyond the limits. */
  get untracked(): number {
    return this.#untracked;
  }

  /** Goes on where an earlier owner of the same partition stood, as far as that was stored. */
  restore(stored: Iterable<StoredHostHealth>): void {
    const feed = this.#feed("");
    const inOrder = [...stored].sort((a, b) => a.rhythm.lastMs - b.rhythm.lastMs || (a.host < b.host ? -1 : 1));
    for (const { host, rhythm, logs, clock, heardMs, newestAt } of inOrder) {
      feed.heardMs = Math.max(feed.heardMs, heardMs);
      feed.newestAt = Math.max(feed.newestAt, newestAt);
      feed.hosts.set(host, {
        host,
        rhythm: { ...rhythm },
        logs: new Map(
          logs.map(({ channel, ids }) => [
            channel.toLowerCase(),
            { channel, ids: { ...ids, islands: [], holes: [...ids.holes] }, isResumed: true },
          ]),
        ),
        ...(clock === undefined ? {} : { clock: { ...clock } }),
        storedMs: heardMs,
      });
      this.#hosts += 1;
    }
    feed.nextLookMs = feed.heardMs + LOOK_EVERY_MS;
  }

  /** Takes what arrived; answers what it shows at once: that a silent host is heard again. */
  note({ coverage, heardAt, ageMs, feed: name = "" }: Heard): readonly FeedFinding[] {
    const feed = this.#feed(name);
    if (heardAt > feed.newestAt) {
      if (Number.isFinite(feed.newestAt)) feed.heardMs += Math.min(heardAt - feed.newestAt, STEP_MAX_MS);
      feed.newestAt = heardAt;
    }
    const host = this.#host(feed, coverage);
    if (host === undefined) return [];
    const again = noteRecord(host.rhythm, coverage.to, feed.heardMs);
    this.#noteIds(feed, host, coverage);
    if (ageMs !== undefined) host.clock = noteAge(host.clock, ageMs, feed.heardMs);
    if (again !== undefined || feed.heardMs - host.storedMs >= STORE_EVERY_MS) this.#changed.add(host);
    return again === undefined ? [] : [heardAgainFinding(host.host, again, coverage.from)];
  }

  /** What is certain by now; call now and then, it looks at most once a minute of time heard. */
  look(): readonly FeedFinding[] {
    const found: FeedFinding[] = [];
    for (const feed of this.#feeds.values()) {
      if (feed.heardMs < feed.nextLookMs) continue;
      feed.nextLookMs = feed.heardMs + LOOK_EVERY_MS;
      this.#settle(feed, feed.heardMs, found);
      this.#lookForSilence(feed, found);
      this.#lookAtClocks(feed, found);
    }
    return found;
  }

  /** The input is over: nothing late comes any more, and silence means nothing. */
  finish(): readonly FeedFinding[] {
    const found: FeedFinding[] = [];
    for (const feed of this.#feeds.values()) {
      this.#settle(feed, Number.POSITIVE_INFINITY, found);
      this.#lookAtClocks(feed, found);
    }
    return found;
  }

  /** What has changed since the last call, for whoever stores it. Only what is received is stored, not files. */
  changes(): HealthChanges {
    const feed = this.#feed("");
    const stored = [...this.#changed].map((host): StoredHostHealth => {
      host.storedMs = feed.heardMs;
      return {
        host: host.host,
        rhythm: { ...host.rhythm },
        logs: [...host.logs.values()].map(({ channel, ids }) => ({ channel, ids: structuredClone(ids) })),
        ...(host.clock === undefined ? {} : { clock: { ...host.clock } }),
        heardMs: feed.heardMs,
        newestAt: feed.newestAt,
      };
    });
    const removed = [...this.#removed];
    this.#changed.clear();
    this.#removed.clear();
    return { stored, removed };
  }

  #feed(name: string): Feed {
    const held = this.#feeds.get(name);
    if (held !== undefined) return held;
    const fresh: Feed = {
      heardMs: 0,
      newestAt: Number.NEGATIVE_INFINITY,
      nextLookMs: LOOK_EVERY_MS,
      hosts: new Map(),
      waiting: new Set(),
    };
    this.#feeds.set(name, fresh);
    return fresh;
  }

  #host(feed: Feed, { host, from }: Coverage): HostHealth | undefined {
    let held = feed.hosts.get(host);
    if (held === undefined) {
      if (this.#hosts >= FEED_HOSTS_MAX) {
        this.#untracked += 1;
        return undefined;
      }
      this.#hosts += 1;
      held = { host, rhythm: startRhythm(from, feed.heardMs), logs: new Map(), storedMs: Number.NEGATIVE_INFINITY };
    } else feed.hosts.delete(host);
    feed.hosts.set(host, held);
    return held;
  }

  #noteIds(feed: Feed, host: HostHealth, coverage: Coverage): void {
    const { channel, firstRecordId: first, lastRecordId: last, from, to, count } = coverage;
    if (first === undefined || last === undefined) return;
    const run: IdRun = { first, last, from, to, isWhole: count > last - first, heardMs: feed.heardMs };
    const name = channel.toLowerCase();
    const log = host.logs.get(name);
    if (log === undefined) {
      if (host.logs.size < LOGS_PER_HOST_MAX) host.logs.set(name, { channel, ids: startLog(run) });
      else this.#untracked += 1;
      return;
    }
    // What came between the last time it was stored and the restart is not known: the next record goes on from there.
    if (log.isResumed && run.first > log.ids.top) {
      log.ids.top = run.first - 1;
      delete log.isResumed;
    }
    noteIds(log.ids, run);
    if (isWaiting(log.ids)) feed.waiting.add(host);
  }

  #settle(feed: Feed, heardMs: number, found: FeedFinding[]): void {
    for (const host of feed.waiting) {
      let isStillWaiting = false;
      for (const { channel, ids } of host.logs.values()) {
        for (const finding of settleIds(ids, heardMs)) found.push(idFinding(host.host, channel, finding));
        isStillWaiting ||= isWaiting(ids);
      }
      if (!isStillWaiting) feed.waiting.delete(host);
    }
  }

  #lookForSilence(feed: Feed, found: FeedFinding[]): void {
    for (const host of feed.hosts.values()) {
      const silentMs = feed.heardMs - host.rhythm.lastMs;
      if (silentMs < SILENT_AFTER_MIN_MS) return;
      if (silentMs > FORGET_MS) this.#forget(feed, host);
      const silence = fallenSilent(host.rhythm, feed.heardMs);
      if (silence === undefined) continue;
      found.push(silentFinding(host.host, silence));
      this.#changed.add(host);
    }
  }

  #forget(feed: Feed, host: HostHealth): void {
    feed.hosts.delete(host.host);
    feed.waiting.delete(host);
    this.#changed.delete(host);
    this.#removed.add(host.host);
    this.#hosts -= 1;
  }

  #lookAtClocks(feed: Feed, found: FeedFinding[]): void {
    const steady = [...feed.hosts.values()].flatMap((host) => {
      const ageMs = host.clock === undefined ? undefined : steadyAge(host.clock);
      return ageMs === undefined || host.clock === undefined ? [] : [{ host, clock: host.clock, ageMs }];
    });
    const ages = steady.map(({ ageMs }) => ageMs).sort((a, b) => a - b);
    for (const { host, clock, ageMs } of steady) {
      const offsetMs = clockOffset(ageMs, ages);
      const kind = offsetMs === undefined ? undefined : judgeClock(clock, offsetMs);
      if (offsetMs === undefined || kind === undefined) continue;
      found.push(clockFinding(host.host, kind, { offsetMs, at: host.rhythm.lastAt }));
      this.#changed.add(host);
    }
  }
}
