/** Culprit as services on a broker: topics of its own, a config file, a pager that remembers, processes that end with it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, type Message, openKafkaBus } from "@culprit/bus";
import { ALL_TOPICS, TOPICS, type TopicSpec } from "@culprit/model";
import { type CulpritProcess, startCulprit } from "./culprit-process.ts";

/** Of `events`, `signals` and `state`. */
const PARTITIONS = 4;
/** Nobody is woken here. */
const PAGER_RATE = { perMinute: 10_000, burst: 1_000 };
const SPREAD_TOPICS: readonly string[] = [TOPICS.events.name, TOPICS.signals.name, TOPICS.state.name];

/** What the pager was told. */
export interface Told {
  readonly key: string;
  readonly playbook: string;
  readonly revision: number;
  readonly hosts: readonly string[];
  /** When it came. Units: instant. */
  readonly at: number;
}

export interface Cluster {
  readonly bus: Bus;
  readonly told: readonly Told[];
  /** Starts a service; it is killed at the end where it still runs. */
  start(verb: string): Promise<CulpritProcess>;
  /** Everything in a topic that is decided, oldest first. */
  read(topic: string): Promise<readonly Message[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

let made = 0;

export interface ClusterOptions {
  /** A process that says nothing for so long loses its partitions. */
  readonly sessionMs?: number;
  readonly heartbeatMs?: number;
  /** A process that could get on and does not for so long ends itself; five minutes unless told. */
  readonly stuckMs?: number;
  /** Of the topics that carry the load. */
  readonly partitions?: number;
  /** The text of a topology file. */
  readonly topology?: string;
  /** A folder with knowledge beside ours. */
  readonly playbooks?: string;
  readonly retain?: "all" | "selected";
}

/** Makes the topics and a config for services on them. Units: `addresses` is `host:port` of brokers, with commas. */
export async function openCluster(addresses: string, options: ClusterOptions = {}): Promise<Cluster> {
  const { sessionMs = 5_000, heartbeatMs = 300, partitions: spread = PARTITIONS, retain = "all" } = options;
  const { topology, playbooks, stuckMs = 300_000 } = options;
  made += 1;
  const prefix = `cluster${process.pid}-${made}.`;
  const dir = mkdtempSync(join(tmpdir(), "culprit-cluster-"));
  const pager = await openPager();
  const partitions = (topic: string): number => (SPREAD_TOPICS.includes(topic) ? spread : 1);
  const bus = await openKafkaBus({
    brokers: addresses.split(","),
    prefix,
    partitions,
    create: { replicationFactor: addresses.split(",").length },
    heartbeatMs: 300,
  });
  const config = join(dir, "culprit.yaml");
  if (topology !== undefined) writeFileSync(join(dir, "topology.yaml"), topology);
  const counts = Object.fromEntries(ALL_TOPICS.map(({ name }: TopicSpec) => [name, partitions(name)]));
  writeFileSync(
    config,
    JSON.stringify({
      logLevel: "info",
      kafka: { brokers: addresses, prefix, partitions: counts, sessionMs, heartbeatMs, stuckMs, sendTimeoutMs: 4_000 },
      probe: { port: 0 },
      ingest: { port: 0, retain },
      console: { port: 0 },
      correlate: {
        ...(topology === undefined ? {} : { topology: join(dir, "topology.yaml") }),
        ...(playbooks === undefined ? {} : { playbooks }),
      },
      notify: {
        allowAddresses: ["127.0.0.1"],
        targets: [{ name: "pager", kind: "webhook", url: pager.url, rate: PAGER_RATE }],
      },
    }),
  );
  const processes: CulpritProcess[] = [];
  return {
    bus,
    told: pager.told,
    async start(verb) {
      const started = await startCulprit(verb, config);
      processes.push(started);
      return started;
    },
    async read(topic) {
      const messages: Message[] = [];
      const follower = await bus.follow({ topic, handle: (batch) => void messages.push(...batch.messages) });
      await follower.caughtUp;
      await follower.close();
      return messages;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.filter(({ hasEnded }) => !hasEnded).map((one) => one.end("SIGKILL")));
      await bus.close();
      await pager.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function openPager() {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { data } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      data: { key: string; incident: { playbook: string; revision: number; scope: { kind: string; id: string }[] } };
    };
    const { playbook, revision, scope } = data.incident;
    const hosts = scope.filter(({ kind }) => kind === "host").map(({ id }) => id);
    told.push({ key: data.key, playbook, revision, hosts, at: Date.now() });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    told,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends documents as Winlogbeat would; answers with the HTTP status, or 0 where there was no answer. */
export async function sendDocuments(url: string, documents: readonly object[]): Promise<number> {
  const lines = documents.map((document) => `{"create":{"_index":"winlogbeat"}}\n${JSON.stringify(document)}\n`);
  try {
    const response = await fetch(`${url}/_bulk`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join(""),
      signal: AbortSignal.timeout(20_000),
    });
    const failed = response.ok && ((await response.json()) as { errors: boolean }).errors;
    return failed ? 500 : response.status;
  } catch {
    return 0;
  }
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, patienceMs = 90_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${patienceMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
