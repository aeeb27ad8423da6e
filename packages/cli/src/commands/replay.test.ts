import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "@culprit/bus";
import { SELECT_ALL } from "@culprit/formats";
import { IngestConfig, start } from "@culprit/ingest";
import { deadLetter } from "@culprit/model";
import { createMetrics, silentLogger, systemClock } from "@culprit/runtime";
import { afterEach, expect, test } from "vitest";
import { playDemo } from "../demo.ts";
import { EXIT } from "../exit-code.ts";
import { runReplayEvents, runReplayLetters } from "./replay.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

/** A data directory in which ingest has stored the demo outage, as `up` leaves it. */
async function storedOutage(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "culprit-replay-"));
  cleanUp.push(() => rm(directory, { recursive: true, force: true }));
  await using bus = await openEmbeddedBus({ directory });
  const config = IngestConfig.parse({ port: 0 });
  const parts = { bus, clock: systemClock, logger: silentLogger, metrics: createMetrics() };
  const ingest = await start({ ...parts, config, selection: SELECT_ALL });
  await playDemo(`http://127.0.0.1:${ingest.address.port}`, { now: Date.now(), tell: () => {} });
  await ingest.stop();
  return directory;
}

test("stored events make today's incidents again, within the time that is asked for", async () => {
  const data = await storedOutage();
  const lines: string[] = [];
  const replay = (options: object): Promise<number> =>
    runReplayEvents({ data, timezone: "UTC", ...options }, (line) => lines.push(line));
  expect(await replay({ json: true })).toBe(EXIT.incident);
  const playbooks = lines.map((line) => JSON.parse(line) as { playbook: string; parent?: string });
  expect(playbooks.filter(({ parent }) => parent === undefined).map(({ playbook }) => playbook)).toEqual([
    "cluster-hang-9e",
  ]);
  lines.length = 0;
  expect(await replay({ until: Date.now() - 86_400_000 })).toBe(EXIT.done);
  expect(lines).toEqual(["0 stored events, 0 incidents"]);
});

test("a directory without a log, and one that a process has, are refused", async () => {
  const data = await mkdtemp(join(tmpdir(), "culprit-replay-"));
  cleanUp.push(() => rm(data, { recursive: true, force: true }));
  const replay = (): Promise<number> => runReplayEvents({ data, timezone: "UTC" }, () => {});
  await expect(replay()).rejects.toMatchObject({ code: "log.none" });
  await using _owner = await openEmbeddedBus({ directory: data });
  await expect(replay()).rejects.toMatchObject({ code: "bus.owned" });
});

/** A server that answers every request alike and remembers the bodies. */
async function serving(status: number, body: string): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

const letterOf = (text: string, reason: string) =>
  deadLetter(Buffer.from(text), { stage: "ingest", failure: { reason, detail: "d" }, at: 0 });

test("dead letters are sent again as they came, oldest first; what was kept in part is left out", async () => {
  const newestFirst = [
    letterOf("zweite", "xml.broken"),
    letterOf("x".repeat(70_000), "xml.broken"),
    letterOf("erste", "xml.broken"),
    letterOf("{", "json.broken"),
  ];
  const pages = await serving(200, JSON.stringify({ deadLetters: newestFirst }));
  const receiver = await serving(400, "{}");
  const lines: string[] = [];
  const options = { console: pages.url, to: receiver.url, reason: "xml.", limit: 10 };
  expect(await runReplayLetters(options, (line) => lines.push(line))).toBe(EXIT.unreadable);
  expect(receiver.bodies).toEqual(["erste", "zweite"]);
  expect(lines[1]).toBe("left out, 65536 of 70000 bytes were kept  xml.broken: d");
  expect(lines.at(-1)).toMatch(/^2 sent again, 1 left out/);
});

test("a dry run sends nothing, and a receiver that refuses ends it", async () => {
  const pages = await serving(
    200,
    JSON.stringify({ deadLetters: [letterOf("a", "xml.broken"), letterOf("b", "xml.broken")] }),
  );
  const receiver = await serving(401, "who are you");
  const options = { console: pages.url, to: receiver.url, limit: 10 };
  expect(await runReplayLetters({ ...options, dryRun: true }, () => {})).toBe(EXIT.done);
  expect(receiver.bodies).toEqual([]);
  await expect(runReplayLetters(options, () => {})).rejects.toMatchObject({ code: "replay.refused" });
  expect(receiver.bodies).toEqual(["b"]);
});
