/** What people have done about an incident, in a sentence for its page: who is on it, who closed it, what it was. */
import { type Action, confirmedCause, type Incident, inOrder, isoOf } from "@culprit/model";
import { clockText, zoneName } from "./time-text.ts";

/** The sentence; `undefined` where nobody has done anything that still holds. `incident` has its actions applied. */
export function peopleNotice(incident: Incident, actions: Iterable<Action>, timeZone: string): string | undefined {
  const done = inOrder(actions);
  const parts = [standingPart(incident, done, timeZone), causePart(incident, done)].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? undefined : parts.join("; ");
}

function standingPart({ status }: Incident, done: readonly Action[], timeZone: string): string | undefined {
  const last = done.findLast(({ kind }) => kind === "acknowledge" || kind === "resolve" || kind === "reopen");
  if (last === undefined) return undefined;
  const why = last.note === undefined ? "" : ` (${last.note})`;
  if (last.kind === "acknowledge" && status === "acknowledged") {
    const until =
      last.until === undefined ? "" : ` until ${clockText(isoOf(last.until), timeZone)} ${zoneName(timeZone)}`;
    return `${last.who} is on it${until}${why}`;
  }
  if (last.kind === "resolve" && status === "resolved") return `Resolved by ${last.who}${why}`;
  return last.kind === "reopen" && status === "open" ? `Reopened by ${last.who}${why}` : undefined;
}

function causePart({ causes }: Incident, done: readonly Action[]): string | undefined {
  const confirmed = confirmedCause(done);
  const cause = causes.find(({ id }) => id === confirmed?.cause);
  return confirmed === undefined || cause === undefined
    ? undefined
    : `${confirmed.who} confirmed the cause: ${cause.title}`;
}
