/**
 * Local stamps without a zone, as Event Viewer, Splunk, Snare, OSSEC and syslog print them in many cultures: text in,
 * parts of a wall clock out.
 *
 * `10/31/2023 8:50:51 PM`, `31/10/2023 20:50:51`, `27.10.2021 12:28:26`, `2017/11/18 15:35:24`, `2024. 03. 01. 11:00:00`,
 * `3/1/2024, 10:00:00.123 AM`, `Fri Mar 01 10:00:00 2024`, `2016 Sep 27 10:48:30`, `2024-Mar-01 10:00:00`,
 * `Mar 01 2024 10:00:00`, `Mar  1 10:00:00` (no year), `03/11 09:12:33.123` (no year).
 */
import type { Clock, TimeContext } from "./instant-text.ts";

export interface LocalStamp {
  readonly clock: Clock;
  /** `ambiguous-date` where day and month could be the other way round, `assumed-year` where none is written. */
  readonly marks: readonly string[];
}

const TIME = /(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d{1,9}))?)?/;
const NUMERIC_DATE = /(\d{1,4})([-/.])[ ]?(\d{1,2})(?:\2[ ]?(\d{1,4})\.?)?/;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WORDS = /[A-Za-z]{3,9}/g;
const NUMBERS = /\d{1,4}/g;
/** AM and PM of the cultures whose Event Viewer prints twelve hours. */
const MORNING = /\bam\b|a\.\s?m\.|上午|오전|午前|π\.?μ/i;
const AFTERNOON = /\bpm\b|p\.\s?m\.|下午|오후|午後|μ\.?μ/i;
const STAMP_MAX_LENGTH = 60;

/** Reads a local stamp. Errors: `undefined` when it has no time of day or no date. */
export function readLocalStamp(text: string, context: TimeContext): LocalStamp | undefined {
  if (text.length > STAMP_MAX_LENGTH) return undefined;
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const rest = `${text.slice(0, time.index)} ${text.slice(time.index + time[0].length)}`;
  const hour = hourOf(Number(time[1]), rest);
  if (hour === undefined) return undefined;
  const twelveHours = MORNING.test(rest) || AFTERNOON.test(rest);
  const date = numericDate(rest, twelveHours, context) ?? wordDate(rest, context);
  if (date === undefined) return undefined;
  const millisecond = Number((time[4] ?? "").slice(0, 3).padEnd(3, "0"));
  const clock = { ...date.day, hour, minute: Number(time[2]), second: Number(time[3] ?? 0), millisecond };
  return { clock, marks: date.marks };
}

function hourOf(hour: number, rest: string): number | undefined {
  if (AFTERNOON.test(rest)) return hour > 12 ? hour : (hour % 12) + 12;
  if (MORNING.test(rest)) return hour > 12 ? undefined : hour % 12;
  return hour;
}

interface DatePart {
  readonly day: { readonly year: number; readonly month: number; readonly day: number };
  readonly marks: readonly string[];
}

function numericDate(text: string, twelveHours: boolean, context: TimeContext): DatePart | undefined {
  const match = NUMERIC_DATE.exec(text);
  if (match === null) return undefined;
  const [first, second] = [Number(match[1]), Number(match[3])];
  if (match[4] === undefined) {
    // Tracing logs write month and day without a year: `03/11 09:12:33.123`.
    return match[2] === "/" ? withoutYear(first, second, context) : undefined;
  }
  const third = Number(match[4]);
  if ((match[1] as string).length === 4) return { day: { year: first, month: second, day: third }, marks: [] };
  const year = match[4].length <= 2 ? (third < 70 ? 2000 + third : 1900 + third) : third;
  const monthFirst = { day: { year, month: first, day: second }, marks: [] };
  const dayFirst = { day: { year, month: second, day: first }, marks: [] };
  if (match[2] !== "/" || first > 12) return dayFirst;
  if (second > 12 || twelveHours) return monthFirst;
  // Slashes and 24 hours: British and French stamps look so, American ones print AM and PM.
  return first === second ? dayFirst : { ...dayFirst, marks: ["ambiguous-date"] };
}

function wordDate(text: string, context: TimeContext): DatePart | undefined {
  const month = (text.match(WORDS) ?? [])
    .map((word) => MONTHS.indexOf(word.slice(0, 3).toLowerCase()) + 1)
    .find(Boolean);
  if (month === undefined) return undefined;
  const numbers = text.match(NUMBERS) ?? [];
  const year = numbers.find((digits) => digits.length === 4);
  const day = numbers.find((digits) => digits.length <= 2);
  if (day === undefined) return undefined;
  if (year === undefined) return withoutYear(month, Number(day), context);
  return { day: { year: Number(year), month, day: Number(day) }, marks: [] };
}

const DAY_MS = 86_400_000;

/** The latest year in which the day is not more than a day after the time of receipt. */
function withoutYear(month: number, day: number, context: TimeContext): DatePart | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const year = new Date(context.receivedAt).getUTCFullYear();
  const late = Date.UTC(year, month - 1, day) > context.receivedAt + DAY_MS;
  return { day: { year: late ? year - 1 : year, month, day }, marks: ["assumed-year"] };
}
