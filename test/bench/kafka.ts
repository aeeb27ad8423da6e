/**
 * `npm run bench:kafka`: the services on one broker of this machine: what a process takes, matches and folds, how long a page
 * takes, what idles, what a kill costs. Broker, services and sender share the machine, so processor time says more than rates.
 */
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { TOPICS } from "@culprit/model";
import { type Cluster, eventually, openCluster, sendDocuments } from "../broker/cluster.ts";
import { type CulpritProcess, metricOf } from "../broker/culprit-process.ts";
import { type Broker, startJarBroker } from "../broker/jar-broker.ts";
import { findKafkaJars } from "../broker/kafka-jars.ts";
import { cpuOf, cpuOfPid, during } from "./kafka/cpu.ts";
import { type Feed, sendFor } from "./kafka/load.ts";
import { PROBE_PLAYBOOK, probe, writeProbeKnowledge } from "./kafka/probe-knowledge.ts";

const PARTITIONS = 12;
/** The defaults of the config. */
const SESSION_MS = 15_000;
const HEARTBEAT_MS = 1_000;
const SEND_S = 10;
const LOAD_S = 20;
const IDLE_S = 20;
const BACKLOG_RECORDS = 60_000;
const PROBES = 100;
const MILLION = 1_000_000;
/** One in a hundred, as in the bench of `analyze`. */
const USUAL: Feed = { wantedEvery: 100 };
const ALL_WANTED: Feed = { wantedEvery: 1 };

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const tell = (name: string, text: string): void => console.log(`  ${name.padEnd(58)} ${text}`);

/** Everything in turn, on topics of its own where it must not find what came before. */
async function main(broker: Broker): Promise<void> {
  const playbooks = writeProbeKnowledge();
  try {
    const shared = {
      partitions: PARTITIONS,
      sessionMs: SESSION_MS,
      heartbeatMs: HEARTBEAT_MS,
      playbooks,
      retain: "selected",
    } as const;
    const ingestRate = await inCluster(broker, shared, (cluster) => accepting(cluster, broker));
    await inCluster(broker, shared, (cluster) => matching(cluster, broker));
    await inCluster(broker, shared, (cluster) => paging(cluster, ingestRate / 2));
  } finally {
    rmSync(playbooks, { recursive: true, force: true });
  }
}

async function inCluster<T>(
  { address }: Broker,
  options: Parameters<typeof openCluster>[1],
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  await using cluster = await openCluster(address, options);
  return await work(cluster);
}

/** Records a second that one `ingest` takes, and two. */
async function accepting(cluster: Cluster, broker: Broker): Promise<number> {
  const first = await cluster.start("ingest");
  await sendFor([first.url], USUAL, { seconds: 2 });
  const [[one, brokerCpu], cpu] = await during(
    () => cpuOf(first),
    () =>
      during(
        () => cpuOfPid(broker.pid),
        () => sendFor([first.url], USUAL, { seconds: SEND_S }),
      ),
  );
  const rate = one.records / one.seconds;
  tell("accepted by one ingest, 1 in 100 wanted", `${whole(rate)} records/s, ${whole(one.refused)} refused`);
  tell("  processor of ingest", `${whole((MILLION * cpu) / one.records)} s per million records`);
  tell("  processor of the broker", `${whole((MILLION * brokerCpu) / one.records)} s per million records`);
  const second = await cluster.start("ingest");
  const both = await sendFor([first.url, second.url], USUAL, { seconds: SEND_S });
  tell("accepted by two ingest", `${whole(both.records / both.seconds)} records/s`);
  return rate;
}

/** A backlog of wanted events through one `correlate`. */
async function matching(cluster: Cluster, broker: Broker): Promise<void> {
  const ingest = await cluster.start("ingest");
  await sendFor([ingest.url], ALL_WANTED, { records: BACKLOG_RECORDS });
  const correlate = await cluster.start("correlate");
  const began = performance.now();
  const [, brokerCpu] = await during(
    () => cpuOfPid(broker.pid),
    () => eventually(async () => (await lagOf(cluster, "match", TOPICS.events.name)) === 0, 300_000),
  );
  const matchedS = (performance.now() - began) / 1_000;
  await eventually(async () => (await lagOf(cluster, "fold", TOPICS.signals.name)) < PARTITIONS * PARTITIONS, 300_000);
  const foldedS = (performance.now() - began) / 1_000;
  const inputs = (await cluster.read(TOPICS.signals.name)).filter(({ value }) => kindOf(value) === "signal").length;
  const cpu = await cpuOf(correlate);
  tell("a backlog matched by one correlate, each event wanted", `${whole(BACKLOG_RECORDS / matchedS)} events/s`);
  tell("  folded meanwhile, in the same process", `${whole(inputs / foldedS)} signals/s (${whole(inputs)} signals)`);
  tell("  processor of correlate, start included", `${whole((MILLION * cpu) / BACKLOG_RECORDS)} s per million events`);
  tell("  processor of the broker", `${whole((MILLION * brokerCpu) / BACKLOG_RECORDS)} s per million events`);
}

