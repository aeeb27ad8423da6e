/** An incident as users, notifiers and scripts see it: the contract's JSON. Instants are ISO 8601 UTC here. */
import { z } from "zod";
import { EventId, IncidentId } from "./identity.ts";

export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export const Severity = z.enum(SEVERITIES);
export type Severity = z.infer<typeof Severity>;

export const VERDICTS = ["confirmed", "likely", "tied", "not-enough-evidence"] as const;
export const Verdict = z.enum(VERDICTS);
export type Verdict = z.infer<typeof Verdict>;

export const IncidentStatus = z.enum(["open", "acknowledged", "resolved", "closed"]);
export type IncidentStatus = z.infer<typeof IncidentStatus>;

const Instant = z.iso.datetime({ precision: 3 });

export const ScopeEntry = z.object({
  kind: z.enum(["host", "cluster", "vm", "domain", "place"]),
  id: z.string(),
  role: z.string(),
});
export type ScopeEntry = Readonly<z.infer<typeof ScopeEntry>>;

/** One reason for or against a cause. `points` are decibans: ten times log10 of the likelihood ratio. */
export const Reason = z.object({ points: z.number(), text: z.string(), events: z.array(EventId) });
export type Reason = Readonly<z.infer<typeof Reason>>;

/** What would tell more, and the command that collects it. */
export const Missing = z.object({ text: z.string(), collect: z.exactOptional(z.string()) });
export type Missing = Readonly<z.infer<typeof Missing>>;

export const RankedCause = z.object({
  id: z.string(),
  title: z.string(),
  summary: z.string(),
  /** Share of the whole, rounded to 0.05; all shares of an incident sum to about 1. */
  share: z.number().min(0).max(1),
  points: z.number(),
  for: z.array(Reason),
  against: z.array(Reason),
  missing: z.array(Missing),
  actions: z.array(z.string()),
  references: z.array(z.string()),
});
export type RankedCause = Readonly<z.infer<typeof RankedCause>>;

export const TimelineEntry = z.object({
  at: Instant,
  loggedAt: Instant,
  host: z.string(),
  provider: z.string(),
  eventId: z.number().int(),
  channel: z.string(),
  summary: z.string(),
  /** `trigger`, `evidence`, `context` or `recovery`. */
  role: z.enum(["trigger", "evidence", "context", "recovery"]),
  event: EventId,
});
export type TimelineEntry = Readonly<z.infer<typeof TimelineEntry>>;

export const Incident = z.object({
  id: IncidentId,
  revision: z.number().int().min(1),
  playbook: z.string(),
  playbookVersion: z.number().int(),
  programHash: z.string(),
  title: z.string(),
  severity: Severity,
  status: IncidentStatus,
  verdict: Verdict,
  /** Every window has passed: the ranking will not change any more but by records that are later than allowed. */
  settled: z.boolean(),
  parent: z.exactOptional(IncidentId),
  /** The one before it of the same playbook and entity, where this is its return. */
  previous: z.exactOptional(IncidentId),
  scope: z.array(ScopeEntry),
  startedAt: Instant,
  detectedAt: Instant,
  updatedAt: Instant,
  endedAt: z.exactOptional(Instant),
  causes: z.array(RankedCause).min(1),
  /** What experience shows people blame, and why it is not so. */
  notCauses: z.array(z.string()),
  /** Short facts for the head of the page: how long it was down, where roles went. */
  facts: z.array(z.string()),
  timeline: z.array(TimelineEntry),
  unknown: z.array(z.string()),
  children: z.array(IncidentId),
  occurrences: z.number().int().min(1),
  first: Instant,
  last: Instant,
});
export type Incident = Readonly<z.infer<typeof Incident>>;

/** -1 when `a` is the graver, 1 when `b` is, 0 when equal. */
export function compareSeverity(a: Severity, b: Severity): number {
  return Math.sign(SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b));
}
