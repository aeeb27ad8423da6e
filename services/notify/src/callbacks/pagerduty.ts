/**
 * PagerDuty's webhooks, version 3: what a responder does there is done here too. Only what a person did counts: what our own
 * events caused there comes back as well, with no user as its agent.
 *
 * Source: PagerDuty "Webhooks v3" (X-PagerDuty-Signature: `v1=<hex>` with commas between several, HMAC-SHA256 over the raw
 * body; an event keeps its id over retries, which go on for 48 hours).
 */
import type { EpochMs } from "@culprit/model";
import { z } from "zod";
import { type Asked, type Callback, jsonOf, NOTHING_ASKED, nameOf } from "./asked.ts";
import { isSignedBy, type Keys } from "./signature.ts";

const KINDS: Readonly<Record<string, Asked["kind"]>> = {
  "incident.acknowledged": "acknowledge",
  "incident.unacknowledged": "reopen",
  "incident.resolved": "resolve",
  "incident.reopened": "reopen",
  "incident.annotated": "note",
};
/** A note names its incident by PagerDuty's id only; so many of those are remembered from what came before. */
const INCIDENTS_KNOWN_MAX = 10_000;
const NOTE_MAX_LENGTH = 4_000;

const Event = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.string(),
    occurred_at: z.iso.datetime({ offset: true }),
    agent: z.nullish(z.object({ type: z.string(), id: z.string().optional(), summary: z.string().optional() })),
    data: z.nullish(
      z.looseObject({
        id: z.string().max(200).optional(),
        incident_key: z.string().max(255).nullish(),
        content: z.string().optional(),
        incident: z.object({ id: z.string().max(200) }).optional(),
      }),
    ),
  }),
});

/** Reads PagerDuty's calls. */
export function pagerDutyCallback(secrets: Keys): Callback {
  const keys = new Map<string, string>();
  const remember = (id: string, key: string): void => {
    keys.delete(id);
    keys.set(id, key);
    for (const oldest of keys.keys()) {
      if (keys.size <= INCIDENTS_KNOWN_MAX) break;
      keys.delete(oldest);
    }
  };
  return {
    name: "pagerduty",
    receive({ header, body, address, now }) {
      const signatures = (header("x-pagerduty-signature") ?? "").split(",").map((part) => part.trim());
      const own = signatures.filter((part) => part.startsWith("v1=")).map((part) => part.slice(3));
      if (!isSignedBy(secrets, body, own)) return { refused: "signature" };
      const read = Event.safeParse(jsonOf(body.toString("utf8")));
      if (!read.success) return { refused: "unreadable" };
      const { id, event_type, occurred_at, agent, data } = read.data.event;
      if (data?.id !== undefined && typeof data.incident_key === "string") remember(data.id, data.incident_key);
      const kind = Object.hasOwn(KINDS, event_type) ? KINDS[event_type] : undefined;
      const key = data?.incident_key ?? keys.get(data?.incident?.id ?? "");
      if (kind === undefined || key === undefined || agent?.type !== "user_reference") return NOTHING_ASKED;
      const note = data?.content?.trim().slice(0, NOTE_MAX_LENGTH);
      if (kind === "note" && (note === undefined || note === "")) return NOTHING_ASKED;
      const asked: Asked = {
        kind,
        incident: { key },
        seed: ["pagerduty", id],
        at: Math.min(now, Date.parse(occurred_at)) as EpochMs,
        who: nameOf([agent.summary, agent.id]),
        ...(kind === "note" && note !== undefined ? { note } : {}),
        from: { via: "pagerduty", address, ...(agent.id === undefined ? {} : { detail: nameOf([agent.id]) }) },
      };
      return { asked: [asked] };
    },
  };
}
