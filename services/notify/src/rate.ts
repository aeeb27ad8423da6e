/** A token bucket on a clock of the caller: so many messages at once, so many a minute after that. */
import { type EpochMs, MINUTE_MS } from "@culprit/model";

export interface RateOptions {
  readonly perMinute: number;
  readonly burst: number;
}

export class Rate {
  readonly #options: RateOptions;
  #tokens: number;
  #at: EpochMs;

  constructor(options: RateOptions, now: EpochMs) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#at = now;
  }

  /** Milliseconds until a message may be sent; 0 for now. */
  waitMs(now: EpochMs): number {
    this.#fill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * MINUTE_MS) / this.#options.perMinute);
  }

  take(now: EpochMs): void {
    this.#fill(now);
    this.#tokens -= 1;
  }

  #fill(now: EpochMs): void {
    // A clock that steps back gives no tokens and takes none.
    const passed = Math.max(0, now - this.#at);
    this.#at = Math.max(this.#at, now);
    this.#tokens = Math.min(this.#options.burst, this.#tokens + (passed * this.#options.perMinute) / MINUTE_MS);
  }
}
