/**
 * Signals that can be sent again: what is learned late about a machine changes where they belong and whom they name. The
 * oldest go first. Changes are told to whoever stores them.
 */
import { domainOf, type EpochMs, HOUR_MS, type Signal } from "@culprit/model";

/** Signals remembered for sending again; the oldest go first and are counted. */
const RECENT_MAX = 20_000;
const RECENT_MS = 26 * HOUR_MS;

/** A signal that can be sent again, with the keys it went to. */
export interface Remembered {
  readonly signal: Signal;
  readonly keys: readonly string[];
}

export interface RememberedChanges {
  readonly added: readonly Remembered[];
  /** Signal ids. */
  readonly removed: readonly string[];
}

export class RecentSignals {
  readonly counters = { recentDropped: 0 };
  readonly #held = new Map<string, Remembered>();
  /** Short name -> ids of the signals that call a machine so, and not by its full name. */
  readonly #byShortName = new Map<string, Set<string>>();
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();

  constructor(stored: Iterable<Remembered>) {
    for (const held of stored) this.#insert(held);
  }

  get(id: string): Remembered | undefined {
    return this.#held.get(id);
  }

  /** Remembers a signal beside the keys it goes to; those it went to before stay. */
  remember(signal: Signal, keys: readonly string[]): void {
    const before = this.#held.get(signal.id)?.keys ?? [];
    this.#insert({ signal, keys: [...new Set([...before, ...keys])] });
    this.#added.add(signal.id);
    this.#removed.delete(signal.id);
    if (this.#held.size <= RECENT_MAX) return;
    const oldest = this.#held.keys().next().value;
    if (oldest !== undefined) this.#forget(oldest);
    this.counters.recentDropped += 1;
  }

  /** Forgets those that came too long before a moment of arrival. */
  forgetBefore(now: EpochMs): void {
    for (const [id, { signal }] of this.#held) {
      if (signal.receivedAt >= now - RECENT_MS) return;
      this.#forget(id);
    }
  }

  all(): readonly Remembered[] {
    return [...this.#held.values()];
  }

  /** Those that call a machine by this short name. */
  naming(shortName: string): readonly Remembered[] {
    return [...(this.#byShortName.get(shortName) ?? [])].flatMap((id) => this.#held.get(id) ?? []);
  }

  /** What is remembered that was not at the last call, and what no longer. */
  changes(): RememberedChanges {
    const changes = {
      added: [...this.#added].flatMap((id) => this.#held.get(id) ?? []),
      removed: [...this.#removed],
    };
    this.#added.clear();
    this.#removed.clear();
    return changes;
  }

  #insert(held: Remembered): void {
    this.#held.set(held.signal.id, held);
    for (const name of shortNamesIn(held.signal)) {
      const ids = this.#byShortName.get(name) ?? new Set<string>();
      this.#byShortName.set(name, ids.add(held.signal.id));
    }
  }

  #forget(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    for (const name of shortNamesIn(held.signal)) {
      const ids = this.#byShortName.get(name);
      ids?.delete(id);
      if (ids?.size === 0) this.#byShortName.delete(name);
    }
    if (!this.#added.delete(id)) this.#removed.add(id);
  }
}

/** The short names under which a signal was told of machines, whether their full names are known by now or not. */
function shortNamesIn({ host, said }: Signal): readonly string[] {
  return [host, ...(said ?? [])].filter((name) => domainOf(name) === undefined);
}
