/**
 * What is known to have arrived. For each log of each host a list of stretches: within one, every record between two
 * moments came (record ids without a gap, or a log without ids in one stretch). Absence counts only inside a stretch.
 */
import { type Coverage, type EpochMs, shortName } from "@culprit/model";

/** Stretches kept per log; the oldest are forgotten first, which makes absence unknown again, never proven. */
const STRETCHES_MAX = 48;
/** Moments of activity kept per host. */
const ACTIVITY_MAX = 512;
/** Logs without record ids: silence longer than this ends a stretch. */
const GAP_MAX_MS = 86_400_000;
/** How far a host's clock may be set back without its next record counting as one of a log that began anew. */
const SLACK_MS = 300_000;
/** Times of silence kept per host; the oldest are forgotten first. */
const BLIND_MAX = 32;

export interface Stretch {
  from: EpochMs;
  to: EpochMs;
  firstRecordId?: number;
  lastRecordId?: number;
}

/** Coverage as one key of the fold holds it; plain data, so that a snapshot is a copy. */
export interface CoverageMap {
  /** `<short host>\n<channel, lower case>` -> stretches in order of time. */
  readonly logs: Map<string, Stretch[]>;
  /** Short host -> moments at which it was alive, in order. */
  readonly activity: Map<string, EpochMs[]>;
  /** Short host -> times in which nothing of it arrived although it used to send: a log without ids proves nothing there. */
  readonly blind: Map<string, Blind[]>;
}

/** A time in which a host was silent that used to send. */
export interface Blind {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

export function emptyCoverage(): CoverageMap {
  return { logs: new Map(), activity: new Map(), blind: new Map() };
}

/** Notes that nothing of a host is known to have arrived between two moments. A repeat changes nothing. */
export function addBlind(map: CoverageMap, host: string, blind: Blind): void {
  const times = map.blind.get(shortName(host)) ?? [];
  if (times.some(({ from, to }) => from === blind.from && to === blind.to)) return;
  times.push(blind);
  times.sort((a, b) => a.from - b.from || a.to - b.to);
  if (times.length > BLIND_MAX) times.shift();
  map.blind.set(shortName(host), times);
}

function logKey(host: string, channel: string): string {
  return `${shortName(host)}\n${channel.toLowerCase()}`;
}

/** Adds what arrived. Any order of adding gives the same stretches, as long as none was forgotten. */
export function addCoverage(map: CoverageMap, coverage: Coverage): void {
  const marks = map.activity.get(shortName(coverage.host)) ?? [];
  insertMoment(marks, coverage.from);
  insertMoment(marks, coverage.to);
  map.activity.set(shortName(coverage.host), marks);

  const key = logKey(coverage.host, coverage.channel);
  const stretches = map.logs.get(key) ?? [];
  map.logs.set(key, stretches);
  for (const stretch of stretchesOf(coverage)) insertStretch(stretches, stretch);
  if (stretches.length > STRETCHES_MAX) stretches.splice(0, stretches.length - STRETCHES_MAX);
}

/** A summary whose count is smaller than its span of record ids proves only its two ends. */
function stretchesOf({ from, to, count, firstRecordId, lastRecordId }: Coverage): Stretch[] {
  if (firstRecordId === undefined || lastRecordId === undefined) return [{ from, to }];
  if (lastRecordId - firstRecordId < count) return [{ from, to, firstRecordId, lastRecordId }];
  return [
    { from, to: from, firstRecordId, lastRecordId: firstRecordId },
    { from: to, to, firstRecordId: lastRecordId, lastRecordId },
  ];
}

function insertStretch(stretches: Stretch[], stretch: Stretch): void {
  let merged: Stretch = { ...stretch };
  for (let i = stretches.length - 1; i >= 0; i -= 1) {
    const held = stretches[i] as Stretch;
    if (!touches(held, merged)) continue;
    merged = union(held, merged);
    stretches.splice(i, 1);
    // A wider stretch may now touch one that was passed over.
    i = stretches.length;
  }
  const place = stretches.findIndex((held) => held.from > merged.from);
  stretches.splice(place === -1 ? stretches.length : place, 0, merged);
}

function touches(a: Stretch, b: Stretch): boolean {
  if (
    a.firstRecordId !== undefined &&
    a.lastRecordId !== undefined &&
    b.firstRecordId !== undefined &&
    b.lastRecordId !== undefined
  ) {
    const [lower, higher] = a.firstRecordId <= b.firstRecordId ? [a, b] : [b, a];
    if (a.lastRecordId + 1 < b.firstRecordId || b.lastRecordId + 1 < a.firstRecordId) return false;
    return inOneLog(lower, higher);
  }
  if (a.firstRecordId !== undefined || b.firstRecordId !== undefined) return false;
  return a.to + GAP_MAX_MS >= b.from && b.to + GAP_MAX_MS >= a.from;
}

/** Ids rise with time: runs that fit by their ids and not by their times are of a log that has begun anew. */
function inOneLog(lower: Stretch, higher: Stretch): boolean {
  if (higher.to < lower.from - SLACK_MS) return false;
  const [last, first, end] = [lower.lastRecordId, higher.firstRecordId, higher.lastRecordId];
  if (last === undefined || first === undefined || end === undefined || first > last) return true;
  return higher.from <= lower.to + SLACK_MS && (end > last || higher.to <= lower.to + SLACK_MS);
}

function union(a: Stretch, b: Stretch): Stretch {
  const out: Stretch = { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
  if (a.firstRecordId !== undefined && b.firstRecordId !== undefined)
    out.firstRecordId = Math.min(a.firstRecordId, b.firstRecordId);
  if (a.lastRecordId !== undefined && b.lastRecordId !== undefined)
    out.lastRecordId = Math.max(a.lastRecordId, b.lastRecordId);
  return out;
}

function insertMoment(moments: EpochMs[], at: EpochMs): void {
  let place = moments.length;
  while (place > 0 && (moments[place - 1] as number) > at) place -= 1;
  if (place > 0 && moments[place - 1] === at) return;
  moments.splice(place, 0, at);
  if (moments.length > ACTIVITY_MAX) moments.shift();
}

/** Whether every record of this log between two moments is known to have arrived. */
export function covers(map: CoverageMap, host: string, channel: string, from: EpochMs, to: EpochMs): boolean {
  const stretch = (map.logs.get(logKey(host, channel)) ?? []).find((one) => one.from <= from && one.to >= to);
  if (stretch === undefined) return false;
  // Ids prove what came even late; without them a silence may hide anything.
  const blind = map.blind.get(shortName(host)) ?? [];
  return stretch.firstRecordId !== undefined || !blind.some((one) => one.from < to && one.to > from);
}

/** The last moment a host was known to be alive before `at`; `undefined` when nothing earlier is known. */
export function lastActivityBefore(map: CoverageMap, host: string, at: EpochMs): EpochMs | undefined {
  const moments = map.activity.get(shortName(host)) ?? [];
  for (let i = moments.length - 1; i >= 0; i -= 1) {
    const moment = moments[i] as number;
    if (moment < at) return moment;
  }
  return undefined;
}

/** The last record of a log that is known, for "silent since". */
export function lastSeen(map: CoverageMap, host: string, channel: string): EpochMs | undefined {
  return (map.logs.get(logKey(host, channel)) ?? []).at(-1)?.to;
}
