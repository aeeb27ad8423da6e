/**
 * How many records a second `_bulk` over HTTP takes into the durable embedded log, with our own knowledge loaded: Security
 * logons, one record in a thousand of which is wanted. The sender shares the machine. And how much memory the receiver held.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchFigure, BenchResult } from "./evtx.ts";
import { shortLogon } from "./short-logon.ts";
import { winlogbeatLogon } from "./winlogbeat-record.ts";

const SENDERS = 2;
const RECORDS_PER_REQUEST = 2_000;
const SECONDS = 6;
const WARM_UP_REQUESTS = 20;
const WANTED_ID = 4740;
const WANTED_EVERY = 1_000;
const ACTION = '{"create":{"_index":"winlogbeat-8.19.0"}}';

export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  for (const [name, record] of [
    ["short records", shortLogon],
    ["records of Winlogbeat 8", winlogbeatLogon],
  ] as const) {
    const bodies = Array.from({ length: 4 }, (_, part) => bodyOf(record, part));
    const { recordsPerSecond, residentMax } = await withServer((port) => load(port, bodies));
    const bytes = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length / RECORDS_PER_REQUEST;
    figures.push(
      { name: `_bulk, ${name}`, value: recordsPerSecond, unit: "records/s" },
      { name: `_bulk, ${name}`, value: (recordsPerSecond * bytes) / 1e6, unit: "MB/s" },
      { name: `_bulk, ${name}, most memory resident`, value: residentMax / 1e6, unit: "MB" },
    );
  }
  for (const { name, value, unit } of figures) print(`bulk: ${name}: ${Math.round(value)} ${unit}`);
  return { bench: "bulk", figures, leftOut: [] };
}

/** A request body; ids go on from part to part, so that what is wanted is stored and not known already. */
function bodyOf(record: (n: number, eventId?: number) => object, part: number): Buffer {
  const lines = Array.from({ length: RECORDS_PER_REQUEST }, (_, i) => {
    const n = part * RECORDS_PER_REQUEST + i;
    return `${ACTION}\n${JSON.stringify(record(n, n % WANTED_EVERY === 0 ? WANTED_ID : undefined))}\n`;
  });
  return Buffer.from(lines.join(""));
}

interface Load {
  readonly recordsPerSecond: number;
  readonly residentMax: number;
}

async function withServer(use: (port: number) => Promise<number>): Promise<Load> {
  const directory = mkdtempSync(join(tmpdir(), "bulk-bench-"));
  const server = fork(fileURLToPath(new URL("bulk-server.ts", import.meta.url)), [directory]);
  try {
    const { port } = await answerOf<{ port: number }>(server);
    const recordsPerSecond = await use(port);
    server.send("stop");
    const { residentMax } = await answerOf<{ residentMax: number }>(server);
    await once(server, "exit");
    return { recordsPerSecond, residentMax };
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
}

async function answerOf<T>(server: ChildProcess): Promise<T> {
  const [message] = await Promise.race([
    once(server, "message"),
    once(server, "exit").then(() => Promise.reject(new Error("the server ended"))),
  ]);
  return message as T;
}

/** Sends the bodies over and over; yields the records taken a second once it is warm. */
async function load(port: number, bodies: readonly Buffer[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  let sent = 0;
  let began = 0;
  let taken = 0;
  const until = performance.now() + SECONDS * 1_000;
  const sender = async (): Promise<void> => {
    while (performance.now() < until) {
      await post(agent, port, bodies[sent++ % bodies.length] as Buffer);
      if (sent < WARM_UP_REQUESTS) continue;
      if (began === 0) began = performance.now();
      else taken += RECORDS_PER_REQUEST;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const seconds = (performance.now() - began) / 1_000;
  agent.destroy();
  return taken / seconds;
}

async function post(agent: Agent, port: number, body: Buffer): Promise<void> {
  const sending = request({ agent, port, host: "127.0.0.1", method: "POST", path: "/_bulk" });
  sending.setHeader("content-type", "application/x-ndjson");
  sending.end(body);
  const [response] = await once(sending, "response");
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
}

if (import.meta.main) await run();
