/**
 * Instants and durations. Inside the core an instant is a number: milliseconds since 1970-01-01T00:00:00Z.
 * Reading and printing of local times happens at the edges, with Luxon.
 */
import { z } from "zod";

export const EpochMs = z.number().int();
/** Milliseconds since 1970-01-01T00:00:00Z; may be negative (Windows logs hold stamps of 1601). */
export type EpochMs = z.infer<typeof EpochMs>;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** ISO 8601 in UTC with milliseconds, as every exported instant is written. */
export function isoOf(at: EpochMs): string {
  return new Date(at).toISOString();
}

const DURATION = /^(-?)(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/**
 * Reads a duration as playbooks write it: `90s`, `-15m`, `6h`, `30d`, `0m`.
 * Errors: `undefined` for anything else; the caller says where it stood.
 */
export function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = UNIT_MS[match?.[3] ?? ""];
  if (match === null || unit === undefined) return undefined;
  const size = Number(match[2]) * unit;
  return match[1] === "-" && size !== 0 ? -size : size;
}
