/**
 * Record ids of one log of one host: whether some are missing, and whether they began anew. In go runs of ids with their
 * times, in any order and any number of times; out come gaps and fresh starts, once they have waited for what is late.
 *
 * Most forwarders select, so missing ids are the rule there. A gap is told only of a log that was whole before: `REPORT_RUN`
 * ids in a row, twice as many for each gap that it has had since.
 */
import { type EpochMs, HOUR_MS, MINUTE_MS } from "@culprit/model";

/** Late records have so long to come, in time during which the feed was heard. */
const GAP_WAIT_MS = 3 * HOUR_MS;
const ANEW_WAIT_MS = 30 * MINUTE_MS;
/**
 * Ids in a row without which a log does not count as one that is forwarded whole.
 * @internal
 */
export const REPORT_RUN = 500;
/**
 * A selection that leaves out a rare record makes small gaps; what a broken feed loses is more.
 * @internal
 */
export const GAP_MIN = 10;
const REPORT_RUN_DOUBLINGS_MAX = 10;
/** Runs kept apart above the one that is whole; a log with more of them is one of which only a selection comes. */
const ISLANDS_MAX = 32;
/** Gaps remembered, so that a record that fills one late is not taken for a fresh start. */
const HOLES_MAX = 8;
/** Records that show a fresh start. */
const ANEW_MIN = 3;
/** So near below the lowest id that came, ids are of the time before. */
const BEFORE_MAX = 200;
/** How far a clock may be set back without a later record with a lower id counting as a fresh start. */
const SLACK_MS = 10 * MINUTE_MS;

/** A run of records: first and last id, when they were written, and how long the feed had been heard when it came. */
export interface IdRun {
  readonly first: number;
  readonly last: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** False when some of the ids between are not in it. */
  readonly isWhole: boolean;
  readonly heardMs: number;
}

type Island = Omit<IdRun, "isWhole">;

/** Plain data, so that it can be stored. */
export interface LogIds {
  /** The lowest id that came. */
  bottom: number;
  /** Up to here every id came or was given up. */
  top: number;
  /** The latest time of any record. */
  topAt: EpochMs;
  /** Ids in a row up to `top`. */
  run: number;
  /** Gaps so far. */
  gaps: number;
  /** Runs above `top`, in order. */
  islands: Island[];
  /** Gaps that were given up, newest last. */
  holes: { readonly first: number; readonly last: number }[];
  /** Records that came with lower ids and later times. */
  anew?: Island & { readonly records: number };
  /** It was told to have begun anew. */
  beganAnew?: true;
  /** Two machines write under this name: lower and higher ids come by turns. */
  isMixed?: true;
}

export type IdFinding =
  | {
      readonly kind: "gap";
      readonly first: number;
      readonly last: number;
      readonly from: EpochMs;
      readonly to: EpochMs;
    }
  | { readonly kind: "anew"; readonly before: number; readonly after: number; readonly at: EpochMs };

/** A log of which one run has come. */
export function startLog(run: IdRun): LogIds {
  const ids = run.last - run.first + 1;
  return {
    bottom: run.first,
    top: run.last,
    topAt: run.to,
    run: run.isWhole ? ids : 0,
    gaps: 0,
    islands: [],
    holes: [],
  };
}

/** Takes a run of records that came. */
export function noteIds(log: LogIds, run: IdRun): void {
  if (run.last <= log.top) noteLower(log, run);
  else if (continuesAnew(log, run)) extendAnew(log, run);
  else {
    if (log.anew !== undefined && run.from > log.anew.from) {
      delete log.anew;
      log.isMixed = true;
    }
    noteHigher(log, run);
  }
}

/** What has waited long enough, given how long the feed has been heard; `Infinity` at the end of an input. */
export function settleIds(log: LogIds, heardMs: number): readonly IdFinding[] {
  const found: IdFinding[] = [];
  const { anew } = log;
  if (anew !== undefined && heardMs - anew.heardMs >= ANEW_WAIT_MS) {
    delete log.anew;
    if (isOfBefore(log, anew)) log.bottom = anew.first;
    else if (anew.records >= ANEW_MIN && log.isMixed === undefined) {
      // Some senders count by themselves, from one with each start: that is told once.
      if (log.beganAnew === undefined) found.push({ kind: "anew", before: log.top, after: anew.first, at: anew.from });
      log.beganAnew = true;
      Object.assign(log, { bottom: anew.first, top: anew.last, topAt: anew.to, run: 0, islands: [], holes: [] });
    }
  }
  for (let next = log.islands[0]; next !== undefined; next = log.islands[0]) {
    if (heardMs - next.heardMs < GAP_WAIT_MS) break;
    const gap = { first: log.top + 1, last: next.first - 1 };
    if (
      log.run >= REPORT_RUN * 2 ** Math.min(log.gaps, REPORT_RUN_DOUBLINGS_MAX) &&
      gap.last - gap.first + 1 >= GAP_MIN
    )
      found.push({ kind: "gap", ...gap, from: Math.min(log.topAt, next.from), to: next.from });
    giveUp(log, next);
  }
  return found;
}

