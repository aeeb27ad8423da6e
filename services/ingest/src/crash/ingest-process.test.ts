/** Ingest as a process of its own, killed and stopped while senders send. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openEmbeddedBus } from "@culprit/bus";
import { Arrival } from "@culprit/model";
import { expect, test } from "vitest";
import { bulkBody, post, winlogbeat } from "../test-kit.ts";

const PROCESS = new URL("./ingest-process.ts", import.meta.url).pathname;
const SENDERS = 6;
const PER_REQUEST = 20;

async function startProcess(
  directory: string,
): Promise<{ child: ChildProcess; url: string; exited: Promise<unknown[]> }> {
  const child = spawn(process.execPath, [PROCESS, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, exited, url: `http://127.0.0.1:${line.split(" ")[1]}` };
  }
  throw new Error("the process ended before it listened");
}

/** Sends numbered records until the server is gone; answers with the numbers that were answered 200. */
async function sendUntilGone(url: string, onTaken: (requests: number) => void): Promise<Set<number>> {
  const taken = new Set<number>();
  let next = 0;
  let requests = 0;
  const sender = async (): Promise<void> => {
    for (;;) {
      const numbers = Array.from({ length: PER_REQUEST }, () => next++);
      try {
        const { status } = await post(`${url}/_bulk`, bulkBody(numbers.map((n) => winlogbeat(n))));
        if (status !== 200) return;
      } catch {
        return;
      }
      for (const n of numbers) taken.add(n);
      requests += 1;
      onTaken(requests);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return taken;
}

async function storedIn(directory: string): Promise<readonly number[]> {
  await using bus = await openEmbeddedBus({ directory });
  const stored: number[] = [];
  const follower = await bus.follow({
    topic: "events",
    handle({ messages }) {
      for (const { value } of messages) {
        const arrival = Arrival.parse(value);
        if (arrival.kind === "event") stored.push(Number(arrival.event.recordId));
      }
    },
  });
  await follower.caughtUp;
  return stored;
}

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "culprit-ingest-"));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test.each([3, 60])("F10 P1 killed after %i answers: every record that was answered 200 is stored, once", (until) =>
  withDirectory(async (directory) => {
    const { child, url, exited } = await startProcess(directory);
    const taken = await sendUntilGone(url, (requests) => requests === until && child.kill("SIGKILL"));
    await exited;
    const stored = await storedIn(directory);
    expect(taken.size).toBeGreaterThanOrEqual(until * PER_REQUEST);
    expect([...taken].filter((n) => !stored.includes(n))).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
  }),
);

test("F47 P1 stopped under load it drains and exits cleanly, and no record that was answered 200 is lost", () =>
  withDirectory(async (directory) => {
    const { child, url, exited } = await startProcess(directory);
    const taken = await sendUntilGone(url, (requests) => requests === 40 && child.kill("SIGTERM"));
    expect((await exited)[0]).toBe(0);
    const stored = await storedIn(directory);
    expect([...taken].filter((n) => !stored.includes(n))).toEqual([]);
    // Nothing was stored without an answer either: what was in work was answered before the end.
    expect(stored.length).toBe(taken.size);
  }));

test("F16 a second process on the same data says whose it is and exits with an error", () =>
  withDirectory(async (directory) => {
    const { child, exited } = await startProcess(directory);
    const second = spawn(process.execPath, [PROCESS, directory], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    second.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = await once(second, "close");
    expect(code).toBe(70);
    expect(stderr).toContain(`is in use by process ${child.pid}`);
    child.kill("SIGTERM");
    await exited;
  }));
