/** Reads a value of the `signals` topic; our own stages wrote it, so the envelope is checked and signals in full. */
import type { Input } from "@culprit/correlator";
import { Coverage, EpochMs, EventId, HostRelations, ID_PATTERN, IncidentId, Severity, Signal } from "@culprit/model";
import { z } from "zod";
import type { SourceTick } from "./match-task.ts";

const Announcement = z.object({
  id: IncidentId,
  playbook: z.string(),
  home: z.string(),
  title: z.string(),
  severity: Severity,
  hosts: z.array(z.string()),
  relations: HostRelations,
  hypervisors: z.array(z.string()),
  startedAt: z.number(),
  startedBy: z.exactOptional(z.number()),
  lastAt: z.number(),
  detectedAt: z.number(),
  topCause: z.string(),
  labels: z.record(z.string(), z.string()),
  gone: z.boolean(),
});

const ACT = { incident: IncidentId, at: EpochMs, id: z.string().regex(ID_PATTERN) };
const Act = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["resolve", "reopen"]), ...ACT }),
  z.object({ kind: z.enum(["unlink", "relink"]), ...ACT, event: EventId }),
]);

const SourceTime = z.object({
  source: z.string(),
  at: z.exactOptional(z.number()),
  since: z.number(),
  through: z.number(),
});

const FoldInput = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("signal"), key: z.string(), signal: Signal }),
  z.object({ kind: z.literal("coverage"), key: z.string(), coverage: Coverage }),
  z.object({
    kind: z.literal("blind"),
    key: z.string(),
    host: z.string(),
    blind: z.object({ from: z.number(), to: z.number() }),
  }),
  z.object({ kind: z.literal("announcement"), key: z.string(), announcement: Announcement }),
  z.object({
    kind: z.literal("link"),
    key: z.string(),
    child: IncidentId,
    link: z.object({ parent: IncidentId, order: z.string() }),
    holds: z.boolean(),
  }),
  z.object({ kind: z.literal("act"), act: Act }),
  z.object({ kind: z.literal("tick"), sources: z.array(SourceTime) }),
]);

/** The input, or `undefined` for what no version of ours wrote. */
export function readInput(value: unknown): Exclude<Input, { kind: "tick" }> | SourceTick | undefined {
  const parsed = FoldInput.safeParse(value);
  return parsed.success ? (parsed.data as Exclude<Input, { kind: "tick" }> | SourceTick) : undefined;
}
