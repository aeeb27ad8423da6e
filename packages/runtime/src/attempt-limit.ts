/** How often somebody may be wrong in a minute, by address or name: for tokens, passwords, links. */
import type { Clock } from "./clock.ts";

const WINDOW_MS = 60_000;
const NAMES_MAX = 10_000;

/** At `NAMES_MAX` the one that began first is forgotten. */
export class AttemptLimit {
  readonly #perMinuteMax: number;
  readonly #clock: Clock;
  readonly #attempts = new Map<string, { count: number; since: number }>();

  constructor(perMinuteMax: number, clock: Clock) {
    this.#perMinuteMax = perMinuteMax;
    this.#clock = clock;
  }

  /** Seconds until a name may try again; 0 where it may now. */
  waitSeconds(name: string): number {
    const held = this.#attempts.get(name);
    if (held === undefined) return 0;
    const left = held.since + WINDOW_MS - this.#clock.elapsed();
    return held.count < this.#perMinuteMax || left <= 0 ? 0 : Math.ceil(left / 1_000);
  }

  wrong(name: string): void {
    const now = this.#clock.elapsed();
    const held = this.#attempts.get(name);
    if (held !== undefined && now - held.since < WINDOW_MS) {
      held.count += 1;
      return;
    }
    this.#attempts.delete(name);
    this.#attempts.set(name, { count: 1, since: now });
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= NAMES_MAX) break;
      this.#attempts.delete(oldest);
    }
  }
}
