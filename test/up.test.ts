/**
 * The whole of Culprit as one process, ended by SIGKILL at random moments while a sender that tries again until it is
 * answered sends an outage: every accepted record is in the log, and on-call is told of the outage, under one key.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openEmbeddedBus } from "@culprit/bus";
import { Arrival, TOPICS } from "@culprit/model";
import { afterEach, expect, test, vi } from "vitest";
import { demoDocuments } from "../packages/cli/src/demo.ts";

const MAIN = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));
/** The playbook waits 45 s for what may explain the incident; the rest is for a slow machine. */
const PAGE_WITHIN_MS = 150_000;
const cleanUp: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

interface Told {
  readonly key: string;
  readonly playbook: string;
  readonly parent: boolean;
}

/** A receiver of webhooks that remembers what it was told. */
async function receiver(): Promise<{ readonly url: string; readonly told: Told[] }> {
  const told: Told[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { data } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      data: { key: string; incident: { playbook: string; parent?: string } };
    };
    told.push({ key: data.key, playbook: data.incident.playbook, parent: data.incident.parent !== undefined });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, told };
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Starts `culprit up` on free ports; resolves once it says where it listens. */
async function up(dir: string, config: string): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, "up", "--no-demo", "--config", config, "--data", join(dir, "data")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  cleanUp.push(() => void child.kill("SIGKILL"));
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
      const found = /receivers\s+(http:\S+)/.exec(output);
      if (found?.[1] !== undefined && output.includes("data ")) resolve(found[1]);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`up ended with ${code}: ${output}`)));
  });
  return { child, url };
}

function hasEnded({ child }: Running): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function kill(running: Running): Promise<void> {
  const { child } = running;
  if (hasEnded(running)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

/** Sends one document; answers whether it was accepted. */
async function send(url: string, document: object): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_bulk`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `{"create":{"_index":"winlogbeat"}}\n${JSON.stringify(document)}\n`,
      signal: AbortSignal.timeout(5_000),
    });
    return response.ok && !((await response.json()) as { errors: boolean }).errors;
  } catch {
    return false;
  }
}

async function recordIdsIn(dir: string): Promise<Set<string>> {
  await using bus = await openEmbeddedBus({ directory: join(dir, "data") });
  const found = new Set<string>();
  const follower = await bus.follow({
    topic: TOPICS.events.name,
    handle({ messages }) {
      for (const { value } of messages) {
        const arrival = Arrival.safeParse(value);
        if (arrival.success && arrival.data.kind === "event")
          found.add(`${arrival.data.event.host} ${arrival.data.event.recordId}`);
      }
    },
  });
  await follower.caughtUp;
  await follower.close();
  return found;
}

test("killed at any moment and started again: no accepted record is lost, one page under one key", {
  timeout: 240_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "culprit-up-"));
  cleanUp.push(() => rmSync(dir, { recursive: true, force: true }));
  const pager = await receiver();
  const config = join(dir, "culprit.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      ingest: { port: 0, retain: "all" },
      console: { port: 0 },
      notify: { allowAddresses: ["127.0.0.1"], targets: [{ name: "pager", kind: "webhook", url: pager.url }] },
    }),
  );

  const documents = demoDocuments(Date.now() - 300_000);
  const accepted: string[] = [];
  let running = await up(dir, config);
  const kills: Promise<unknown>[] = [];
  for (const [i, document] of documents.entries()) {
    // A kill before, while or after a record is sent, at distances that differ from record to record.
    if (i % 3 === 1) kills.push(sleep((i * 37) % 90).then(() => running.child.kill("SIGKILL")));
    while (!(await send(running.url, document))) {
      await kill(running);
      running = await up(dir, config);
    }
    const { winlog } = document as { winlog: { computer_name: string; record_id: number } };
    accepted.push(`${winlog.computer_name} ${winlog.record_id}`);
  }
  // A kill may still be on its way when the last record has been accepted.
  await Promise.all(kills);
  await kill(running);
  running = await up(dir, config);

  const main = (): Told[] => pager.told.filter(({ playbook }) => playbook === "cluster-hang-9e");
  await vi.waitUntil(() => main().length > 0, { timeout: PAGE_WITHIN_MS, interval: 100 });
  await kill(running);
  running = await up(dir, config);
  await sleep(3_000);
  await kill(running);

  expect(new Set(main().map(({ key }) => key)).size).toBe(1);
  expect(pager.told.filter(({ playbook, parent }) => playbook !== "cluster-hang-9e" && !parent)).toEqual([]);
  const stored = await recordIdsIn(dir);
  expect(accepted.filter((id) => !stored.has(id))).toEqual([]);
});
