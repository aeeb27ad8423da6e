/** The one place where things are tried again: bounded, with jitter, and only what a `Fault` calls retriable. */
import { Fault } from "@culprit/model";
import type { Clock } from "./clock.ts";

export const RETRY_COUNT_MAX = 5;
export const RETRY_BASE_MS = 50;
export const RETRY_MAX_MS = 5_000;

export interface RetryOptions {
  readonly clock: Clock;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often to try again after the first time; `Infinity` until the signal is aborted. */
  readonly retryCountMax?: number;
  readonly baseMs?: number;
  readonly maxMs?: number;
  readonly signal?: AbortSignal;
  /** Told before each pause. */
  readonly onRetry?: (fault: Fault, attempt: number, pauseMs: number) => void;
}

/**
 * Does the work, and does it again while it throws retriable faults.
 * Units: the n-th pause is random up to `min(maxMs, baseMs * 2^n)`, at least half of that, so that many who fail together
 * do not come back together.
 * Errors: the last fault when tries are used up or the signal is aborted; any other error at once.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, retryCountMax = RETRY_COUNT_MAX } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof Fault) || !error.retriable || attempt >= retryCountMax) throw error;
      const pauseMs = pauseOf(attempt, random(), options);
      options.onRetry?.(error, attempt, pauseMs);
      if (!(await clock.sleep(pauseMs, signal))) throw error;
    }
  }
}

function pauseOf(
  attempt: number,
  random: number,
  { baseMs = RETRY_BASE_MS, maxMs = RETRY_MAX_MS }: RetryOptions,
): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.5 + random / 2));
}
