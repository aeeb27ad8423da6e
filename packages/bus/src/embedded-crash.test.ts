/** The embedded log against processes that end without warning, and against a second owner. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import type { Message } from "./bus.ts";
import { type EmbeddedBus, openEmbeddedBus } from "./embedded.ts";

const WRITER = new URL("./crash/numbering-writer.ts", import.meta.url).pathname;

interface Acknowledged {
  readonly pid: number;
  /** The last number each writer was told is stored. */
  readonly published: ReadonlyMap<number, number>;
  readonly committed: number;
}

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "culprit-crash-"));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs the numbering writer until it has been told `until` times that something is stored, then kills it. */
async function writeAndKill(directory: string, until: number): Promise<Acknowledged> {
  const child = spawn(process.execPath, [WRITER, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const published = new Map<number, number>();
  let committed = 0;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, a, b] = line.split(" ");
    if (kind === "p") published.set(Number(a), Number(b));
    else committed = Number(a);
    told += 1;
    // The kill takes effect while further writes are under way; lines printed until then count as well.
    if (told === until) child.kill("SIGKILL");
  }
  await exited;
  return { pid: child.pid ?? 0, published, committed };
}

async function readAll(bus: EmbeddedBus, topic: string): Promise<readonly Message[]> {
  const seen: Message[] = [];
  const follower = await bus.follow({ topic, handle: ({ messages }) => void seen.push(...messages) });
  await follower.caughtUp;
  await follower.close();
  return seen;
}

/** The numbers of each writer, with a proof that batches are whole, in order, and carry what was written. */
function numbersOf(messages: readonly Message[]): Map<number, number> {
  const last = new Map<number, number>();
  for (let i = 0; i < messages.length; i += 3) {
    const batch = messages.slice(i, i + 3).map(({ value }) => value as { writer: number; n: number; filler: string });
    const [first] = batch;
    if (first === undefined) break;
    expect(batch).toEqual([first, first, first]);
    expect(first.n).toBe((last.get(first.writer) ?? -1) + 1);
    expect(first.filler.length).toBe((first.n * 7_919) % 40_000);
    last.set(first.writer, first.n);
  }
  return last;
}

async function storedCounter(
  bus: EmbeddedBus,
): Promise<{ output: unknown; state: unknown; position: number | undefined }> {
  let state: unknown;
  const open = (assignment: { state: ReadonlyMap<string, unknown> }) => {
    state = assignment.state.get("n");
    return { handle: async () => {} };
  };
  const reader = await bus.consume({ group: "count", topic: "signals", open });
  await reader.close();
  const [output] = await readAll(bus, "incidents");
  return { output: output?.value, state, position: (await bus.progress("count", "signals"))[0]?.position };
}

test.each([1, 37, 150, 400])(
  "F10 killed after %i answers: everything acknowledged is there, in order and whole",
  (until) =>
    withDirectory(async (directory) => {
      const told = await writeAndKill(directory, until);
      await using bus = await openEmbeddedBus({ directory });
      const stored = numbersOf(await readAll(bus, "events"));
      for (const [writer, n] of told.published)
        expect(stored.get(writer), `writer ${writer}`).toBeGreaterThanOrEqual(n);
      const counter = await storedCounter(bus);
      if (told.committed === 0) return;
      expect(counter.position).toBeGreaterThanOrEqual(told.committed);
      expect(counter.position).toBeLessThanOrEqual(told.committed + 1);
      expect([counter.output, counter.state]).toEqual([counter.position, counter.position]);
    }),
);

test("F10 a log cut at any byte opens with a whole prefix, and the torn tail is counted", () =>
  withDirectory(async (directory) => {
    await writeAndKill(directory, 60);
    const { size } = await stat(join(directory, "culprit.db-wal"));
    expect(size).toBeGreaterThan(100_000);
    let tornSeen = 0;
    let before = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= 12; step += 1) {
      // An odd stride from the end: cuts fall into frame headers, pages and between commits alike.
      const cut = Math.max(0, size - 1 - step * Math.floor(size / 12.7) - step * 131);
      const copy = join(directory, `cut-${step}`);
      const bus = await openCut(directory, copy, cut);
      const count = [...numbersOf(await readAll(bus, "events")).values()].reduce((sum, n) => sum + n + 1, 0);
      expect(count).toBeLessThanOrEqual(before);
      before = count;
      const counter = await storedCounter(bus);
      if (counter.output !== undefined)
        expect([counter.output, counter.state]).toEqual([counter.position, counter.position]);
      tornSeen += bus.stats()["torn_frames_total"] ?? 0;
      await bus.publish([{ topic: "events", key: "h", value: "after" }]);
      await bus.close();
    }
    expect(tornSeen).toBeGreaterThan(0);
  }));

async function openCut(from: string, to: string, cut: number): Promise<EmbeddedBus> {
  await mkdir(to);
  await copyFile(join(from, "culprit.db"), join(to, "culprit.db"));
  await copyFile(join(from, "culprit.db-wal"), join(to, "culprit.db-wal"));
  await truncate(join(to, "culprit.db-wal"), cut);
  return openEmbeddedBus({ directory: to });
}

test("F16 a second owner is refused and told who the first one is; after a kill the next one may", () =>
  withDirectory(async (directory) => {
    const bus = await openEmbeddedBus({ directory });
    const refused = spawn(process.execPath, [WRITER, directory], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    refused.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = await once(refused, "close");
    expect(code).not.toBe(0);
    expect(stderr).toContain("bus.owned");
    expect(stderr).toContain(`process ${process.pid}`);
    await expect(openEmbeddedBus({ directory })).rejects.toMatchObject({
      code: "bus.owned",
      fields: { owner: process.pid },
    });
    await bus.publish([{ topic: "events", key: "h", value: "still ours" }]);
    await bus.close();
    await writeAndKill(directory, 5);
    await using next = await openEmbeddedBus({ directory });
    expect((await readAll(next, "events"))[0]?.value).toBe("still ours");
  }));
