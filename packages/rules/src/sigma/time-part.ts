/**
 * The time modifiers: one number out of a date. A text is read as written, in whatever zone it was written; a number is
 * Unix time, in seconds or milliseconds by its size, in UTC.
 *
 * Source: Sigma modifiers appendix 2.1.0, "Time Modifiers" ("not designed to handle timezone or format conversions").
 */
import { DAY_MS } from "@culprit/model";

export const TIME_PARTS = ["minute", "hour", "day", "week", "month", "year"] as const;
export type TimePart = (typeof TIME_PARTS)[number];

/** The least and greatest value of each part. */
export const TIME_PART_RANGE: Readonly<Record<TimePart, readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [0, 9999],
};

const STAMP = /^\s{0,8}(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?/i;
const NUMBER = /^\d{9,13}(?:\.\d{1,9})?$/;
/** Unix seconds pass this in the year 5138, milliseconds passed it in 1973. */
const SECONDS_MAX = 1e11;

/** The part of a date, or `undefined` where the value is no date or says no time of day. Weeks are ISO 8601 weeks. */
export function timePart(part: TimePart, value: string | number): number | undefined {
  if (typeof value === "number" || NUMBER.test(value)) return partOfUnix(part, Number(value));
  const match = STAMP.exec(value);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  switch (part) {
    case "year":
      return year;
    case "month":
      return month;
    case "day":
      return day;
    case "week":
      return isoWeek(Date.UTC(year, month - 1, day));
    case "hour":
      return match[4] === undefined ? undefined : Number(match[4]);
    case "minute":
      return match[5] === undefined ? undefined : Number(match[5]);
  }
}

function partOfUnix(part: TimePart, value: number): number | undefined {
  const date = new Date(Math.abs(value) < SECONDS_MAX ? value * 1000 : value);
  if (Number.isNaN(date.getTime())) return undefined;
  return timePart(part, date.toISOString());
}

/** The week that holds the Thursday of the same week, counted from the week of 4 January. */
function isoWeek(at: number): number {
  const weekday = (new Date(at).getUTCDay() + 6) % 7;
  const thursday = new Date(at + (3 - weekday) * DAY_MS);
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - yearStart) / DAY_MS / 7) + 1;
}
