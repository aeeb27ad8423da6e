/**
 * When an event arrived. The order of a log is that of its arrival; time in the fold is the arrival time of the newest
 * event, so that a replayed file and a live feed give the same incidents.
 */
import { DAY_MS, type EpochMs, MINUTE_MS, type WindowsEvent } from "@culprit/model";

/** A forwarder's stamp later than this is that of a re-import, not of the arrival. */
const DELIVERY_MAX_MS = 7 * DAY_MS;
/** A host clock may run ahead of whoever took the event by this much before it counts as wrong. */
export const SKEW_MAX_MS = 10 * MINUTE_MS;

/** What tells when an event arrived. */
type Stamped = Pick<WindowsEvent, "timeCreated" | "timeQuality" | "receivedAt">;

export interface Arrived<E extends Stamped = WindowsEvent> {
  readonly event: E;
  readonly at: EpochMs;
  /** How old the record was when it was taken, by its own stamp; negative from the future, absent where nobody knows. */
  readonly ageMs?: number;
}

/**
 * The forwarder's stamp where it fits, else the event's own time; neither is later than `latest`, our own clock, where
 * that is given. An event from the future happened no later than it was taken, and says so (`timeQuality: clamped`).
 */
export function arrivalOf<E extends Stamped>(event: E, latest: EpochMs = Number.POSITIVE_INFINITY): Arrived<E> {
  const taken = Math.min(event.receivedAt ?? Number.POSITIVE_INFINITY, latest);
  const age = ageOf(event, latest);
  if (event.timeCreated > taken + SKEW_MAX_MS)
    return { event: { ...event, timeCreated: taken, timeQuality: "clamped" }, at: taken, ...age };
  if (event.receivedAt === undefined || taken - event.timeCreated > DELIVERY_MAX_MS)
    return { event, at: Math.min(event.timeCreated, latest), ...age };
  return { event, at: taken, ...age };
}

/** By our clock where it is given: a forwarder on the host itself shares the host's wrong one. */
function ageOf({ timeCreated, timeQuality, receivedAt }: Stamped, latest: EpochMs): Pick<Arrived, "ageMs"> {
  const taken = Number.isFinite(latest) ? latest : receivedAt;
  return taken === undefined || timeQuality === "received" ? {} : { ageMs: taken - timeCreated };
}
