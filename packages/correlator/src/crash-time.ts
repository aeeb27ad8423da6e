/**
 * When it happened, for records that are written after the restart (1001, 41, 6008). Such a record yields an interval: from
 * the host's last sign of life before the boot to the boot, narrowed by the time inside 6008 and by the peers that
 * missed the host. Source: PLAYBOOKS.md section 6; KB of event 6008.
 */
import { DAY_MS, type EpochMs, MINUTE_MS, type Signal } from "@culprit/model";

/** A record after the boot belongs to that boot; 41 comes about four seconds later, 1001 may come hours later. */
const BOOT_LOOKBACK_MS = DAY_MS;
/** Without any sign of life before it, a crash is looked for this long before the boot. */
const ASSUMED_DOWN_MS = 15 * MINUTE_MS;
/** 6008 holds the last heartbeat of the log service, written once a minute. */
const HEARTBEAT_MS = MINUTE_MS;
/** How far clocks may be ahead of UTC, in minutes: whole hours, and the few zones between them. Source: the zone table of Windows. */
const ZONES_MINUTES: readonly number[] = [
  ...Array.from({ length: 27 }, (_, i) => (i - 12) * 60),
  ...[-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825],
];

/** An interval in which something happened; a point where both ends are equal. */
export interface Interval {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

export interface CrashClues {
  /** When the record was written. */
  readonly loggedAt: EpochMs;
  /** Boots of the host, in any order. */
  readonly boots: readonly EpochMs[];
  /** Moment of the last sign of life before a moment. */
  readonly aliveBefore: (at: EpochMs) => EpochMs | undefined;
  /** Moments at which peers said they lost the host. */
  readonly missedAt: readonly EpochMs[];
  /** Texts of 6008: time of day, date, and an exact instant where the binary part gave one. */
  readonly lastBeats: readonly LastBeat[];
}

export interface LastBeat {
  readonly loggedAt: EpochMs;
  readonly instant?: EpochMs;
  readonly time?: string;
  readonly date?: string;
}

export interface CrashTime extends Interval {
  readonly boot: EpochMs;
}

/** Infers the crash behind a record written after the restart. */
export function inferCrash(clues: CrashClues): CrashTime {
  const boot = bootOf(clues);
  const alive = clues.aliveBefore(boot - 1_000);
  const known = alive !== undefined && boot - alive < DAY_MS;
  let from = known ? alive : boot - ASSUMED_DOWN_MS;
  let to = boot;
  const beat = clues.lastBeats
    .filter((last) => last.loggedAt >= boot - MINUTE_MS && last.loggedAt <= boot + 10 * MINUTE_MS)
    .flatMap((last) => beatInstants(last, from, to, known))[0];
  if (beat !== undefined) {
    from = known ? Math.max(from, beat) : beat;
    to = Math.min(to, Math.max(from, beat + HEARTBEAT_MS));
  }
  const lower = from;
  const missed = clues.missedAt.filter((at) => at >= lower && at <= to).sort((a, b) => a - b)[0];
  return { from, to: missed ?? to, boot };
}

function bootOf({ loggedAt, boots }: CrashClues): EpochMs {
  let best: EpochMs | undefined;
  for (const boot of boots) {
    if (boot <= loggedAt + 5_000 && boot >= loggedAt - BOOT_LOOKBACK_MS && (best === undefined || boot > best))
      best = boot;
  }
  // Several records mark one boot (12, 6005, 6009): the first of those within two minutes is the boot.
  if (best !== undefined) for (const boot of boots) if (boot < best && best - boot <= 2 * MINUTE_MS) best = boot;
  return best ?? loggedAt;
}

/**
 * The instants a 6008 text can mean: its locale gives day and month in either order, its zone is unknown. Of those that lie
 * between the last sign of life and the boot, the latest; none when the text does not fit.
 */
function beatInstants(last: LastBeat, from: EpochMs, to: EpochMs, known: boolean): EpochMs[] {
  const fits = (at: EpochMs): boolean => at <= to && (known ? at >= from - HEARTBEAT_MS : at >= to - DAY_MS);
  if (last.instant !== undefined) return fits(last.instant) ? [last.instant] : [];
  if (last.time === undefined || last.date === undefined) return [];
  const found: EpochMs[] = [];
  for (const local of localInstants(last.time, last.date)) {
    for (const ahead of ZONES_MINUTES) {
      const at = local - ahead * MINUTE_MS;
      if (fits(at)) found.push(at);
    }
  }
  return found.sort((a, b) => b - a).slice(0, 1);
}

const MARKS = /[\u200e\u200f\u202a-\u202e]/g;
const TIME_OF_DAY = /^(\d{1,2})[:.](\d{2})[:.](\d{2})(?:\s*([ap])\.?\s?m\.?)?$/i;
const DATE = /^(\d{1,4})[./-]\s?(\d{1,2})[./-]\s?(\d{1,4})\.?$/;

function localInstants(timeText: string, dateText: string): EpochMs[] {
  const time = TIME_OF_DAY.exec(timeText.replace(MARKS, "").trim());
  const date = DATE.exec(dateText.replace(MARKS, "").trim());
  if (time === null || date === null) return [];
  const half = time[4]?.toLowerCase();
  const hour = (Number(time[1]) % (half === undefined ? 24 : 12)) + (half === "p" ? 12 : 0);
  const [a, b, c] = [Number(date[1]), Number(date[2]), Number(date[3])];
  const orders: [number, number, number][] =
    a > 31
      ? [[a, b, c]]
      : [
          [c, a, b],
          [c, b, a],
        ];
  return orders
    .filter(([, month, day]) => month >= 1 && month <= 12 && day >= 1 && day <= 31)
    .map(([year, month, day]) =>
      Date.UTC(year < 100 ? 2000 + year : year, month - 1, day, hour, Number(time[2]), Number(time[3])),
    );
}

/** The 6008 clues of a signal: bindings `lastalive` (ISO), `time` and `date`. */
export function lastBeatOf(signal: Signal): LastBeat | undefined {
  const { lastalive, time, date } = signal.bindings;
  const instant = lastalive === undefined ? Number.NaN : Date.parse(lastalive);
  if (!Number.isNaN(instant)) return { loggedAt: signal.at, instant };
  if (time === undefined || date === undefined) return undefined;
  return { loggedAt: signal.at, time, date };
}
