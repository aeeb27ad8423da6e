/** Time, passed in: the machine's clock for services, a clock that tests set. */
import { setTimeout as sleepFor } from "node:timers/promises";
import type { EpochMs } from "@culprit/model";

export interface Clock {
  /** Wall time; it may step. */
  now(): EpochMs;
  /** Milliseconds that only ever go forward, for deadlines and durations. */
  elapsed(): number;
  /** Resolves after so many milliseconds, or at once when the signal is aborted; the answer says whether time was up. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<boolean>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await sleepFor(durationMs, undefined, signal === undefined ? {} : { signal });
      return true;
    } catch (error) {
      if (signal?.aborted === true) return false;
      throw error;
    }
  },
};

/** A clock that moves only when told. */
export interface SettableClock extends Clock {
  /** Moves wall time and elapsed time on and wakes sleepers in the order of their deadlines, letting each run before the next. */
  advance(durationMs: number): Promise<void>;
  /** Steps the wall time alone, forward or back, as a clock that is corrected does. */
  setWall(at: EpochMs): void;
  /** How many are asleep. */
  readonly sleepers: number;
  /** Milliseconds until the first of them is to wake; `undefined` while nobody sleeps. */
  readonly firstDueMs: number | undefined;
}

interface Sleeper {
  readonly at: number;
  wake(timeUp: boolean): void;
}

function everyoneElse(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that starts at an instant. */
export function settableClock(start: EpochMs): SettableClock {
  let elapsed = 0;
  let offset = start;
  const sleepers = new Set<Sleeper>();

  function nextUntil(deadline: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.at <= deadline && (first === undefined || sleeper.at < first.at)) first = sleeper;
    }
    return first;
  }

  return {
    now: () => offset + elapsed,
    elapsed: () => elapsed,
    sleep(durationMs, signal) {
      if (signal?.aborted === true) return Promise.resolve(false);
      return new Promise((resolve) => {
        const onAbort = (): void => sleeper.wake(false);
        const sleeper: Sleeper = {
          at: elapsed + Math.max(0, durationMs),
          wake(timeUp) {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", onAbort);
            resolve(timeUp);
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        sleepers.add(sleeper);
      });
    },
    async advance(durationMs) {
      // Whoever is on the way to sleep gets there first; what a woken sleeper does next comes before the one after it.
      await everyoneElse();
      const deadline = elapsed + durationMs;
      for (let sleeper = nextUntil(deadline); sleeper !== undefined; sleeper = nextUntil(deadline)) {
        elapsed = Math.max(elapsed, sleeper.at);
        sleeper.wake(true);
        await everyoneElse();
      }
      elapsed = deadline;
    },
    setWall(at) {
      offset = at - elapsed;
    },
    get sleepers() {
      return sleepers.size;
    },
    get firstDueMs() {
      const first = nextUntil(Infinity);
      return first === undefined ? undefined : Math.max(0, first.at - elapsed);
    },
  };
}

/** Does something every so often until the signal is aborted; a run that takes longer delays the next. */
export async function repeat(options: {
  readonly clock: Clock;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly work: () => Promise<void> | void;
}): Promise<void> {
  const { clock, everyMs, signal, work } = options;
  while (await clock.sleep(everyMs, signal)) await work();
}
