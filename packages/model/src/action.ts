/**
 * What a person did about an incident: written by console and notify, read by correlate, notify and console from the
 * `actions` topic. One message per action under the key `<incident>/<action id>`, so that compaction keeps every action and
 * a repeat changes nothing.
 */
import { z } from "zod";
import { EventId, ID_PATTERN, IncidentId } from "./identity.ts";
import type { Incident, IncidentStatus } from "./incident.ts";
import { EpochMs } from "./instant.ts";

export const ACTION_NOTE_MAX_LENGTH = 4_000;
export const WHO_MAX_LENGTH = 200;

/** The ways by which people reach us. */
export const ACTION_WAYS = ["console", "api", "link", "pagerduty", "slack", "telegram"] as const;

/** Where an action came from, for the audit; hostile text. */
export const ActionOrigin = z.object({
  via: z.enum(ACTION_WAYS),
  /** The network address that asked. */
  address: z.exactOptional(z.string().max(100)),
  /** The target whose page it answers, or the person's id there. */
  detail: z.exactOptional(z.string().max(200)),
});
export type ActionOrigin = Readonly<z.infer<typeof ActionOrigin>>;

const COMMON = {
  /** 64 hex digits; chosen by whoever writes the action, the same for a repeat. */
  id: z.string().regex(ID_PATTERN),
  incident: IncidentId,
  at: EpochMs,
  /** As the person or system is known to the writer; hostile text. */
  who: z.string().min(1).max(WHO_MAX_LENGTH),
  /** Why; hostile text. */
  note: z.exactOptional(z.string().max(ACTION_NOTE_MAX_LENGTH)),
  from: z.exactOptional(ActionOrigin),
};

export const Action = z.discriminatedUnion("kind", [
  /** `until`: after this it holds no longer. */
  z.object({ kind: z.literal("acknowledge"), ...COMMON, until: z.exactOptional(EpochMs) }),
  z.object({ kind: z.literal("resolve"), ...COMMON }),
  z.object({ kind: z.literal("reopen"), ...COMMON }),
  z.object({ kind: z.literal("note"), ...COMMON }),
  /** An event has nothing to do with the incident: it is taken out and the causes are ranked again. */
  z.object({ kind: z.literal("unlink"), ...COMMON, event: EventId }),
  z.object({ kind: z.literal("relink"), ...COMMON, event: EventId }),
  /** What it was, as a person found out: the id of a cause, `unknown` to take it back. */
  z.object({ kind: z.literal("confirm-cause"), ...COMMON, cause: z.string().min(1).max(200) }),
]);
export type Action = Readonly<z.infer<typeof Action>>;
export type ActionKind = Action["kind"];

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
    else if (action.kind === "acknowledge" && standing.status !== "resolved") standing = acknowledged(action.until, at);
  }
  return standing;
}

function acknowledged(until: EpochMs | undefined, at: EpochMs): Standing {
  if (until === undefined) return { status: "acknowledged" };
  return until <= at ? { status: "open", openSince: until } : { status: "acknowledged", acknowledgedUntil: until };
}

/** The cause that people have confirmed last, and who; `undefined` when nobody has, or it was taken back. */
export function confirmedCause(
  actions: Iterable<Action>,
): { readonly cause: string; readonly who: string; readonly at: EpochMs } | undefined {
  const last = inOrder(actions).findLast((action) => action.kind === "confirm-cause");
  if (last?.kind !== "confirm-cause" || last.cause === "unknown") return undefined;
  return { cause: last.cause, who: last.who, at: last.at };
}

/** The events that people have taken out of an incident. */
export function unlinkedEvents(actions: Iterable<Action>): ReadonlySet<EventId> {
  const unlinked = new Set<EventId>();
  for (const action of inOrder(actions)) {
    if (action.kind === "unlink") unlinked.add(action.event);
    else if (action.kind === "relink") unlinked.delete(action.event);
  }
  return unlinked;
}

/** By time, then by id, so that every reader sees the same order. */
export function inOrder(actions: Iterable<Action>): readonly Action[] {
  return [...actions].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id)));
}
