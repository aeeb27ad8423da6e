/**
 * Whether it has happened before: earlier incidents of the same playbook on the same machine or cluster, and what people
 * said when they closed the last one. Pure: the caller gives all incidents it knows.
 */
import { type Action, DAY_MS, type Incident, inOrder } from "@culprit/model";
import type { PageHistory } from "./page-content.ts";

const HISTORY_DAYS = 30;

/**
 * The history of an incident as its page tells it; `undefined` when it is the first.
 * Shape: incidents that a wider one explains are not counted, they are part of that one.
 */
export function historyOf(
  incident: Incident,
  known: Iterable<Incident>,
  actionsOf: (id: Incident["id"]) => Iterable<Action>,
): PageHistory | undefined {
  const started = Date.parse(incident.startedAt);
  const subject = subjectOf(incident);
  const earlier = [...known].filter((other) => {
    const before = started - Date.parse(other.startedAt);
    const same = other.playbook === incident.playbook && subjectOf(other) === subject && other.parent === undefined;
    return same && other.id !== incident.id && before > 0 && before <= HISTORY_DAYS * DAY_MS;
  });
  const last = earlier.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
  if (last === undefined) return undefined;
  const lastOutcome = inOrder(actionsOf(last.id)).findLast(
    ({ kind, note }) => kind === "resolve" && note !== undefined,
  )?.note;
  return {
    times: earlier.length + 1,
    days: HISTORY_DAYS,
    lastAt: last.startedAt,
    ...(lastOutcome === undefined ? {} : { lastOutcome }),
  };
}

function subjectOf({ scope }: Incident): string {
  const first = scope[0];
  return first === undefined ? "" : `${first.kind} ${first.id.toLowerCase()}`;
}
