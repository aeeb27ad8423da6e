import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEmbeddedBus } from "@culprit/bus";
import { type Incident, TOPICS } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { type FakeServer, fakeServer } from "./test-kit.ts";

const PROCESS = fileURLToPath(new URL("./crash-process.ts", import.meta.url));
const incident = fixture("cluster-hang-9e");

async function publish(directory: string, ...incidents: readonly Incident[]): Promise<void> {
  const bus = await openEmbeddedBus({ directory });
  await bus.publish(incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));
  await bus.close();
}

/** Runs the notifier until `enough`, then kills it without warning. */
async function killedWhen(directory: string, server: FakeServer, enough: () => boolean): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [PROCESS, directory, server.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await expect.poll(enough, { timeout: 20_000, interval: 5 }).toBe(true);
  } finally {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}

test("P5 killed while sending and again after it: every attempt has one key, and the page is closed in the end", async () => {
  const directory = await mkdtemp(join(tmpdir(), "culprit-notify-"));
  await using server = await fakeServer(() => "hang");
  try {
    await publish(directory, incident);
    await killedWhen(directory, server, () => server.received.length === 1);
    server.reply = () => ({ status: 200 });
    await killedWhen(directory, server, () => server.received.length >= 2);
    await publish(directory, { ...incident, revision: 4, status: "closed" });
    await killedWhen(directory, server, () =>
      server.received.some((request) => request.json()["type"] === "incident.resolve"),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const sent = server.received.map((request) => request.json() as { type: string; data: { key: string } });
  expect(new Set(sent.map(({ data }) => data.key))).toEqual(new Set([incident.id]));
  const types = sent.map(({ type }) => type);
  // Killed between sending and recording, a page may come twice, never not at all and never under another key.
  expect(types.indexOf("incident.resolve")).toBeGreaterThan(0);
  expect(types.filter((type) => type === "incident.trigger").length).toBeLessThanOrEqual(3);
});
