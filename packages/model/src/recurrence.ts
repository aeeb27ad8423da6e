/**
 * Whether it has happened before: earlier incidents of the same playbook on the same machine or cluster, and what people
 * said when they closed the last one. Pure: the caller gives all incidents it knows.
 */
import { type Action, confirmedCause, inOrder } from "./action.ts";
import type { Incident } from "./incident.ts";
import { DAY_MS } from "./instant.ts";

const RECURRENCE_DAYS = 30;

/** Earlier incidents of the same playbook on the same entity. */
export interface Recurrence {
  /** With this one. */
  readonly times: number;
  readonly days: number;
  readonly last: Incident["id"];
  readonly lastAt: string;
  /** The cause that a person confirmed for the newest of them that has one. */
  readonly lastCause?: string;
  /** How the last one ended, in a person's words; hostile text. */
  readonly lastOutcome?: string;
}

/**
 * The recurrence of an incident; `undefined` when it is the first.
 * Shape: incidents that a wider one explains are not counted, they are part of that one.
 */
export function recurrenceOf(
  incident: Incident,
  known: Iterable<Incident>,
  actionsOf: (id: Incident["id"]) => Iterable<Action>,
): Recurrence | undefined {
  const started = Date.parse(incident.startedAt);
  const subject = subjectOf(incident);
  const earlier = [...known]
    .filter((other) => {
      // Everything known is looked at for each page: what costs little and rules out most comes first.
      if (other.playbook !== incident.playbook || other.parent !== undefined || other.id === incident.id) return false;
      if (other.startedAt >= incident.startedAt || subjectOf(other) !== subject) return false;
      return started - Date.parse(other.startedAt) <= RECURRENCE_DAYS * DAY_MS;
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const [last] = earlier;
  if (last === undefined) return undefined;
  const lastOutcome = inOrder(actionsOf(last.id)).findLast(
    ({ kind, note }) => kind === "resolve" && note !== undefined,
  )?.note;
  const [lastCause] = earlier.flatMap((other) => causeOf(other, actionsOf(other.id)) ?? []);
  return {
    times: earlier.length + 1,
    days: RECURRENCE_DAYS,
    last: last.id,
    lastAt: last.startedAt,
    ...(lastCause === undefined ? {} : { lastCause }),
    ...(lastOutcome === undefined ? {} : { lastOutcome }),
  };
}

/** `3rd time in 30 days; last time on 10 Mar, last cause confirmed: Worn disk, closed as "…"`; `day` is that of `lastAt`. */
export function recurrenceText({ times, days, lastCause, lastOutcome }: Recurrence, day: string): string {
  const cause = lastCause === undefined ? "" : `, last cause confirmed: ${lastCause}`;
  const outcome = lastOutcome === undefined ? "" : `, closed as "${lastOutcome}"`;
  return `${ordinal(times)} time in ${days} days; last time on ${day}${cause}${outcome}`;
}

/** The title of the cause that people confirmed. */
function causeOf({ causes }: Incident, actions: Iterable<Action>): string | undefined {
  const confirmed = confirmedCause(actions)?.cause;
  return causes.find(({ id }) => id === confirmed)?.title;
}

function subjectOf({ scope }: Incident): string {
  const first = scope[0];
  return first === undefined ? "" : `${first.kind} ${first.id.toLowerCase()}`;
}

function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}
