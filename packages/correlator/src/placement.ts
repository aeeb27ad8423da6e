/**
 * Where a virtual machine ran, as events showed: runs of sightings on one Hyper-V host, in order of time. A live migration
 * ends one run and begins another, also back to a host where it was before; what is learned late finds its place between.
 */
import type { EpochMs } from "@culprit/model";

/** Runs kept for one machine; the oldest are forgotten first. */
const RUNS_MAX = 64;

/** Plain data: the first and the last time it was seen on a host without being seen on another between. */
export interface Run {
  readonly host: string;
  from: EpochMs;
  last: EpochMs;
}

/** Notes a sighting. Returns whether that changes where the machine is known to have been. */
export function noteRun(runs: Run[], host: string, at: EpochMs): boolean {
  const place = runs.findLastIndex(({ from }) => from <= at);
  const [held, next] = [runs[place], runs[place + 1]];
  if (held?.host === host) {
    held.last = Math.max(held.last, at);
    return false;
  }
  if (held !== undefined && at < held.last) {
    // It went away and came back in between.
    runs.splice(place + 1, 0, { host, from: at, last: at }, { host: held.host, from: held.last, last: held.last });
    held.last = held.from;
  } else if (next?.host === host) next.from = at;
  else runs.splice(place + 1, 0, { host, from: at, last: at });
  while (runs.length > RUNS_MAX) runs.shift();
  return true;
}

/** Where it was at a moment: where it was last seen by then, else where it was first seen at all. */
export function hostAt(runs: readonly Run[], at: EpochMs): string | undefined {
  let best: { readonly host: string; readonly seen: EpochMs } | undefined;
  let first: Run | undefined;
  for (const run of runs) {
    if (first === undefined || run.from < first.from) first = run;
    if (run.from > at) continue;
    const seen = Math.min(run.last, at);
    if (best === undefined || seen >= best.seen) best = { host: run.host, seen };
  }
  return best?.host ?? first?.host;
}
