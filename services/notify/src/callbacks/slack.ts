/**
 * Slack's interactivity: a button of a page is pressed. The body is signed together with a time stamp; what is older than
 * five minutes is refused, and a repeat within them has the same id and changes nothing.
 *
 * Source: Slack "Verifying requests" (v0 signature over `v0:<timestamp>:<body>`), "block_actions payloads".
 */
import { IncidentId, MINUTE_MS, SECOND_MS } from "@culprit/model";
import { z } from "zod";
import { REPLIES, type Reply } from "../reply.ts";
import { type Asked, type Callback, jsonOf, NOTHING_ASKED, nameOf } from "./asked.ts";
import { isSignedBy, type Keys } from "./signature.ts";

const AGE_MAX_MS = 5 * MINUTE_MS;
/** What stands before the reply in a button's `action_id`. */
const ACTION_PREFIX = "culprit:";

const Payload = z.object({
  type: z.string(),
  user: z.object({ id: z.string().max(100), username: z.string().optional(), name: z.string().optional() }),
  actions: z
    .array(
      z.object({
        action_id: z.string(),
        value: z.string().optional(),
        action_ts: z.string().regex(/^\d{1,12}(?:\.\d{1,9})?$/),
      }),
    )
    .max(10)
    .optional(),
});

/** The `action_id` of a reply's button. */
export function slackActionId(reply: Reply): string {
  return ACTION_PREFIX + reply;
}

/** Reads Slack's calls. */
export function slackCallback(signingSecrets: Keys): Callback {
  return {
    name: "slack",
    receive({ header, body, address, now }) {
      const stamp = header("x-slack-request-timestamp") ?? "";
      const signature = header("x-slack-signature") ?? "";
      const isStamped = /^\d{1,12}$/.test(stamp) && signature.startsWith("v0=");
      const signed = Buffer.concat([Buffer.from(`v0:${stamp}:`), body]);
      if (!isStamped || !isSignedBy(signingSecrets, signed, [signature.slice(3)])) return { refused: "signature" };
      if (Math.abs(now - Number(stamp) * SECOND_MS) > AGE_MAX_MS) return { refused: "too-old" };
      const payload = new URLSearchParams(body.toString("utf8")).get("payload");
      const read = Payload.safeParse(jsonOf(payload ?? ""));
      if (!read.success) return { refused: "unreadable" };
      const { type, user, actions = [] } = read.data;
      if (type !== "block_actions") return NOTHING_ASKED;
      const asked = actions.flatMap(({ action_id, value, action_ts }): Asked[] => {
        const kind = REPLIES.find((reply) => slackActionId(reply) === action_id);
        const incident = IncidentId.safeParse(value);
        if (kind === undefined || !incident.success) return [];
        const at = Math.min(now, Math.round(Number(action_ts) * SECOND_MS));
        const seed = ["slack", incident.data, kind, user.id, action_ts];
        const who = nameOf([user.username, user.name, user.id]);
        return [{ kind, incident: incident.data, seed, at, who, from: { via: "slack", address, detail: user.id } }];
      });
      return { asked };
    },
  };
}
