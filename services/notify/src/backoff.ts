/** How long to wait before the next try. Pure: the random number is an argument. */
import { MINUTE_MS, SECOND_MS } from "@culprit/model";

const BACKOFF_BASE_MS = 2 * SECOND_MS;
const BACKOFF_MAX_MS = 15 * MINUTE_MS;
/** What is added to a Retry-After at most, so that many waiters do not return in the same instant. */
const RETRY_AFTER_JITTER_MS = SECOND_MS;

/**
 * Exponential with full jitter, or what the target asked for plus up to a second.
 * Units: `attempt` counts from 1; `random` is in [0, 1).
 */
export function backoffMs(attempt: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs + Math.floor(random * RETRY_AFTER_JITTER_MS);
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt - 1, 30));
  return Math.max(100, Math.floor(ceiling * random));
}
