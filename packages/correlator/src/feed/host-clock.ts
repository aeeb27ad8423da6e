/**
 * How far a host's clock is off, from the age that its records have when they come. A late record makes an age larger,
 * never smaller, so the least age of each ten minutes is taken; it says something about the clock only when it stays the
 * same, and only against other hosts: what all have in common is the way, not the clock.
 */
import { MINUTE_MS, SECOND_MS } from "@culprit/model";

const SLOT_MS = 10 * MINUTE_MS;
const SLOTS = 3;
/** Records in a slot without which it says nothing. */
const SLOT_RECORDS_MIN = 5;
const STEADY_MS = MINUTE_MS;
/** Kerberos gives up at five minutes. */
const CLOCK_OFF_MS = 5 * MINUTE_MS;
const CLOCK_RIGHT_MS = 2 * MINUTE_MS;
/** Other hosts without which nobody can say what is usual. */
const OTHERS_MIN = 3;
const ZONE_STEP_MS = 15 * MINUTE_MS;
const ZONE_TOLERANCE_MS = 30 * SECOND_MS;

/** Plain data, so that it can be stored. */
export interface HostClock {
  slot: number;
  records: number;
  /** Least age in this slot. */
  leastMs: number;
  /** Of the slots before it, oldest first. */
  least: number[];
  /** It was told as off. */
  isOff?: true;
}

/** Notes the age of a record when it came: negative when it was from the future. */
export function noteAge(clock: HostClock | undefined, ageMs: number, heardMs: number): HostClock {
  const slot = Math.floor(heardMs / SLOT_MS);
  if (clock === undefined) return { slot, records: 1, leastMs: ageMs, least: [] };
  if (slot !== clock.slot) {
    if (clock.records >= SLOT_RECORDS_MIN) clock.least = [...clock.least, clock.leastMs].slice(-SLOTS);
    clock.slot = slot;
    clock.records = 0;
    clock.leastMs = ageMs;
  }
  clock.records += 1;
  clock.leastMs = Math.min(clock.leastMs, ageMs);
  return clock;
}

/** The age that a host's records keep having; `undefined` where it is not steady. */
export function steadyAge({ least }: HostClock): number | undefined {
  if (least.length < SLOTS || Math.max(...least) - Math.min(...least) > STEADY_MS) return undefined;
  return least.toSorted((a, b) => a - b)[Math.floor(SLOTS / 2)];
}

/**
 * How far a clock is off, ahead being positive, given the steady ages of all hosts in order.
 * Errors: `undefined` when it cannot be said: an age without a usual one may be the way that records take. A record from
 * the future is none of the way.
 */
export function clockOffset(ageMs: number, all: readonly number[]): number | undefined {
  if (all.length > OTHERS_MIN) return (all[Math.floor(all.length / 2)] as number) - ageMs;
  return ageMs < 0 ? -ageMs : undefined;
}

/** What to tell of a clock at this offset, each once. */
export function judgeClock(clock: HostClock, offsetMs: number): "clockOff" | "clockRight" | undefined {
  const off = Math.abs(offsetMs);
  if (clock.isOff === undefined && off >= CLOCK_OFF_MS) {
    clock.isOff = true;
    return "clockOff";
  }
  if (clock.isOff !== undefined && off < CLOCK_RIGHT_MS) {
    delete clock.isOff;
    return "clockRight";
  }
  return undefined;
}

/** Whether an offset is that of a time zone: whole quarters of an hour, as a stamp without its zone makes. */
export function isZoneOffset(offsetMs: number): boolean {
  const off = Math.abs(offsetMs);
  const nearest = Math.round(off / ZONE_STEP_MS) * ZONE_STEP_MS;
  return nearest > 0 && Math.abs(off - nearest) <= ZONE_TOLERANCE_MS;
}
