/**
 * What a notifier was told about an incident, and what is still to be told: one record per incident and notifier on the
 * compacted topic `deliveries`, under the key `<incident>/<notifier>`. It is written before and after each attempt, so that
 * a restart neither forgets a page nor opens a second one.
 */
import { z } from "zod";
import { ID_PATTERN, IncidentId } from "./identity.ts";
import { IncidentStatus, Severity, Verdict } from "./incident.ts";
import { EpochMs } from "./instant.ts";

export const DELIVERY_ACTIONS = ["trigger", "update", "resolve"] as const;
export const DeliveryAction = z.enum(DELIVERY_ACTIONS);
export type DeliveryAction = z.infer<typeof DeliveryAction>;

/** What the target knows: the state that was last accepted there. */
export const Told = z.object({
  incident: IncidentId,
  revision: z.number().int(),
  status: IncidentStatus,
  severity: Severity,
  verdict: Verdict,
  topCause: z.string(),
  at: EpochMs,
});
export type Told = Readonly<z.infer<typeof Told>>;

/** ok: taken; later: try again; never: this message will not be taken; auth: nothing will be until a person acts. */
export const DELIVERY_RESULTS = ["ok", "later", "never", "auth"] as const;

export const Delivery = z.object({
  incident: IncidentId,
  notifier: z.string(),
  /** Counts the writes of this record; of two versions the higher one is newer. */
  step: z.number().int().min(1),
  /** The de-duplication key at the target: 64 hex digits, the same for every message about one outage. */
  key: z.string().regex(ID_PATTERN),
  /** What the target holds: nothing, perhaps a page (a send without a recorded answer), an open page, a closed one. */
  held: z.enum(["none", "maybe", "open", "closed"]),
  told: z.exactOptional(Told),
  /** Since when the target holds the page that is open there. */
  openedAt: z.exactOptional(EpochMs),
  /** What is being sent, from before the first attempt until it is taken. */
  intent: z.exactOptional(
    z.object({
      action: DeliveryAction,
      reason: z.string(),
      revision: z.number().int(),
      since: EpochMs,
      attempts: z.number().int().min(0),
    }),
  ),
  outcome: z.exactOptional(
    z.object({
      action: DeliveryAction,
      revision: z.number().int(),
      at: EpochMs,
      result: z.enum(DELIVERY_RESULTS),
      /** Only with `ok`: many targets accept first and deliver later. */
      certainty: z.exactOptional(z.enum(["accepted", "delivered"])),
      /** For a person, without secrets; hostile text. */
      detail: z.string(),
    }),
  ),
  /** What the target has said since the page was closed, where it can be asked. */
  closing: z.exactOptional(
    z.object({
      /** It has said that the page is not open. */
      isProven: z.boolean(),
      /** How often it had the page open although it had taken the resolve. */
      stillOpen: z.number().int().min(0),
    }),
  ),
  /** Since when the fallback notifier was asked instead. */
  handedOverAt: z.exactOptional(EpochMs),
  /** The wider incident that took this page over. */
  heldBy: z.exactOptional(IncidentId),
  /** What the target needs to find the page again (message ids). */
  remote: z.record(z.string(), z.string()),
});
export type Delivery = Readonly<z.infer<typeof Delivery>>;

/** The key of a delivery's message. */
export function deliveryKey(delivery: Pick<Delivery, "incident" | "notifier">): string {
  return `${delivery.incident}/${delivery.notifier}`;
}
