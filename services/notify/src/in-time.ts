/** A deadline by the clock that is passed in, so that tests set it. */
import type { Clock } from "@culprit/runtime";

/**
 * What comes of work before its time is up, else `otherwise`; work that ignores its signal holds nobody up.
 * Errors: those of the work while it is waited for.
 */
export async function inTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly otherwise: T },
): Promise<T> {
  const { clock, timeoutMs, otherwise } = options;
  const deadline = new AbortController();
  const done = new AbortController();
  const late = clock.sleep(timeoutMs, done.signal).then((isUp) => {
    if (isUp) deadline.abort();
    return otherwise;
  });
  try {
    return await Promise.race([work(deadline.signal), late]);
  } finally {
    done.abort();
  }
}
