/** Lengths of time in words, as pages and the console say them. In: milliseconds; out: text with its units. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./instant.ts";

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

const AGO_SECONDS_MAX_MS = 5 * MINUTE_MS;

/** `12 min ago`: seconds only while they matter. */
export function agoText(ms: number): string {
  if (ms < SECOND_MS) return "just now";
  return `${durationText(ms < AGO_SECONDS_MAX_MS ? ms : Math.round(ms / MINUTE_MS) * MINUTE_MS)} ago`;
}