/** Whether anything waits here. */
export function isWaiting(log: LogIds): boolean {
  return log.islands.length > 0 || log.anew !== undefined;
}

/** A repeat, a late record, or the first of a log that began anew: the last has a time that no such id can have. */
function noteLower(log: LogIds, run: IdRun): void {
  if (run.from <= log.topAt + SLACK_MS) {
    log.bottom = Math.min(log.bottom, run.first);
    return;
  }
  if (log.holes.some(({ first, last }) => run.first >= first && run.last <= last)) return;
  if (log.anew === undefined) log.anew = { ...islandOf(run), records: run.last - run.first + 1 };
  else extendAnew(log, run);
}

function extendAnew(log: LogIds, run: IdRun): void {
  const { anew } = log;
  if (anew === undefined || run.last <= anew.last || run.to < anew.to) return;
  const fresh = run.last - Math.max(run.first - 1, anew.last);
  log.anew = { ...anew, last: run.last, to: run.to, records: anew.records + (run.isWhole ? fresh : 1) };
}

/**
 * Whether what looks like a fresh start leads up to the first records that came: a clock that was set back, in an input
 * that is read in order of its stamps.
 */
function isOfBefore(log: LogIds, anew: Island): boolean {
  return anew.first < log.bottom && anew.last + BEFORE_MAX >= log.bottom;
}

/** Whether a run above `top` goes on where the fresh start stands, as when the old log was short. */
function continuesAnew({ anew }: LogIds, run: IdRun): boolean {
  return anew !== undefined && run.from >= anew.from && run.first <= anew.last + 1;
}

function noteHigher(log: LogIds, run: IdRun): void {
  if (!run.isWhole) {
    Object.assign(log, { top: run.last, topAt: Math.max(log.topAt, run.to), run: 0, islands: [] });
    return;
  }
  // A high id with an old time is a late record of the log as it was before it began anew.
  if (run.first > log.top + 1 && run.to < log.topAt - SLACK_MS) return;
  insert(log.islands, islandOf(run));
  join(log);
  while (log.islands.length > ISLANDS_MAX) giveUp(log, log.islands[0] as Island);
}

function islandOf({ first, last, from, to, heardMs }: IdRun): Island {
  return { first, last, from, to, heardMs };
}

/** Puts a run in its place and joins it with those it touches. */
function insert(islands: Island[], run: Island): void {
  let merged = run;
  for (let i = islands.length - 1; i >= 0; i -= 1) {
    const held = islands[i] as Island;
    if (held.last + 1 < merged.first || merged.last + 1 < held.first) continue;
    merged = {
      first: Math.min(held.first, merged.first),
      last: Math.max(held.last, merged.last),
      from: Math.min(held.from, merged.from),
      to: Math.max(held.to, merged.to),
      heardMs: Math.min(held.heardMs, merged.heardMs),
    };
    islands.splice(i, 1);
  }
  const place = islands.findIndex(({ first }) => first > merged.first);
  islands.splice(place === -1 ? islands.length : place, 0, merged);
}

/** Takes runs that follow on `top` into it. */
function join(log: LogIds): void {
  for (let next = log.islands[0]; next !== undefined && next.first <= log.top + 1; next = log.islands[0]) {
    log.run += Math.max(0, next.last - log.top);
    log.top = Math.max(log.top, next.last);
    log.topAt = Math.max(log.topAt, next.to);
    log.islands.shift();
  }
}

/** Waits no longer for the ids before a run. */
function giveUp(log: LogIds, next: Island): void {
  log.holes.push({ first: log.top + 1, last: next.first - 1 });
  if (log.holes.length > HOLES_MAX) log.holes.shift();
  log.gaps += 1;
  log.run = next.last - next.first + 1;
  log.top = next.last;
  log.topAt = Math.max(log.topAt, next.to);
  log.islands.shift();
  join(log);
}
