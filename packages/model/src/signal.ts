/**
 * A signal: one rule matched one event. It carries what the fold needs and no more: who logged it, whom it speaks about,
 * the values the detection bound, and a reference to the event.
 */
import { z } from "zod";
import { HostId } from "./host.ts";
import { EventId, SignalId } from "./identity.ts";
import { EpochMs } from "./instant.ts";

/** What an incident shows of an event; the event itself stays in the SIEM. */
export const EventRef = z.object({
  id: EventId,
  host: HostId,
  provider: z.string(),
  eventId: z.number().int(),
  channel: z.string(),
  level: z.number().int(),
  /** The host's own stamp. */
  at: EpochMs,
  recordId: z.exactOptional(z.string()),
  /** The message, or the data where there is none; clipped. Hostile text. */
  summary: z.string(),
});
export type EventRef = Readonly<z.infer<typeof EventRef>>;

/** What is known of a host at the time of the event. Names are folded hosts, else names as people know them. */
export const HostRelations = z.object({
  host: z.string(),
  cluster: z.exactOptional(z.string()),
  hypervisor: z.exactOptional(z.string()),
  /** The cluster of its Hyper-V host. */
  hypervisorCluster: z.exactOptional(z.string()),
  protectionServers: z.array(z.string()),
  domain: z.exactOptional(z.string()),
  places: z.array(z.string()),
  /** Domains that it is a domain controller of, and the PDC emulator. */
  controllerOf: z.exactOptional(z.array(z.string())),
  pdcOf: z.exactOptional(z.array(z.string())),
});
export type HostRelations = Readonly<z.infer<typeof HostRelations>>;

export const Signal = z.object({
  id: SignalId,
  /** The detection's `name`. */
  rule: z.string(),
  event: EventRef,
  /** Who logged it. */
  host: HostId,
  /** The machine it speaks about, where that is another one; folded. */
  subject: z.exactOptional(z.string()),
  /** Values the detection bound, by name. */
  bindings: z.record(z.string(), z.string()),
  /** Event time; for a record written after a restart the fold infers when it happened. */
  at: EpochMs,
  /** When it reached us. */
  receivedAt: EpochMs,
  /** The logger and every machine named, with what is known of each. */
  hosts: z.array(HostRelations),
  /** The machines named beside the logger, as the record wrote them; folded. */
  said: z.exactOptional(z.array(z.string())),
});
export type Signal = Readonly<z.infer<typeof Signal>>;

/**
 * Records of one log of one host that arrived in one stretch: the proof that absence may count.
 * `firstRecordId` and `lastRecordId` are given where records carry ids; `count` tells whether all between arrived.
 */
export const Coverage = z.object({
  host: HostId,
  channel: z.string(),
  from: EpochMs,
  to: EpochMs,
  count: z.number().int().min(1),
  firstRecordId: z.exactOptional(z.number()),
  lastRecordId: z.exactOptional(z.number()),
});
export type Coverage = Readonly<z.infer<typeof Coverage>>;
