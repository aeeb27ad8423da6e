/** Times as people read them at night: one zone first, UTC beside it. In: ISO instants; out: text. */
import { Fault } from "@culprit/model";
import { DateTime, IANAZone } from "luxon";

/** Asking whether a zone is one takes a fifth of a millisecond; configs name few. */
const checked = new Set<string>();

/** Whether a name is that of an IANA zone. */
export function isZone(zone: string): boolean {
  if (!checked.has(zone) && IANAZone.isValidZone(zone)) checked.add(zone);
  return checked.has(zone);
}

/** Errors: `notify.unknown-zone` for a name that is no IANA zone. */
export function checkZone(zone: string): void {
  if (!isZone(zone)) {
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

const UTC_CLOCK = /\b(\d{2}:\d{2}):\d{2} UTC\b/g;
const DAY_MS = 86_400_000;

/** The times of day in a text, `08:45:00 UTC`, in the zone: `09:45:00 Oslo (08:45 UTC)`; of their day the one nearest to `near`. */
export function localClocks(text: string, zone: string, near: string): string {
  if (isUtc(zone)) return text;
  return text.replace(UTC_CLOCK, (clock: string, minutes: string) => {
    const onDay = Date.parse(`${near.slice(0, 10)}T${clock.slice(0, 8)}Z`);
    if (Number.isNaN(onDay)) return clock;
    const days = Math.round((Date.parse(near) - onDay) / DAY_MS);
    const at = new Date(onDay + days * DAY_MS).toISOString();
    return `${clockText(at, zone)} ${zoneName(zone)} (${minutes} UTC)`;
  });
}
