/** What people may do about an incident, as the API takes it and as the forms of its page give it. */
import {
  ACTION_NOTE_MAX_LENGTH,
  type Action,
  type ActionOrigin,
  DAY_MS,
  type EpochMs,
  EventId,
  HOUR_MS,
  type Incident,
  MINUTE_MS,
} from "@culprit/model";
import { z } from "zod";
import type { NewAction } from "./actions.ts";

const EVENT_TEXT_MAX_LENGTH = 500;
const Note = z.string().trim().min(1).max(ACTION_NOTE_MAX_LENGTH);
const COMMON = {
  /** Needed where nobody has logged in; else it is who has. */
  who: z.exactOptional(z.string().trim().min(1).max(100)),
  note: z.exactOptional(Note),
};

export const ActionBody = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("acknowledge"),
    ...COMMON,
    /** After this long it holds no longer. */
    forMs: z.exactOptional(
      z
        .int()
        .min(MINUTE_MS)
        .max(7 * DAY_MS),
    ),
  }),
  z.strictObject({ kind: z.literal("resolve"), ...COMMON }),
  z.strictObject({ kind: z.literal("reopen"), ...COMMON }),
  z.strictObject({ kind: z.literal("note"), ...COMMON, note: Note }),
  z.strictObject({ kind: z.literal("unlink"), ...COMMON, event: EventId }),
  z.strictObject({ kind: z.literal("relink"), ...COMMON, event: EventId }),
  z.strictObject({ kind: z.literal("confirm-cause"), ...COMMON, cause: z.string().min(1).max(200) }),
]);
export type ActionBody = z.output<typeof ActionBody>;

/** The action that a body asks for. */
export function actionOf(
  body: ActionBody,
  by: { readonly incident: Incident; readonly who: string; readonly from: ActionOrigin; readonly now: EpochMs },
): NewAction {
  const { who, from, now } = by;
  const incident = by.incident.id;
  if (body.kind === "unlink") return { note: eventText(by.incident, body.event), ...body, incident, who, from };
  if (body.kind !== "acknowledge") return { ...body, incident, who, from };
  const { forMs, ...rest } = body;
  return { ...rest, incident, who, from, ...(forMs === undefined ? {} : { until: now + forMs }) };
}

/** An event in a line: once it is taken out, the incident no longer says what it was. */
function eventText({ timeline }: Incident, event: EventId): string {
  const entry = timeline.find((known) => known.event === event);
  if (entry === undefined) return `event ${event.slice(0, 12)}`;
  const { provider, eventId, host, at, summary } = entry;
  return `${provider} ${eventId} on ${host} at ${at}: ${summary}`.slice(0, EVENT_TEXT_MAX_LENGTH).toWellFormed();
}

/** Why an action does not fit its incident, in words; `undefined` where it does. */
export function misfitOf(body: ActionBody, incident: Incident, done: readonly Action[]): string | undefined {
  if (body.kind === "confirm-cause") {
    const known = body.cause === "unknown" || incident.causes.some(({ id }) => id === body.cause);
    return known ? undefined : "cause: the incident has no such cause";
  }
  if (body.kind === "unlink") {
    return eventsOf(incident).has(body.event) ? undefined : "event: the incident does not rest on it";
  }
  if (body.kind !== "relink") return undefined;
  const wasUnlinked = done.some((action) => action.kind === "unlink" && action.event === body.event);
  return wasUnlinked ? undefined : "event: nobody has taken it out";
}

function eventsOf(incident: Incident): ReadonlySet<string> {
  const reasons = incident.causes.flatMap((cause) => [...cause.for, ...cause.against]);
  return new Set([...incident.timeline.map(({ event }) => event), ...reasons.flatMap(({ events }) => events)]);
}

/** A form's fields as a body; an empty field counts as not given, `hours` are how long an acknowledgement holds. */
export function actionFromForm(form: Readonly<Record<string, string>>): unknown {
  const { hours = "", kind, ...fields } = form;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
  return { ...given, kind, ...(kind === "acknowledge" && hours !== "" ? { forMs: Number(hours) * HOUR_MS } : {}) };
}
