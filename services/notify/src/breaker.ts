/**
 * Stops asking a target that does not answer: after several failures in a row nothing is sent for a while, then one message
 * tries whether it is back. Each vain try doubles the pause. It goes by the caller's clock, so that tests set it, and
 * knows pauses that the target itself asks for (Retry-After).
 *
 *     closed ──failures──► open until t ──t──► one try ──ok──► closed
 *                               ▲                  └──failed──┘
 */
import { type EpochMs, MINUTE_MS, SECOND_MS } from "@culprit/model";

const FAILURES_MAX = 5;
const PAUSE_MIN_MS = 30 * SECOND_MS;
const PAUSE_MAX_MS = 5 * MINUTE_MS;

export class Breaker {
  #failures = 0;
  #pausedUntil: EpochMs = 0;

  /** Milliseconds until something may be sent; 0 for now. */
  waitMs(now: EpochMs): number {
    return Math.max(0, this.#pausedUntil - now);
  }

  /** Whether the target counts as down. */
  get isOpen(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pausedUntil = 0;
  }

  failed(now: EpochMs): void {
    this.#failures += 1;
    if (!this.isOpen) return;
    const vain = Math.min(this.#failures - FAILURES_MAX, 30);
    this.pauseUntil(now + Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** vain));
  }

  /** Sends nothing before `at`; a later end that is already set stays. */
  pauseUntil(at: EpochMs): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, at);
  }
}
