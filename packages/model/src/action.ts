/**
 * What a person did about an incident: read by correlate, notify and console from the `actions` topic. One message per
 * action under the key `<incident>/<action id>`, so that compaction keeps every action and a repeat changes nothing.
 */
import { z } from "zod";
import { ID_PATTERN, IncidentId } from "./identity.ts";
import type { Incident, IncidentStatus } from "./incident.ts";
import { EpochMs } from "./instant.ts";

export const ACTION_KINDS = ["acknowledge", "resolve", "reopen", "note"] as const;
export const ACTION_NOTE_MAX_LENGTH = 4_000;

export const Action = z.object({
  /** 64 hex digits; chosen by whoever writes the action, the same for a repeat. */
  id: z.string().regex(ID_PATTERN),
  kind: z.enum(ACTION_KINDS),
  incident: IncidentId,
  at: EpochMs,
  /** As the person or system is known to the writer; hostile text. */
  who: z.string().min(1).max(200),
  /** Why; hostile text. */
  note: z.exactOptional(z.string().max(ACTION_NOTE_MAX_LENGTH)),
  /** Only of an acknowledgement: after this it holds no longer. */
  until: z.exactOptional(EpochMs),
});
export type Action = Readonly<z.infer<typeof Action>>;

/** The key of an action's message. */
export function actionKey(action: Pick<Action, "incident" | "id">): string {
  return `${action.incident}/${action.id}`;
}

export interface Standing {
  readonly status: IncidentStatus;
  /** Since when nobody has it any more: it was reopened, or an acknowledgement has run out. */
  readonly openSince?: EpochMs;
  /** When the acknowledgement that holds runs out. */
  readonly acknowledgedUntil?: EpochMs;
}

/**
 * How an incident stands at an instant: the engine's own status, moved by what people did, in the order in which they did
 * it. An incident that the engine has ended stays ended; a person's `resolve` holds until a later `reopen`, an
 * acknowledgement until it runs out.
 */
export function standingOf(incident: Pick<Incident, "status">, actions: Iterable<Action>, at: EpochMs): Standing {
  if (incident.status === "resolved" || incident.status === "closed") return { status: incident.status };
  let standing: Standing = { status: incident.status };
  for (const action of inOrder(actions)) {
    if (action.kind === "resolve") standing = { status: "resolved" };
    else if (action.kind === "reopen") standing = { status: "open", openSince: action.at };
    else if (action.kind === "acknowledge" && standing.status !== "resolved") standing = acknowledged(action, at);
  }
  return standing;
}

function acknowledged({ until }: Action, at: EpochMs): Standing {
  if (until === undefined) return { status: "acknowledged" };
  return until <= at ? { status: "open", openSince: until } : { status: "acknowledged", acknowledgedUntil: until };
}

/** By time, then by id, so that every reader sees the same order. */
export function inOrder(actions: Iterable<Action>): readonly Action[] {
  return [...actions].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id)));
}
