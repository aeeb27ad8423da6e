/**
 * Windows stamps: FILETIME (100 ns steps since 1601, 64 bits as two halves) and SYSTEMTIME (eight 16-bit fields).
 * Arithmetic stays in doubles by splitting seconds from steps, since the whole number does not fit into 53 bits.
 */

/** Seconds from 1601-01-01 to 1970-01-01. */
const EPOCH_SECONDS = 11_644_473_600;
const STEPS_PER_SECOND = 10_000_000;
/** 2^32 = 429 * 10^7 + 4967296: how the upper half splits into seconds and steps. */
const HIGH_SECONDS = 429;
const HIGH_STEPS = 4_967_296;
/** The first second after year 9999; later stamps do not fit the usual four-digit form. */
const LAST_SECOND = 253_402_300_800 + EPOCH_SECONDS;

const SECONDS = Array.from({ length: 60 }, (_, n) => `${String(n).padStart(2, "0")}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, "0"));
const STEPS = Array.from({ length: 10_000 }, (_, n) => `${String(n).padStart(4, "0")}Z`);

/** Milliseconds since 1970 of a FILETIME, rounded down. */
export function fileTimeMs(low: number, high: number): number {
  const mixed = high * HIGH_STEPS + low;
  const carried = Math.floor(mixed / STEPS_PER_SECOND);
  const steps = mixed - carried * STEPS_PER_SECOND;
  return (high * HIGH_SECONDS + carried - EPOCH_SECONDS) * 1_000 + Math.floor(steps / 10_000);
}

// Neighbouring records share their minute: remembering its text saves most of the formatting.
let heldMinute = Number.NaN;
let heldText = "";

/**
 * A FILETIME as event XML shows it: `2024-03-01T10:00:00.1234567Z`.
 * Shape: years past 9999, which no clock has, come in the expanded form of ISO 8601.
 */
export function fileTimeText(low: number, high: number): string {
  const mixed = high * HIGH_STEPS + low;
  const carried = Math.floor(mixed / STEPS_PER_SECOND);
  const seconds = high * HIGH_SECONDS + carried;
  if (seconds >= LAST_SECOND) return farText(low, high);
  const minute = Math.floor(seconds / 60);
  if (minute !== heldMinute) {
    heldText = new Date((minute * 60 - EPOCH_SECONDS) * 1_000).toISOString().slice(0, 17);
    heldMinute = minute;
  }
  const steps = mixed - carried * STEPS_PER_SECOND;
  const ms = Math.floor(steps / 10_000);
  return heldText + SECONDS[seconds - minute * 60] + MILLISECONDS[ms] + STEPS[steps - ms * 10_000];
}

function farText(low: number, high: number): string {
  const steps = (BigInt(high) << 32n) | BigInt(low);
  const ms = Number(steps / 10_000n) - EPOCH_SECONDS * 1_000;
  const rest = String(steps % 10_000n).padStart(4, "0");
  return new Date(ms).toISOString().replace("Z", `${rest}Z`);
}

/** A SYSTEMTIME as event XML shows it: `2024-03-01T10:00:00.123Z`; fields are shown as they stand, also impossible ones. */
export function systemTimeText(view: DataView, at: number): string {
  const field = (n: number, digits: number): string => String(view.getUint16(at + 2 * n, true)).padStart(digits, "0");
  return `${field(0, 4)}-${field(1, 2)}-${field(3, 2)}T${field(4, 2)}:${field(5, 2)}:${field(6, 2)}.${field(7, 3)}Z`;
}

const ISO = /^([+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z?)$/;

/** Reads a stamp that stands as text, as in events that were forwarded; `undefined` when it is none. */
export function readStamp(text: string): { readonly ms: number; readonly text: string } | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const seconds = Date.parse(`${match[1]}Z`);
  if (Number.isNaN(seconds)) return undefined;
  const fraction = (match[2] ?? "").padEnd(7, "0").slice(0, 7);
  return { ms: seconds + Math.floor(Number(fraction) / 10_000), text: `${match[1]}.${fraction}Z` };
}
