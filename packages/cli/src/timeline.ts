/**
 * Timelines: the tests of playbooks. Events with offsets go in, through the whole offline chain; the incidents that stand at
 * the end are compared with those expected. `docs/playbooks.md` explains the file to authors.
 */
import { createOffline, type RuleMatcher } from "@culprit/correlator";
import {
  durationMs,
  type EpochMs,
  type Fact,
  FactKind,
  foldHost,
  type Incident,
  levelOf,
  namedData,
  positionalData,
  SEVERITIES,
  shortName,
  VERDICTS,
  type WindowsEvent,
} from "@culprit/model";
import type { CodeTables, Program } from "@culprit/rules";
import { z } from "zod";

const Offset = z.string().transform((text, context) => {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: "an offset such as -14m, 0s or 2h" });
  return z.NEVER;
});
const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const PlainEvent = z.strictObject({
  at: Offset,
  on: z.string(),
  log: z.string().default("System"),
  source: z.string(),
  id: z.number().int(),
  level: z.string().default("Error"),
  data: z.union([z.array(Scalar), z.record(z.string(), Scalar)]).default([]),
  message: z.string().default(""),
  /** When it arrives; default: three seconds later. */
  received: z.exactOptional(Offset),
  /** Sent so many times. */
  times: z.number().int().min(1).max(500).default(1),
  /** Between repeats of `times`. */
  every: Offset.default(0),
  /** Its record id, where that is not the next of its log; later ones go on from it. */
  record: z.exactOptional(z.number().int().min(1)),
});
/** A start of Windows, as it is logged: 12, 6005, and after a crash 41, 6008 and, with a bugcheck, 1001. */
const BootEvent = z.strictObject({
  at: Offset,
  on: z.string(),
  boot: z.enum(["clean", "unexpected", "bugcheck"]),
  code: Scalar.default("0"),
  args: z.array(z.string()).max(4).default([]),
  powerButton: Scalar.default("0"),
  received: z.exactOptional(Offset),
});
const Expected = z.strictObject({
  playbook: z.string(),
  cause: z.string(),
  hosts: z.array(z.string()).default([]),
  verdict: z.exactOptional(z.enum(VERDICTS)),
  severity: z.exactOptional(z.enum(SEVERITIES)),
  status: z.exactOptional(z.string()),
  occurrences: z.exactOptional(z.number().int()),
  children: z.exactOptional(z.number().int()),
  /** Texts that stand somewhere in the incident, without regard to case. */
  says: z.array(Scalar).default([]),
});
const Timeline = z.strictObject({
  name: z.string(),
  start: z.iso.datetime().default("2026-03-10T02:00:00Z"),
  topology: z.array(z.strictObject({ kind: FactKind, from: z.string(), to: z.string() })).default([]),
  events: z.array(z.union([PlainEvent, BootEvent])).min(1),
  /** Incidents without a parent and graver than info; an empty list asks for silence. */
  expect: z.array(Expected),
});
export const TimelineFile = z.strictObject({ playbook: z.string(), timelines: z.array(Timeline).min(1) });
export type Timeline = z.output<typeof Timeline>;

export interface Outcome {
  readonly name: string;
  /** Empty when all came as expected. */
  readonly findings: readonly string[];
  readonly incidents: readonly Incident[];
}

const DELIVERY_MS = 3_000;

interface Delivery {
  readonly event: WindowsEvent;
  readonly receivedAt: EpochMs;
}

/** Plays one timeline. `arrange` may change the order of delivery or repeat events. */
export function playTimeline(
  timeline: Timeline,
  parts: { readonly program: Program; readonly matcher: RuleMatcher; readonly tables: CodeTables },
  arrange: (deliveries: readonly Delivery[]) => readonly Delivery[] = (all) => all,
): Outcome {
  const deliveries = deliveriesOf(timeline);
  const facts = timeline.topology.map((fact): Fact => ({ ...fact, source: "file" }));
  const chain = createOffline({ ...parts, facts });
  for (const { event, receivedAt } of arrange(deliveries))
    chain.event(event, receivedAt, { ageMs: receivedAt - event.timeCreated });
  const incidents = chain.finish();
  return { name: timeline.name, incidents, findings: compare(timeline, incidents) };
}

/** The incidents on-call would be paged for. */
export function pagedIncidents(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.filter(
    (incident) => incident.parent === undefined && incident.severity !== "info" && !isWithdrawn(incident),
  );
}

/** Whether later records took an incident back: it was told once, and is none. */
export function isWithdrawn(incident: Incident): boolean {
  return incident.facts.some((fact) => fact.startsWith("Withdrawn"));
}

function compare(timeline: Timeline, incidents: readonly Incident[]): string[] {
  const paged = pagedIncidents(incidents);
  const left = new Set(paged);
  const findings: string[] = [];
  for (const expected of timeline.expect) {
    const near = [...left].filter((incident) => incident.playbook === expected.playbook);
    const found = near.find((incident) => differences(incident, expected).length === 0) ?? near[0];
    if (found === undefined) {
      findings.push(`no incident of ${expected.playbook}`);
      continue;
    }
    left.delete(found);
    findings.push(...differences(found, expected).map((text) => `${expected.playbook}: ${text}`));
  }
  for (const incident of left)
    findings.push(`not expected: ${incident.playbook}, "${incident.title}" (${incident.causes[0]?.id})`);
  return findings;
}

