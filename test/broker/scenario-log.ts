/**
 * The development scenarios as one log for a cluster: each takes place in days of its own, hosts and clusters are told apart by
 * their names already. After each log time goes on in steps, as it does where other hosts log all the time.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DAY_MS, type EpochMs, HOUR_MS, isoOf, MINUTE_MS, SECOND_MS } from "@culprit/model";
import { z } from "zod";
import { partitionOf } from "../../packages/bus/src/partition.ts";

const FILE = fileURLToPath(new URL("../../../shared/domain/scenarios-dev.jsonl", import.meta.url));

/** Whether the scenarios are beside the checkout. */
export const hasScenarios = existsSync(FILE);

const Names = z.record(z.string(), z.array(z.string())).default({});
const Scenario = z.object({
  id: z.string(),
  t0: z.iso.datetime().transform((text) => Date.parse(text)),
  topology: z
    .object({ clusters: Names, vmHost: z.record(z.string(), z.string()).default({}), dpm: Names })
    .prefault({}),
  events: z.array(
    z.object({
      offsetSeconds: z.number(),
      deliverOffsetSeconds: z.exactOptional(z.number()),
      computer: z.string(),
      channel: z.string(),
      provider: z.string(),
      eventId: z.number(),
      level: z.string().default("Information"),
      data: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).default([]),
      message: z.string().default(""),
    }),
  ),
});
type Scenario = z.output<typeof Scenario>;
type ScenarioEvent = Scenario["events"][number];

export interface ScenarioLog {
  /** The text of a topology file for all of them. */
  readonly topology: string;
  readonly chapters: readonly Chapter[];
}

/** A scenario, and the quiet time after it. */
export interface Chapter {
  readonly id: string;
  /** Documents as Winlogbeat sends them, in order of delivery. */
  readonly story: readonly object[];
  readonly steps: readonly Step[];
}

/** A moment at which hosts in every partition log something of no interest, and again right after, so that it is over. */
export interface Step {
  readonly at: EpochMs;
  readonly documents: readonly object[];
}

/** Longer than any playbook looks back or ahead. */
const APART_MS = 17 * DAY_MS;
/** After the last record of a scenario: where something may be due. */
const STEPS_MS: readonly number[] = [
  ...[1, 20, 40, 70, 100, 150].map((seconds) => seconds * SECOND_MS),
  ...[4, 6, 11, 16, 35].map((minutes) => minutes * MINUTE_MS),
  ...[1.1, 2.5, 6.5, 15, 49].map((hours) => hours * HOUR_MS),
  9 * DAY_MS,
];

/** With the first event so much later the time before it is told. */
const OVER_MS = 11 * SECOND_MS;

/** Reads the scenarios and lays out those wanted so that the last ends some days before `now`. */
export function scenarioLog(options: {
  readonly now: EpochMs;
  /** Of `events`. */
  readonly partitions: number;
  readonly isWanted: (place: number) => boolean;
}): ScenarioLog {
  const scenarios = readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line, n) => line !== "" && options.isWanted(n))
    .map((line) => Scenario.parse(JSON.parse(line)));
  const quietHosts = hostsInEach(options.partitions);
  const firstDay = Math.floor(options.now / DAY_MS) * DAY_MS - (scenarios.length + 1) * APART_MS;
  const chapters = scenarios.map((scenario, n) => {
    const shiftMs = firstDay + n * APART_MS - Math.floor(scenario.t0 / DAY_MS) * DAY_MS;
    const last = scenario.t0 + shiftMs + 1_000 * Math.max(...scenario.events.map(deliveredAt));
    const steps = STEPS_MS.map((after, i) => {
      const record = 2 * (n * STEPS_MS.length + i) + 1;
      const at = last + after;
      const pair = (host: string) => [quietDocument(host, at, record), quietDocument(host, at + OVER_MS, record + 1)];
      return { at, documents: quietHosts.flatMap(pair) };
    });
    return { id: scenario.id, story: storyOf(scenario, shiftMs), steps };
  });
  const facts = scenarios.flatMap(factsOf);
  return { topology: `facts:\n${facts.map((fact) => `  - ${JSON.stringify(fact)}\n`).join("")}`, chapters };
}

