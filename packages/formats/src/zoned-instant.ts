/** Wall clocks in a named zone, by Luxon. */
import type { EpochMs } from "@culprit/model";
import { DateTime } from "luxon";
import type { Clock } from "./instant-text.ts";

export interface ZonedInstant {
  readonly at: EpochMs;
  /** The hour that is lived twice at the end of summer time: the earlier of both instants is given. */
  readonly ambiguous?: boolean;
}

/**
 * The instant at which clocks in a zone showed this.
 * Errors: `undefined` for an unknown zone. A time that summer time skips is read as if the clock had not been moved.
 */
export function zonedInstant(clock: Clock, zone: string): ZonedInstant | undefined {
  // All fields are given, and the earlier of two offsets is taken, so Luxon's guess from today's offset has no effect.
  const time = DateTime.fromObject(clock, { zone });
  if (!time.isValid) return undefined;
  const readings = time.getPossibleOffsets();
  const at = Math.min(...readings.map((reading) => reading.toMillis()));
  return readings.length > 1 ? { at, ambiguous: true } : { at };
}
