/** Does what people asked for elsewhere: checks it against the incident and writes it to the `actions` topic, once. */
import type { Bus, Outgoing } from "@culprit/bus";
import {
  type Action,
  actionKey,
  contentId,
  type EpochMs,
  type Incident,
  type IncidentId,
  matchOfIncident,
  SILENCE_FROM_PAGE_MS,
  type Silence,
  silenceKey,
  TOPICS,
} from "@culprit/model";
import { type Clock, retry } from "@culprit/runtime";
import { isOver } from "../page-content.ts";
import type { Asked, Outcome } from "./asked.ts";

/** What is known of incidents and of what was done about them. */
export interface Register {
  /** With the actions of people applied. */
  incident(id: IncidentId): Incident | undefined;
  /** The incident whose page a target holds under a key. */
  incidentOfKey(key: string): IncidentId | undefined;
  /** Whether an action or silence of that id is stored. */
  isDone(incident: IncidentId, id: string): boolean;
}

export interface ReplyDesk {
  readonly register: Register;
  /** Stores what was asked for; resolves once it is durable. Errors: those of `Bus.publish`. */
  take(asked: Asked): Promise<Outcome>;
}

export function replyDesk(context: {
  readonly bus: Pick<Bus, "publish">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly register: Register;
  /** How long an acknowledgement from elsewhere holds; until it is resolved unless given. */
  readonly acknowledgeForMs?: number;
}): ReplyDesk {
  const { bus, clock, random, register, acknowledgeForMs } = context;
  return {
    register,
    async take(asked) {
      const id = typeof asked.incident === "string" ? asked.incident : register.incidentOfKey(asked.incident.key);
      const incident = id === undefined ? undefined : register.incident(id);
      if (incident === undefined) return "unknown-incident";
      const actionId = contentId("reply", asked.kind, ...asked.seed);
      // A call that comes twice, be it on purpose, finds its action stored and moves nothing.
      if (register.isDone(incident.id, actionId)) return "repeated";
      const changes = asked.kind === "acknowledge" || asked.kind === "resolve" || asked.kind === "silence";
      if (changes && isOver(incident)) return "over";
      const message = messageOf(asked, incident, { id: actionId, at: asked.at ?? clock.now(), acknowledgeForMs });
      if (message === undefined) return "unfit";
      await retry(() => bus.publish([message]), { clock, random });
      return "done";
    },
  };
}

interface Made {
  readonly id: string;
  readonly at: EpochMs;
  readonly acknowledgeForMs: number | undefined;
}

function messageOf(asked: Asked, incident: Incident, made: Made): Outgoing | undefined {
  const topic = TOPICS.actions.name;
  const { kind, who, note, from } = asked;
  const { id, at, acknowledgeForMs } = made;
  if (kind === "silence") {
    const match = matchOfIncident(incident);
    if (match === undefined) return undefined;
    const comment = note ?? `asked for on the page of incident ${incident.id.slice(0, 12)}`;
    const until = at + SILENCE_FROM_PAGE_MS;
    const silence: Silence = { kind, id, match, from: at, until, who, comment, at, origin: from };
    return { topic, key: silenceKey(silence), value: silence };
  }
  const common = { id, incident: incident.id, at, who, from, ...(note === undefined ? {} : { note }) };
  const until = kind === "acknowledge" && acknowledgeForMs !== undefined ? { until: at + acknowledgeForMs } : {};
  const action: Action = kind === "acknowledge" ? { kind, ...common, ...until } : { kind, ...common };
  return { topic, key: actionKey(action), value: action };
}