/** Time to a page under load, idle processors, and what a kill costs. */
async function paging(cluster: Cluster, recordsPerSecond: number): Promise<void> {
  const [ingest, correlate, notify, console_] = await Promise.all(
    ["ingest", "correlate", "notify", "console"].map((verb) => cluster.start(verb)),
  );
  if (ingest === undefined || correlate === undefined || notify === undefined || console_ === undefined) return;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  for (const [name, service] of Object.entries({ ingest, correlate, notify, console: console_ })) {
    const [, cpu] = await during(
      () => cpuOf(service),
      () => new Promise((resolve) => setTimeout(resolve, (IDLE_S * 1_000) / 4)),
    );
    tell(`idle ${name}`, `${((100 * cpu) / (IDLE_S / 4)).toFixed(2)} % of a core`);
  }

  const rate = Math.min(recordsPerSecond, 10_000);
  const load = sendFor([ingest.url], USUAL, { seconds: LOAD_S, recordsPerSecond: rate });
  const sentAt = new Map<string, number>();
  for (let n = 0; n < PROBES; n += 1) {
    const host = `probe${n}.contoso.example`;
    await sendDocuments(ingest.url, [probe(host)]);
    sentAt.set(host, Date.now());
    await new Promise((resolve) => setTimeout(resolve, (LOAD_S * 1_000) / PROBES / 2));
  }
  await load;
  await eventually(() => [...sentAt.keys()].every((host) => pagedAt(cluster, host) !== undefined));
  const times = [...sentAt].map(([host, at]) => (pagedAt(cluster, host) ?? at) - at).sort((a, b) => a - b);
  const part = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? Number.NaN;
  tell(`accepted record to delivered page at ${whole(rate)} records/s`, `p50 ${part(0.5)} ms, p99 ${part(0.99)} ms`);

  await recovering(cluster, ingest, correlate);
}

/** One of two `correlate` is killed: until the other has its partitions, and until a record on each has been paged. */
async function recovering(cluster: Cluster, ingest: CulpritProcess, survivor: CulpritProcess): Promise<void> {
  const alone = await metricOf(survivor, "culprit_bus_partitions_read");
  const victim = await cluster.start("correlate");
  const hosts = Array.from({ length: 4 * PARTITIONS }, (_, n) => `after${n}.contoso.example`);
  const killedAt = Date.now();
  await victim.end("SIGKILL");
  await sendDocuments(ingest.url, hosts.map(probe));
  await eventually(async () => (await metricOf(survivor, "culprit_bus_partitions_read")) === alone);
  const owned = Date.now() - killedAt;
  await eventually(() => hosts.every((host) => pagedAt(cluster, host) !== undefined));
  const paged = Math.max(...hosts.map((host) => pagedAt(cluster, host) ?? 0)) - killedAt;
  const session = `session ${SESSION_MS / 1_000} s`;
  tell(`kill of one of two correlate, ${session}: taken over after`, `${(owned / 1_000).toFixed(1)} s`);
  tell("  last page of records sent right after the kill", `${(paged / 1_000).toFixed(1)} s`);
}

function pagedAt({ told }: Cluster, host: string): number | undefined {
  return told.find(({ playbook, hosts }) => playbook === PROBE_PLAYBOOK && hosts.includes(host))?.at;
}

async function lagOf({ bus }: Cluster, group: string, topic: string): Promise<number> {
  return (await bus.progress(group, topic)).reduce((sum, { position, end }) => sum + end - position, 0);
}

function kindOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
}

const jars = findKafkaJars();
if ("missing" in jars) {
  console.log(`left out: the bench on Kafka (${jars.missing})`);
} else {
  console.log(`\nkafka (one broker, services and sender on ${availableParallelism()} cores)`);
  const broker = await startJarBroker(jars);
  try {
    await main(broker);
  } finally {
    await broker.stop();
  }
}