/** A host's name for each partition. */
function hostsInEach(partitions: number): readonly string[] {
  const found = new Map<number, string>();
  for (let n = 0; found.size < partitions; n += 1) {
    const host = `quiet${n}.culprit.example`;
    const partition = partitionOf(host, partitions);
    if (!found.has(partition)) found.set(partition, host);
  }
  return [...found.values()];
}

function factsOf({ topology }: Scenario): object[] {
  return [
    ...Object.entries(topology.clusters).flatMap(([to, hosts]) =>
      hosts.map((from) => ({ kind: "member-of-cluster", from, to })),
    ),
    ...Object.entries(topology.vmHost).map(([from, to]) => ({ kind: "runs-on", from, to })),
    ...Object.entries(topology.dpm).flatMap(([to, hosts]) => hosts.map((from) => ({ kind: "protected-by", from, to }))),
  ];
}

function deliveredAt({ offsetSeconds, deliverOffsetSeconds }: ScenarioEvent): number {
  return deliverOffsetSeconds ?? offsetSeconds;
}

/** Record ids run without a gap per log, in order of event time. */
function storyOf({ t0, events }: Scenario, shiftMs: number): readonly object[] {
  const next = new Map<string, number>();
  const numbered = events
    .toSorted((a, b) => a.offsetSeconds - b.offsetSeconds)
    .map((event) => {
      const log = `${event.computer} ${event.channel}`;
      const id = (next.get(log) ?? 1_000) + 1;
      next.set(log, id);
      return { event, id };
    });
  return numbered
    .toSorted((a, b) => deliveredAt(a.event) - deliveredAt(b.event))
    .map(({ event, id }) => documentOf(event, { id, t0: t0 + shiftMs, day: slashedDay }));

  /** 6008 says in its text when the machine went down. */
  function slashedDay(text: string): string {
    return text.replaceAll(daySlashed(t0), daySlashed(t0 + shiftMs));
  }
}

function daySlashed(at: number): string {
  const [year, month, day] = isoOf(at).slice(0, 10).split("-");
  return `${day}/${month}/${year}`;
}

function documentOf(
  event: ScenarioEvent,
  { id, t0, day }: { readonly id: number; readonly t0: number; readonly day: (text: string) => string },
): object {
  const created = isoOf(t0 + deliveredAt(event) * 1_000);
  const pairs = Array.isArray(event.data)
    ? event.data.map((value, n) => [`param${n + 1}`, value] as const)
    : Object.entries(event.data);
  const data = Object.fromEntries(pairs.map(([name, value]) => [name, day(String(value))]));
  const inUserData = event.provider.startsWith("Microsoft-Windows-Hyper-V-") && !Array.isArray(event.data);
  return {
    "@timestamp": isoOf(t0 + event.offsetSeconds * 1_000),
    event: { code: String(event.eventId), kind: "event", provider: event.provider, created },
    host: { name: event.computer },
    log: { level: event.level.toLowerCase() },
    message: day(event.message),
    winlog: {
      channel: event.channel,
      provider_name: event.provider,
      event_id: String(event.eventId),
      record_id: String(id),
      computer_name: event.computer,
      api: "wineventlog",
      [inUserData ? "user_data" : "event_data"]: data,
    },
  };
}

function quietDocument(host: string, at: EpochMs, record: number): object {
  return {
    "@timestamp": isoOf(at),
    event: { code: "7036", kind: "event", provider: "Service Control Manager", created: isoOf(at) },
    host: { name: host },
    log: { level: "information" },
    winlog: {
      channel: "System",
      provider_name: "Service Control Manager",
      event_id: "7036",
      record_id: String(record),
      computer_name: host,
      event_data: { param1: "Quiet", param2: "running" },
    },
  };
}
