/**
 * Times as forwarders write them: text or number in, an instant and what is known of it out.
 *
 * ISO 8601 with any number of fraction digits, WMI's `yyyymmddHHMMSS.mmmmmm±minutes`, `/Date(ms)/`, epoch numbers of any
 * unit, and local stamps in the cultures that Windows exports use (`local-stamp.ts`). Stamps without a zone are read in
 * the zone that the caller assumes.
 */
import type { EpochMs, TimeQuality } from "@culprit/model";
import { readLocalStamp } from "./local-stamp.ts";
import { zonedInstant } from "./zoned-instant.ts";

export interface TimeReading {
  readonly at: EpochMs;
  readonly quality: TimeQuality;
  /** The stamp as written, where it says more than milliseconds. */
  readonly text?: string;
  readonly marks: readonly string[];
}

export interface TimeContext {
  /** IANA name of the zone for stamps without one. */
  readonly zone: string;
  /** For stamps without a year: the latest instant they can mean. */
  readonly receivedAt: EpochMs;
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)? ?(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?$/i;
const WMI = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})\.(\d{6})([+-]\d{3})$/;
const DOTNET = /^\\?\/Date\((-?\d{1,17})(?:[+-]\d{4})?\)\\?\/$/;
const EPOCH = /^-?\d{9,19}(?:\.\d{1,9})?$/;

/** U+200E and U+200F (Windows puts them into dates of 6008), other directional marks, and narrow or fixed blanks. */
const MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const BLANKS = /[\u00a0\u2009\u202f]/g;

/**
 * Reads a time in any form known.
 * Units: a number is epoch seconds, milliseconds, microseconds or nanoseconds, told by its size (all mean 2001 to 2286).
 * Errors: `undefined` when nothing reads as a time; the caller falls back to the time of receipt.
 */
export function readTime(value: string | number | undefined, context: TimeContext): TimeReading | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number") return readEpoch(String(value));
  const text = value.replace(MARKS, "").replace(BLANKS, " ").trim();
  if (text === "" || text.length > 80) return undefined;
  return readIso(text, context) ?? readWmi(text) ?? readDotnet(text) ?? readEpoch(text) ?? readLocal(text, context);
}

/** ISO 8601 with or without a zone; the zone of a stamp without one is the caller's. */
function readIso(text: string, context: TimeContext): TimeReading | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute] = [1, 2, 3, 4, 5].map((n) => Number(match[n])) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const fraction = match[7] ?? "";
  const millisecond = Number(fraction.slice(0, 3).padEnd(3, "0"));
  // A leap second has no place in epoch time: it is the last millisecond of its minute.
  const leap = match[6] === "60";
  const clock = leap
    ? { year, month, day, hour, minute, second: 59, millisecond: 999 }
    : { year, month, day, hour, minute, second: Number(match[6] ?? 0), millisecond };
  const precise = /[1-9]/.test(fraction.slice(3)) || leap ? text : undefined;
  if (!isClock(clock)) return undefined;
  const offset = offsetMinutes(match[8]);
  const zoned = offset === undefined ? zonedInstant(clock, context.zone) : { at: utcOf(clock) - offset * 60_000 };
  if (zoned === undefined || Number.isNaN(zoned.at)) return undefined;
  const quality = leap ? "clamped" : offset === undefined ? assumed(zoned) : "event";
  return reading(zoned.at, quality, precise);
}

function readWmi(text: string): TimeReading | undefined {
  const match = WMI.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((n) => Number(match[n])) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const micros = match[7] as string;
  const clock = { year, month, day, hour, minute, second, millisecond: Number(micros.slice(0, 3)) };
  if (!isClock(clock)) return undefined;
  return reading(utcOf(clock) - Number(match[8]) * 60_000, "event", micros.endsWith("000") ? undefined : text);
}

function readDotnet(text: string): TimeReading | undefined {
  const match = DOTNET.exec(text);
  return match === null ? undefined : reading(Number(match[1]), "event", undefined);
}

const MILLISECONDS_FROM = 1e11;
const MICROSECONDS_FROM = 1e14;
const NANOSECONDS_FROM = 1e17;

function readEpoch(text: string): TimeReading | undefined {
  if (!EPOCH.test(text)) return undefined;
  const value = Number(text);
  const size = Math.abs(value);
  if (size < MILLISECONDS_FROM) {
    return reading(Math.round(value * 1000), "event", (text.split(".")[1]?.length ?? 0) > 3 ? text : undefined);
  }
  if (size < MICROSECONDS_FROM) return reading(Math.floor(value), "event", undefined);
  if (size < NANOSECONDS_FROM) return reading(Math.floor(value / 1e3), "event", text);
  return reading(Number(BigInt(text.split(".")[0] as string) / 1_000_000n), "event", text);
}

function readLocal(text: string, context: TimeContext): TimeReading | undefined {
  const stamp = readLocalStamp(text, context);
  if (stamp === undefined || !isClock(stamp.clock)) return undefined;
  const zoned = zonedInstant(stamp.clock, context.zone);
  return zoned && { ...reading(zoned.at, assumed(zoned), undefined), marks: stamp.marks };
}

/** Parts of a wall clock; the month counts from 1. */
export interface Clock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

function isClock(clock: Clock): boolean {
  const { year, month, day, hour, minute, second } = clock;
  if (hour > 23 || minute > 59 || second > 59) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function utcOf(clock: Clock): EpochMs {
  // Date.UTC maps years 0 to 99 into the 20th century.
  const date = new Date(0);
  date.setUTCFullYear(clock.year, clock.month - 1, clock.day);
  date.setUTCHours(clock.hour, clock.minute, clock.second, clock.millisecond);
  return date.getTime();
}

/** Minutes east of UTC, or `undefined` where the stamp names no zone. */
function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[zug]/i.test(text)) return 0;
  const digits = text.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return text.startsWith("-") ? -minutes : minutes;
}

function assumed(zoned: { ambiguous?: boolean }): TimeQuality {
  return zoned.ambiguous === true ? "ambiguous-zone" : "assumed-zone";
}

function reading(at: EpochMs, quality: TimeQuality, text: string | undefined): TimeReading {
  return text === undefined ? { at, quality, marks: [] } : { at, quality, text, marks: [] };
}
