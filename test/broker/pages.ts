/** Pages on a real broker: notify processes that are killed in the middle of a send, and a target that is a topic. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, type Message, openKafkaBus } from "@culprit/bus";
import { ALL_TOPICS, type Incident, type IncidentId, TOPICS, type TopicSpec } from "@culprit/model";
import { expect } from "vitest";
import { fixture } from "../../services/notify/src/fixtures.ts";
import { kafka } from "../../services/notify/src/notifiers/kafka.ts";
import { Driver, wholeStory } from "../../services/notify/src/notifiers/test-kit.ts";
import { fakeServer } from "../../services/notify/src/test-kit.ts";
import { brokerTest } from "../broker.ts";
import { eventually } from "./cluster.ts";
import { type CulpritProcess, startCulprit } from "./culprit-process.ts";

const PARTITIONS = 4;
const TIMEOUT_MS = 240_000;
const base = fixture("cluster-hang-9e", { children: [] });
const incidents = Array.from({ length: 8 }, (_, n): Incident => ({ ...base, id: `${n}`.repeat(64) as IncidentId }));

const publish = (bus: Bus, all: readonly Incident[]): Promise<void> =>
  bus.publish(all.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));

/** Defines the tests; `address` tells where the broker is once they run. */
export function pageTests(address: () => string): void {
  brokerTest(
    "P5 of two notifiers one is killed while it sends: every incident has one page under its key, and each is closed",
    { timeout: TIMEOUT_MS },
    async () => {
      const prefix = `pages${process.pid}.`;
      const partitions = (topic: string): number => (topic === TOPICS.incidents.name ? PARTITIONS : 1);
      await using bus = await openKafkaBus({
        brokers: [address()],
        prefix,
        partitions,
        create: { replicationFactor: 1 },
      });
      await using pager = await fakeServer(() => "hang");
      const told = () => pager.received.map((request) => request.json() as { type: string; data: { key: IncidentId } });
      const keysOf = (type: string): ReadonlySet<string> =>
        new Set(told().flatMap((one) => (one.type === type ? [one.data.key] : [])));

      const directory = mkdtempSync(join(tmpdir(), "culprit-pages-"));
      const config = join(directory, "culprit.yaml");
      const counts = Object.fromEntries(ALL_TOPICS.map(({ name }: TopicSpec) => [name, partitions(name)]));
      const target = { name: "pager", kind: "webhook", url: pager.url, timeoutMs: 3_000, updateEveryMs: 0 };
      const kafkaConfig = { brokers: address(), prefix, partitions: counts, sessionMs: 5_000, heartbeatMs: 300 };
      const notify = { allowAddresses: ["127.0.0.1"], targets: [target] };
      writeFileSync(config, JSON.stringify({ kafka: kafkaConfig, probe: { port: 0 }, notify }));
      const processes: CulpritProcess[] = [];
      const start = async (): Promise<CulpritProcess> => {
        const started = await startCulprit("notify", config);
        processes.push(started);
        return started;
      };
      try {
        const [victim] = await Promise.all([start(), start()]);
        await publish(bus, incidents);
        // Each sends one page at a time: two are on their way, so both processes are in the middle of one.
        await eventually(() => pager.held >= 2);
        await victim.end("SIGKILL");
        pager.reply = () => ({ status: 200 });
        await eventually(() => keysOf("incident.trigger").size === incidents.length);
        await start();
        await publish(
          bus,
          incidents.map((incident) => ({ ...incident, revision: 9, status: "closed" })),
        );
        await eventually(() => keysOf("incident.resolve").size === incidents.length);
      } finally {
        await Promise.all(processes.filter(({ hasEnded }) => !hasEnded).map((one) => one.end("SIGKILL")));
        rmSync(directory, { recursive: true, force: true });
      }
      const ids = incidents.map(({ id }) => id);
      expect([...keysOf("incident.trigger")].sort()).toEqual(ids);
      for (const id of ids) {
        const types = told().flatMap(({ type, data }) => (data.key === id ? [type] : []));
        expect(types.lastIndexOf("incident.trigger"), id).toBeLessThan(types.indexOf("incident.resolve"));
      }
    },
  );

  brokerTest("a topic as target keeps each change as a CloudEvent, all of a page in one partition", async () => {
    const prefix = `target${process.pid}.`;
    await using bus = await openKafkaBus({
      brokers: [address()],
      prefix,
      topics: [{ name: "changes", retention: { kind: "compacted" } }],
      partitions: (topic) => (topic === "changes" ? 3 : 1),
      create: { replicationFactor: 1 },
    });
    const driver = new Driver(kafka, { brokers: [address()], topic: `${prefix}changes`, compression: "gzip" });
    expect(await wholeStory(driver)).toEqual(["ok", "ok", "ok"]);
    const read: Message[] = [];
    const follower = await bus.follow({ topic: "changes", handle: ({ messages }) => void read.push(...messages) });
    await follower.caughtUp;
    await follower.close();
    expect(read.map(({ key, partition }) => [key, partition])).toEqual(Array(3).fill([base.id, read[0]?.partition]));
    expect(read.map(({ headers }) => headers["ce_type"])).toEqual([
      "culprit.incident.trigger",
      "culprit.incident.update",
      "culprit.incident.resolve",
    ]);
    expect(read[0]?.value).toMatchObject({ key: base.id, incident: { playbook: base.playbook } });

    const lost = new Driver(kafka, { brokers: [address()], topic: `${prefix}nowhere` });
    expect(await lost.send("trigger")).toMatchObject({ result: "auth" });
    await driver.close();
    await lost.close();
  });
}
