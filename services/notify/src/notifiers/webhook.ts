/**
 * Any HTTP endpoint of one's own: the incident as JSON, signed as Standard Webhooks says.
 *
 * `webhook-id` is the same for every attempt of one message, so the receiver can drop a repeat; the timestamp is new on
 * each. Several secrets sign side by side, so that they can be changed without a gap. A redirect is a failure; 410 means
 * that nobody wants it any more.
 * Source: Standard Webhooks 1.0.0.
 */
import { createPrivateKey, sign } from "node:crypto";
import { contentId, isoOf } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { incidentData } from "./incident-data.ts";

const SECRET = /^whsec_[A-Za-z0-9+/]{32,128}={0,2}$/;
const ED25519_SECRET = /^whsk_[A-Za-z0-9+/]{43}=$/;
/** The header that PKCS 8 puts before the 32 bytes of an Ed25519 key. Source: RFC 8410 section 7. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** `whsec_` and base64 (HMAC-SHA256, `v1`) or `whsk_` and base64 (Ed25519, `v1a`). */
const SigningSecret = secretText.refine(
  (secret) => SECRET.test(secret.reveal()) || ED25519_SECRET.test(secret.reveal()),
  "expected whsec_ or whsk_ and base64, 24 to 64 bytes",
);

/** @internal */
export const WebhookOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** The newest first. */
  secrets: z.array(SigningSecret).max(5).default([]),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().regex(/^[\x20-\x7e]{0,1024}$/)).default({}),
});
export const webhook = notifierKind({
  kind: "webhook",
  isRecord: true,
  options: WebhookOptions,
  open: (options, { post, now }) => ({
    async send(notification, signal) {
      const body = JSON.stringify(webhookBody(notification));
      // A later message of the same kind (a repeat, a second acknowledgement) must not be taken for a retry of this one.
      const { key, action, reason, since } = notification;
      const id = contentId("webhook", key, action, reason, String(since));
      const seconds = Math.floor(now() / 1_000);
      const headers: Record<string, string> = {
        ...options.headers,
        "content-type": "application/json",
        "webhook-id": `msg_${id}`,
        "webhook-timestamp": String(seconds),
      };
      if (options.secrets.length > 0) {
        headers["webhook-signature"] = options.secrets
          .map((secret) => signature(secret.reveal(), `msg_${id}`, seconds, body))
          .join(" ");
      }
      const answer = await post({ url: options.url, headers, body }, signal);
      return resultOf(answer, now(), "delivered");
    },
  }),
});

function webhookBody(notification: Notification): unknown {
  const { action, at } = notification;
  return { type: `incident.${action}`, timestamp: isoOf(at), data: incidentData(notification) };
}

/**
 * A signature as the header carries it.
 * @internal
 */
export function signature(secret: string, id: string, seconds: number, body: string): string {
  if (secret.startsWith("whsec_")) return new Webhook(secret).sign(id, new Date(seconds * 1_000), body);
  const seed = Buffer.from(secret.slice("whsk_".length), "base64");
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  return `v1a,${sign(null, Buffer.from(`${id}.${seconds}.${body}`, "utf8"), key).toString("base64")}`;
}
