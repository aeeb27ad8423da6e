/**
 * Hours of the week by the clock on the wall of some zone: when a target is told, when a silence holds. In goes an instant,
 * out comes whether the schedule is open then and when that next changes.
 *
 * Everything is counted in minutes of the week, local. A window that ends at or before its beginning ends on the next day.
 */
import { z } from "zod";
import { type EpochMs, MINUTE_MS } from "./instant.ts";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const WINDOWS_MAX = 50;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

const WallClock = z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, "expected a time of day such as 22:30");

export const WeeklyWindow = z.strictObject({
  /** The days on which it begins. */
  days: z.array(z.enum(WEEKDAYS)).min(1).max(7),
  from: WallClock,
  to: WallClock,
});

export const WeeklySchedule = z.strictObject({
  /** An IANA name; the hours follow its summer time. */
  zone: z.string().max(64).refine(isZone, "expected an IANA time zone such as Europe/Oslo"),
  windows: z.array(WeeklyWindow).min(1).max(WINDOWS_MAX),
});
export type WeeklySchedule = Readonly<z.infer<typeof WeeklySchedule>>;

export interface WeeklyState {
  readonly open: boolean;
  /** When it may next change; absent for a schedule that is always open. Near a change of the clocks look again then. */
  readonly changesAt?: EpochMs;
}

/** Whether a schedule is open at an instant. Errors: none for a schedule of the schema. */
export function weeklyState(schedule: WeeklySchedule, at: EpochMs): WeeklyState {
  const spans = schedule.windows.flatMap(spansOf);
  const now = minuteOfWeek(schedule.zone, at);
  const isOpenAt = (minute: number): boolean =>
    spans.some(([from, to]) => (minute >= from && minute < to) || minute + WEEK_MINUTES < to);
  const open = isOpenAt(now);
  const waits = spans.flat().map((edge) => (edge - now + 2 * WEEK_MINUTES) % WEEK_MINUTES || WEEK_MINUTES);
  const wait = waits.sort((a, b) => a - b).find((minutes) => isOpenAt((now + minutes) % WEEK_MINUTES) !== open);
  return wait === undefined ? { open } : { open, changesAt: instantAfter(schedule.zone, at, wait) };
}

/** From and to of a window on each of its days; the end may lie in the next week. */
function spansOf({ days, from, to }: z.infer<typeof WeeklyWindow>): readonly (readonly [number, number])[] {
  const begin = minuteOfDay(from);
  const length = minuteOfDay(to) > begin ? minuteOfDay(to) - begin : minuteOfDay(to) + DAY_MINUTES - begin;
  return days.map((day) => {
    const start = WEEKDAYS.indexOf(day) * DAY_MINUTES + begin;
    return [start, start + length];
  });
}

function minuteOfDay(text: string): number {
  const [hours = "", minutes = ""] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** The instant at which so many minutes of local time have passed, at a full minute and after `at`. */
function instantAfter(zone: string, at: EpochMs, minutes: number): EpochMs {
  const from = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  const guess = from + minutes * MINUTE_MS;
  const wanted = (minuteOfWeek(zone, at) + minutes) % WEEK_MINUTES;
  // Where the clocks change in between, the guess is off by as much as they were moved.
  const off = ((wanted - minuteOfWeek(zone, guess) + 1.5 * WEEK_MINUTES) % WEEK_MINUTES) - WEEK_MINUTES / 2;
  return Math.max(from + MINUTE_MS, guess + off * MINUTE_MS);
}

const DAY_OF: ReadonlyMap<string, number> = new Map(WEEKDAYS.map((day, index) => [day, index]));
const formatters = new Map<string, Intl.DateTimeFormat>();
const FORMATTERS_MAX = 100;

function minuteOfWeek(zone: string, at: EpochMs): number {
  let day = 0;
  let minute = 0;
  for (const { type, value } of formatterOf(zone).formatToParts(at)) {
    if (type === "weekday") day = DAY_OF.get(value.toLowerCase()) ?? 0;
    else if (type === "hour") minute += Number(value) * 60;
    else if (type === "minute") minute += Number(value);
  }
  return day * DAY_MINUTES + minute;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const held = formatters.get(zone);
  if (held !== undefined) return held;
  const options = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const made = new Intl.DateTimeFormat("en-US", { ...options, timeZone: zone });
  if (formatters.size >= FORMATTERS_MAX) formatters.clear();
  formatters.set(zone, made);
  return made;
}

/** Offsets such as `+01:00` know no summer time and are not taken for zones. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return formatterOf(name) !== undefined;
  } catch {
    return false;
  }
}
