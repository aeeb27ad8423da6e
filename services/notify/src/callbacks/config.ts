/** The config of what comes back from people: where to listen, how links are signed, whose calls are believed. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@culprit/model";
import { type Secret, secretText } from "@culprit/runtime";
import { z } from "zod";

const LINK_KEY_MIN_LENGTH = 32;
const SECRET_MIN_LENGTH = 16;

const secretOf = (least: number) =>
  secretText.refine((secret) => secret.reveal().length >= least, `expected at least ${least} characters`);
const Secretly = secretOf(SECRET_MIN_LENGTH);
const LinkKey = secretOf(LINK_KEY_MIN_LENGTH);

export const CallbackConfig = z
  .strictObject({
    /** A port of its own: only this needs to be reached from outside, not the console. */
    host: z.string().default("127.0.0.1"),
    port: z.int().min(0).max(65_535).default(8090),
    /** Addresses and networks of proxies in front, whose X-Forwarded-For is believed. */
    trustedProxies: z.array(z.string().min(1)).max(50).default([]),
    /** How long an acknowledgement from elsewhere holds; until it is over unless given. */
    acknowledgeForMs: z.exactOptional(
      z
        .int()
        .min(MINUTE_MS)
        .max(7 * DAY_MS),
    ),
    /** Signed links on pages: with a key there are some, without none. While a key is replaced both are believed. */
    links: z.exactOptional(
      z.strictObject({
        /** Where people reach this port; without a trailing slash. */
        url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
        key: LinkKey,
        previousKey: z.exactOptional(LinkKey),
        maxAgeMs: z
          .int()
          .min(MINUTE_MS)
          .max(30 * DAY_MS)
          .default(24 * HOUR_MS),
      }),
    ),
    /** Of the webhook subscription at PagerDuty. */
    pagerduty: z.exactOptional(z.strictObject({ secret: Secretly, previousSecret: z.exactOptional(Secretly) })),
    /** Of the Slack app. */
    slack: z.exactOptional(
      z.strictObject({ signingSecret: Secretly, previousSigningSecret: z.exactOptional(Secretly) }),
    ),
    /** As given to Telegram's `setWebhook`. */
    telegram: z.exactOptional(
      z.strictObject({ secretToken: Secretly, previousSecretToken: z.exactOptional(Secretly) }),
    ),
  })
  .describe("what comes back from people");
export type CallbackConfig = z.output<typeof CallbackConfig>;

/** The key in use, then the one before it. */
export function keysOf(key: Secret, previous: Secret | undefined): readonly [Secret, ...Secret[]] {
  return previous === undefined ? [key] : [key, previous];
}