function differences(incident: Incident, expected: z.output<typeof Expected>): string[] {
  const found: string[] = [];
  const differs = (what: string, came: unknown, wanted: unknown): void => {
    if (wanted !== undefined && came !== wanted) found.push(`${what} is ${String(came)}, expected ${String(wanted)}`);
  };
  const top = incident.causes[0];
  if (top?.id !== expected.cause) {
    const list = incident.causes.slice(0, 3).map((cause) => `${cause.id} ${Math.round(cause.share * 100)} %`);
    found.push(`first cause is ${top?.id}, expected ${expected.cause} (${list.join(", ")})`);
  }
  differs("verdict", incident.verdict, expected.verdict);
  differs("severity", incident.severity, expected.severity);
  differs("status", incident.status, expected.status);
  differs("occurrences", incident.occurrences, expected.occurrences);
  differs("number of children", incident.children.length, expected.children);
  const hosts = new Set(incident.scope.filter(({ kind }) => kind === "host").map(({ id }) => shortName(id)));
  for (const host of expected.hosts)
    if (!hosts.has(shortName(host.toLowerCase()))) found.push(`${host} is not in the scope (${[...hosts].join(", ")})`);
  const blob = JSON.stringify(incident).toLowerCase();
  for (const text of expected.says)
    if (!blob.includes(JSON.stringify(text.toLowerCase()).slice(1, -1))) found.push(`"${text}" stands nowhere`);
  return found;
}

type Entry = Timeline["events"][number];

function deliveriesOf(timeline: Timeline): Delivery[] {
  const start = Date.parse(timeline.start);
  const plain = timeline.events.flatMap((entry) => ("boot" in entry ? bootEvents(entry, start) : repeated(entry)));
  const inOrder = plain.map((entry) => ({ entry, at: start + entry.at })).sort((a, b) => a.at - b.at);
  const next = new Map<string, number>();
  return inOrder
    .map(({ entry, at }): Delivery => {
      const log = `${entry.on}\n${entry.log}`;
      const recordId = entry.record ?? (next.get(log) ?? 1000) + 1;
      next.set(log, recordId);
      return { event: eventOf(entry, at, recordId), receivedAt: start + (entry.received ?? entry.at + DELIVERY_MS) };
    })
    .sort((a, b) => a.receivedAt - b.receivedAt);
}

type Plain = z.output<typeof PlainEvent>;

function repeated(entry: Extract<Entry, { source: string }>): Plain[] {
  const { record, ...rest } = entry;
  return Array.from({ length: entry.times }, (_, i) => ({
    ...rest,
    at: entry.at + i * entry.every,
    times: 1,
    ...(record === undefined ? {} : { record: record + i }),
    ...(entry.received === undefined ? {} : { received: entry.received + i * entry.every }),
  }));
}

function eventOf(entry: Plain, at: EpochMs, recordId: number): WindowsEvent {
  const host = foldHost(entry.on);
  if (host === undefined) throw new RangeError(`not a computer name: ${entry.on}`);
  return {
    provider: entry.source,
    channel: entry.log,
    computer: entry.on,
    host,
    eventId: entry.id,
    level: levelOf(entry.level),
    timeCreated: at,
    timeQuality: "event",
    recordId: String(recordId),
    data: Array.isArray(entry.data) ? positionalData(entry.data) : namedData(Object.entries(entry.data)),
    ...(entry.message === "" ? {} : { message: entry.message }),
  };
}

const plainDefaults = { log: "System", level: "Information", data: [] as string[], message: "", times: 1, every: 0 };

/** The records of a start, at the distances they have on real machines. */
function bootEvents(entry: Extract<Entry, { boot: string }>, start: EpochMs): Plain[] {
  const { on, at, boot } = entry;
  const late = (offset: number): { received?: number } =>
    entry.received === undefined ? {} : { received: entry.received + offset };
  const base = (
    offset: number,
  ): Pick<Plain, "at" | "on" | "log" | "level" | "data" | "message" | "times" | "every"> => ({
    ...plainDefaults,
    on,
    at: at + offset,
    ...late(offset),
  });
  const events: Plain[] = [
    {
      ...base(0),
      source: "Microsoft-Windows-Kernel-General",
      id: 12,
      data: { MajorVersion: "10", StartTime: new Date(start + at).toISOString() },
    },
    { ...base(6_000), source: "EventLog", id: 6005 },
  ];
  if (boot === "clean") return events;
  const code = Number(entry.code);
  const parameters = [0, 1, 2, 3].map((i) => entry.args[i] ?? "0x0");
  events.push({
    ...base(4_000),
    source: "Microsoft-Windows-Kernel-Power",
    id: 41,
    level: "Critical",
    data: {
      BugcheckCode: String(code),
      ...Object.fromEntries(parameters.map((value, i) => [`BugcheckParameter${i + 1}`, value])),
      SleepInProgress: "0",
      PowerButtonTimestamp: entry.powerButton,
    },
  });
  events.push({ ...base(6_000), source: "EventLog", id: 6008, level: "Error", data: [] });
  if (boot === "bugcheck") {
    const text = `0x${code.toString(16).padStart(8, "0")} (${parameters.map((value) => `0x${BigInt(value).toString(16).padStart(16, "0")}`).join(", ")})`;
    events.push({
      ...base(25_000),
      source: "Microsoft-Windows-WER-SystemErrorReporting",
      id: 1001,
      level: "Error",
      data: { param1: text, param2: "C:\\Windows\\MEMORY.DMP", param3: "00000000-0000-0000-0000-000000000001" },
    });
  }
  return events;
}
