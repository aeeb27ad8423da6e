/** The demo outage, sent to Culprit as separate processes. */
import { TOPICS } from "@culprit/model";
import { expect } from "vitest";
import { demoDocuments } from "../../packages/cli/src/demo.ts";
import { brokerTest } from "../broker.ts";
import { type Cluster, eventually, openCluster, sendDocuments } from "./cluster.ts";
import { type CulpritProcess, metricOf } from "./culprit-process.ts";

const MAIN_PLAYBOOK = "cluster-hang-9e";
const TIMEOUT_MS = 240_000;
const LONG_SESSION_MS = 300_000;
/** What one `correlate` reads when it is alone: events, signals, actions and the topology. */
const ALL_PARTITIONS = 4 + 4 + 1 + 1;
const POOL_ERRORS = 400;
const POOL_HOSTS = 8;

/** Defines the tests; `address` tells where the broker is once they run. */
export function outageTests(address: () => string): void {
  const timeout = TIMEOUT_MS;

  brokerTest("an outage sent to ingest is paged once by notify, each a process of its own", { timeout }, async () => {
    // A session far longer than this test waits for anything: partitions move only if their owner leaves the group.
    await using cluster = await openCluster(address(), { sessionMs: LONG_SESSION_MS });
    const start = (verb: string) => cluster.start(verb);
    const ingest = await start("ingest");
    const [leaving, staying] = await Promise.all([start("correlate"), start("correlate")]);
    const notify = await start("notify");
    const all = [ingest, leaving, staying, notify];
    for (const { url } of all) expect((await fetch(`${url}/readyz`)).status).toBe(200);

    expect(await sendDocuments(ingest.url, outage())).toBe(200);
    await eventually(() => cluster.told.some(({ playbook }) => playbook === MAIN_PLAYBOOK));
    // Together they read every partition once, but for the topology, which both read.
    expect(await partitionsRead(leaving, staying)).toBe(ALL_PARTITIONS + 1);

    // F47: told to stop with work in hand. What it had begun is committed, the rest is the other's, and nothing is done twice.
    expect(await sendDocuments(ingest.url, poolErrors())).toBe(200);
    expect(await leaving.end("SIGTERM")).toBe(0);
    await eventually(async () => (await partitionsRead(staying)) === ALL_PARTITIONS);
    await eventually(async () => (await lagOf(cluster)) === 0);
    const signals = await poolSignals(cluster);
    expect(signals.length).toBe(POOL_ERRORS);
    expect(new Set(signals).size).toBe(POOL_ERRORS);

    // The last of ingest are summaries of what arrived: they find readers.
    expect(await ingest.end("SIGTERM")).toBe(0);
    await eventually(async () => (await lagOf(cluster)) === 0);
    expect(await Promise.all([staying, notify].map((one) => one.end("SIGTERM")))).toEqual([0, 0]);
    await expectOnePage(cluster);
  });

  brokerTest(
    "F5 F6 one correlate killed and one stopped in an outage: one page, each revision once",
    {
      timeout,
    },
    async () => {
      await using cluster = await openCluster(address());
      const start = (verb: string) => cluster.start(verb);
      const [ingest, stopped, killed] = await Promise.all([start("ingest"), start("correlate"), start("correlate")]);
      await start("notify");
      const documents = outage();
      const half = Math.floor(documents.length / 2);
      expect(await sendDocuments(ingest.url, documents.slice(0, half))).toBe(200);
      stopped.signal("SIGSTOP");
      expect(await sendDocuments(ingest.url, documents.slice(half))).toBe(200);
      await eventually(() => cluster.told.some(({ playbook }) => playbook === MAIN_PLAYBOOK));

      stopped.signal("SIGCONT");
      killed.signal("SIGKILL");
      // Everything is in the hands of the one that was stopped.
      await eventually(async () => (await partitionsRead(stopped)) === ALL_PARTITIONS);
      expect(stopped.hasEnded).toBe(false);
      await expectOnePage(cluster);
    },
  );
}

/** The demo outage, and a record of each host from now: log time goes on past the outage on every partition. */
function outage(): readonly object[] {
  const story = demoDocuments(Date.now() - 300_000);
  const created = new Date().toISOString();
  const hosts = Map.groupBy(story as readonly Document[], ({ host }) => host.name);
  const later = [...hosts.values()].map((documents) => {
    const { winlog, ...last } = documents.at(-1) ?? EMPTY;
    const quiet = { ...winlog, event_id: "7036", provider_name: "Service Control Manager", record_id: 1_000_000 };
    return { ...last, "@timestamp": created, event: { code: "7036", created }, winlog: quiet };
  });
  return [...story, ...later];
}

/** Records of which each makes one signal, under the key of its host. */
function poolErrors(): readonly object[] {
  const created = new Date().toISOString();
  return Array.from({ length: POOL_ERRORS }, (_, n) => {
    const host = `pool${n % POOL_HOSTS}.contoso.example`;
    const record = { record_id: n + 1, event_id: "2019", provider_name: "srv", channel: "System", computer_name: host };
    return { "@timestamp": created, event: { code: "2019", created }, host: { name: host }, winlog: record };
  });
}

/** The signals of those records, by id and key: one as often as it was stored. */
async function poolSignals(cluster: Cluster): Promise<readonly string[]> {
  return (await cluster.read(TOPICS.signals.name)).flatMap(({ key, value }) => {
    const input = value as { kind: string; signal?: { id: string } };
    return input.signal !== undefined && key.includes("pool") ? [`${input.signal.id} ${key}`] : [];
  });
}

/** What matchers have yet to read, by what they tell the group. */
async function lagOf({ bus }: Cluster): Promise<number> {
  const partitions = await bus.progress("match", TOPICS.events.name);
  return partitions.reduce((sum, { position, end }) => sum + end - position, 0);
}

interface Document {
  readonly host: { readonly name: string };
  readonly winlog: object;
}

const EMPTY: Document = { host: { name: "" }, winlog: {} };

/** How many partitions processes read, all together. */
async function partitionsRead(...processes: readonly CulpritProcess[]): Promise<number> {
  const read = await Promise.all(processes.map((one) => metricOf(one, "culprit_bus_partitions_read")));
  return read.reduce((sum, count) => sum + count, 0);
}

/** The outage was told under one key, and the log holds each revision of each incident once. */
async function expectOnePage(cluster: Cluster): Promise<void> {
  const keys = new Set(cluster.told.filter(({ playbook }) => playbook === MAIN_PLAYBOOK).map(({ key }) => key));
  expect(keys.size).toBe(1);
  const incidents = await cluster.read(TOPICS.incidents.name);
  const revisions = incidents.map(({ key, value }) => `${key} ${(value as { revision: number }).revision}`);
  expect(revisions.length).toBeGreaterThan(0);
  expect(new Set(revisions).size).toBe(revisions.length);
}
