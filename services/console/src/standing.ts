/** What people have made of an incident, and whether it has happened before: as the API tells it. */
import {
  confirmedCause,
  EventId,
  type Incident,
  IncidentId,
  IncidentStatus,
  isoOf,
  unlinkedEvents,
} from "@culprit/model";
import { z } from "zod";
import type { Projection } from "./projection.ts";

const Instant = z.iso.datetime({ precision: 3 });

export const StandingView = z.object({
  status: IncidentStatus,
  /** When the acknowledgement that holds runs out. */
  acknowledgedUntil: z.exactOptional(Instant),
  confirmedCause: z.exactOptional(z.object({ cause: z.string(), who: z.string(), at: Instant })),
  /** Events that people have taken out. */
  unlinked: z.array(EventId),
  recurrence: z.exactOptional(
    z.object({
      times: z.int(),
      days: z.int(),
      last: IncidentId,
      lastAt: Instant,
      lastCause: z.exactOptional(z.string()),
      lastOutcome: z.exactOptional(z.string()),
    }),
  ),
});

/** The standing of an incident that is known. */
export function standingView(projection: Projection, incident: Incident): z.output<typeof StandingView> {
  const actions = projection.actions(incident.id);
  const until = projection.standing(incident.id)?.acknowledgedUntil;
  const confirmed = confirmedCause(actions);
  const recurrence = projection.recurrence(incident);
  return {
    status: incident.status,
    ...(until === undefined ? {} : { acknowledgedUntil: isoOf(until) }),
    ...(confirmed === undefined ? {} : { confirmedCause: { ...confirmed, at: isoOf(confirmed.at) } }),
    unlinked: [...unlinkedEvents(actions)],
    ...(recurrence === undefined ? {} : { recurrence }),
  };
}
