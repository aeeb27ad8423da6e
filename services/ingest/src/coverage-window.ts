/**
 * Which records of which log arrived, wanted or not, gathered into summaries: at most one a minute for each stretch of a
 * log. Absence of an event counts later only where a summary says that its log arrived.
 *
 * Record ids make the count exact however often a record is sent: a stretch is an unbroken run of ids, and a record that
 * lies in it already is not counted again. A log without ids has one stretch, and its count is that of arrivals.
 */
import type { Coverage } from "@culprit/model";

const SUMMARY_EVERY_MS = 60_000;
/**
 * Unbroken runs kept apart per log; beyond it the two closest become one with a hole, whose count tells.
 * @internal
 */
export const STRETCHES_MAX = 8;
/** Logs watched at once; at the limit a new one is not summed up, and counted as such. */
const LOGS_MAX = 200_000;

interface Log {
  readonly host: Coverage["host"];
  readonly channel: string;
  stretches: Coverage[];
  /** On the clock that only goes forward. */
  summedUpAt: number;
}

export class CoverageWindow {
  readonly #logs = new Map<string, Log>();
  #untracked = 0;

  /** Records of logs that were not watched because `LOGS_MAX` was reached. */
  get untracked(): number {
    return this.#untracked;
  }

  get logs(): number {
    return this.#logs.size;
  }

  /** Takes down that records of a log arrived. */
  note(stretch: Coverage): void {
    const key = `${stretch.host}\n${stretch.channel.toLowerCase()}`;
    let log = this.#logs.get(key);
    if (log === undefined) {
      if (this.#logs.size >= LOGS_MAX) {
        this.#untracked += stretch.count;
        return;
      }
      log = { host: stretch.host, channel: stretch.channel, stretches: [], summedUpAt: Number.NEGATIVE_INFINITY };
      this.#logs.set(key, log);
    }
    insert(log.stretches, stretch);
  }

  /** What is due: logs not summed up within the last minute. `elapsedMs` is of a clock that only goes forward. */
  due(elapsedMs: number): readonly Coverage[] {
    const summaries: Coverage[] = [];
    for (const [key, log] of this.#logs) {
      if (elapsedMs - log.summedUpAt < SUMMARY_EVERY_MS) continue;
      if (log.stretches.length === 0) this.#logs.delete(key);
      summaries.push(...log.stretches);
      log.stretches = [];
      log.summedUpAt = elapsedMs;
    }
    return summaries;
  }

  /** Everything not summed up yet, due or not. */
  rest(): readonly Coverage[] {
    const summaries = [...this.#logs.values()].flatMap(({ stretches }) => stretches);
    this.#logs.clear();
    return summaries;
  }

  /** Takes back summaries that could not be stored. */
  giveBack(summaries: readonly Coverage[]): void {
    for (const summary of summaries) this.note(summary);
  }
}

function insert(stretches: Coverage[], added: Coverage): void {
  let merged = added;
  for (let i = stretches.length - 1; i >= 0; i -= 1) {
    const held = stretches[i];
    if (held === undefined || !touches(held, merged)) continue;
    merged = union(held, merged);
    stretches.splice(i, 1);
  }
  stretches.push(merged);
  if (stretches.length > STRETCHES_MAX) joinClosest(stretches);
}

/** How far a host's clock may be set back without its next record counting as one of another log. */
const SLACK_MS = 300_000;

/**
 * Runs of ids that overlap or follow each other; logs without ids always. Runs with a hole stay as they are. A log that was
 * cleared may begin its ids anew: runs whose ids fit but whose times contradict them are different logs.
 */
function touches(a: Coverage, b: Coverage): boolean {
  const [x, y] = [runOf(a), runOf(b)];
  if (x === undefined || y === undefined) return x === y;
  const within = x.first <= y.first && y.last <= x.last;
  if (within && (b.from < a.from - SLACK_MS || b.to > a.to + SLACK_MS)) return false;
  if (hasHole(a) || hasHole(b)) return within;
  const [lower, higher] = x.first <= y.first ? [a, b] : [b, a];
  return x.last + 1 >= y.first && y.last + 1 >= x.first && higher.to >= lower.from - SLACK_MS;
}

function union(a: Coverage, b: Coverage): Coverage {
  const [x, y] = [runOf(a), runOf(b)];
  const span = { ...a, from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
  if (x === undefined || y === undefined) return { ...span, count: a.count + b.count };
  const firstRecordId = Math.min(x.first, y.first);
  const lastRecordId = Math.max(x.last, y.last);
  const whole = lastRecordId - firstRecordId + 1;
  return {
    ...span,
    count: hasHole(a) || hasHole(b) ? Math.min(a.count, whole - 1) : whole,
    firstRecordId,
    lastRecordId,
  };
}

function runOf({ firstRecordId, lastRecordId }: Coverage): { first: number; last: number } | undefined {
  return firstRecordId === undefined || lastRecordId === undefined
    ? undefined
    : { first: firstRecordId, last: lastRecordId };
}

function hasHole(stretch: Coverage): boolean {
  const run = runOf(stretch);
  return run !== undefined && stretch.count <= run.last - run.first;
}

/** The two runs with the fewest ids between them become one; its count stays what really arrived. */
function joinClosest(stretches: Coverage[]): void {
  const runs = stretches.filter((stretch) => runOf(stretch) !== undefined);
  runs.sort((a, b) => (a.firstRecordId ?? 0) - (b.firstRecordId ?? 0));
  let closest: readonly [Coverage, Coverage] | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [i, after] of runs.entries()) {
    const before = runs[i - 1];
    if (before === undefined) continue;
    const gap = (after.firstRecordId ?? 0) - (before.lastRecordId ?? 0);
    if (gap >= smallest) continue;
    smallest = gap;
    closest = [before, after];
  }
  if (closest === undefined) return;
  const [a, b] = closest;
  stretches.splice(stretches.indexOf(a), 1);
  stretches.splice(stretches.indexOf(b), 1);
  const lastRecordId = Math.max(a.lastRecordId ?? 0, b.lastRecordId ?? 0);
  stretches.push({
    ...a,
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    count: a.count + b.count,
    lastRecordId,
  });
}
