/** The values of the `events` topic: one event that some rule may want, or the summary of what arrived of one log. */
import { z } from "zod";
import { WindowsEvent } from "./event.ts";
import { EventId } from "./identity.ts";
import { EpochMs } from "./instant.ts";
import { Coverage } from "./signal.ts";

export const EventArrival = z.object({
  kind: z.literal("event"),
  /** `eventIdentity` of the event: a record that is sent again has the same. */
  id: EventId,
  /** When it reached us, by our clock. */
  receivedAt: EpochMs,
  /** How it came: the receiver, and the format it was read as. */
  receiver: z.string(),
  format: z.string(),
  event: WindowsEvent,
});
export type EventArrival = Readonly<Omit<z.infer<typeof EventArrival>, "event">> & { readonly event: WindowsEvent };

export const CoverageArrival = z.object({ kind: z.literal("coverage"), ...Coverage.shape });
export type CoverageArrival = Readonly<z.infer<typeof CoverageArrival>>;

export const Arrival = z.discriminatedUnion("kind", [EventArrival, CoverageArrival]);
export type Arrival = EventArrival | CoverageArrival;
