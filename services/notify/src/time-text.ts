/**
 * Times and durations as people say them at night: one zone first, UTC beside it, lengths in words.
 * In: ISO instants and milliseconds; out: text without a trailing unit to guess.
 */
import { DAY_MS, Fault, HOUR_MS, MINUTE_MS, SECOND_MS } from "@culprit/model";
import { DateTime, IANAZone } from "luxon";

const AGO_SECONDS_MAX_MS = 5 * MINUTE_MS;

/** Errors: `notify.unknown-zone` for a name that is no IANA zone. */
export function checkZone(zone: string): void {
  if (!IANAZone.isValidZone(zone)) {
    throw new Fault("notify.unknown-zone", `"${zone}" is no IANA time zone; expected one like Europe/Oslo`);
  }
}

/** `Oslo` of `Europe/Oslo`; `UTC` of its several names. */
export function zoneName(zone: string): string {
  if (isUtc(zone)) return "UTC";
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

function isUtc(zone: string): boolean {
  return /^(?:etc\/)?(?:utc|gmt|zulu|universal)$/i.test(zone);
}

/** `3 Feb 2026 03:00:04 Oslo (02:00 UTC)`; UTC's date is given where it is another one. */
export function instantText(iso: string, zone: string): string {
  const local = DateTime.fromISO(iso, { zone });
  const text = `${local.toFormat("d LLL yyyy HH:mm:ss", { locale: "en" })} ${zoneName(zone)}`;
  if (isUtc(zone)) return text;
  const utc = local.toUTC();
  const sameDay = utc.ordinal === local.ordinal && utc.year === local.year;
  return `${text} (${utc.toFormat(sameDay ? "HH:mm" : "d LLL HH:mm", { locale: "en" })} UTC)`;
}

/** `3 Feb` or, in another year than `than`, `3 Feb 2025`. */
export function dayText(iso: string, zone: string, than: string): string {
  const day = DateTime.fromISO(iso, { zone });
  const format = day.year === DateTime.fromISO(than, { zone }).year ? "d LLL" : "d LLL yyyy";
  return day.toFormat(format, { locale: "en" });
}

/** `02:00:04` in the zone, for lists whose day is known. */
export function clockText(iso: string, zone: string): string {
  return DateTime.fromISO(iso, { zone }).toFormat("HH:mm:ss");
}

const UNITS = [
  { ms: DAY_MS, name: "d" },
  { ms: HOUR_MS, name: "h" },
  { ms: MINUTE_MS, name: "min" },
  { ms: SECOND_MS, name: "s" },
] as const;

/** `3 min 12 s`, `2 h 5 min`, `14 min`: the largest unit and the one below it. */
export function durationText(ms: number): string {
  const whole = Math.round(Math.abs(ms) / SECOND_MS) * SECOND_MS;
  const first = UNITS.findIndex((unit) => whole >= unit.ms);
  if (first === -1) return "less than a second";
  const parts: string[] = [];
  let rest = whole;
  for (const unit of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / unit.ms);
    rest -= count * unit.ms;
    if (count > 0) parts.push(`${count} ${unit.name}`);
  }
  return parts.join(" ");
}

/** `12 min ago`: seconds only while they matter. */
export function agoText(ms: number): string {
  if (ms < SECOND_MS) return "just now";
  return `${durationText(ms < AGO_SECONDS_MAX_MS ? ms : Math.round(ms / MINUTE_MS) * MINUTE_MS)} ago`;
}
