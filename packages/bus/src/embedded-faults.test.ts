/** The embedded log against damage, lack of space, time and load. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DAY_MS, DeadLetter } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "./bus.ts";
import { type EmbeddedBus, openEmbeddedBus } from "./embedded.ts";

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "culprit-faults-"));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function readAll(bus: EmbeddedBus, topic: string): Promise<readonly Message[]> {
  const seen: Message[] = [];
  const follower = await bus.follow({ topic, handle: ({ messages }) => void seen.push(...messages) });
  await Promise.race([follower.caughtUp, follower.ended]);
  await follower.close();
  return seen;
}

async function flipBit(directory: string, place: (file: Buffer) => number): Promise<void> {
  const path = join(directory, "culprit.db");
  const file = await readFile(path);
  const at = place(file);
  file[at] = (file[at] ?? 0) ^ 0x04;
  await writeFile(path, file);
}

/** Text that names its batch all along, so that a place within a batch is found in the file. */
const filler = (n: number): string => `batch-${n}-`.repeat(4_000);

async function writeBatches(directory: string, count: number): Promise<void> {
  await using bus = await openEmbeddedBus({ directory });
  for (let n = 0; n < count; n += 1) {
    await bus.publish([
      { topic: "events", key: "h", value: { n, text: filler(n) } },
      { topic: "events", key: "h", value: { n, text: "second" } },
    ]);
  }
}

const numbers = (messages: readonly Message[]): number[] => messages.map(({ value }) => (value as { n: number }).n);

test("F12 a flipped bit costs one batch: it goes to the dead letters once, and reading goes on", () =>
  withDirectory(async (directory) => {
    await writeBatches(directory, 4);
    await flipBit(directory, (file) => file.lastIndexOf("batch-1-"));
    {
      await using bus = await openEmbeddedBus({ directory });
      expect(numbers(await readAll(bus, "events"))).toEqual([0, 0, 2, 2, 3, 3]);
      expect(numbers(await readAll(bus, "events"))).toEqual([0, 0, 2, 2, 3, 3]);
      expect(bus.stats()["damaged_batches_total"]).toBe(1);
    }
    await using again = await openEmbeddedBus({ directory });
    expect(numbers(await readAll(again, "events"))).toEqual([0, 0, 2, 2, 3, 3]);
    const letters = (await readAll(again, "dead-letters")).map(({ value }) => DeadLetter.parse(value));
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      stage: "bus",
      reason: "bus.damaged-batch",
      source: { topic: "events", offset: "2" },
    });
    expect(letters[0]?.size).toBeGreaterThan(30_000);
  }));

test("F12 a group passes over a damaged batch, also the last one, and its position follows", () =>
  withDirectory(async (directory) => {
    await writeBatches(directory, 3);
    await flipBit(directory, (file) => file.lastIndexOf("batch-2-"));
    await using bus = await openEmbeddedBus({ directory });
    const seen: number[] = [];
    const reader = await bus.consume({
      group: "g",
      topic: "events",
      open: ({ commit }) => ({
        async handle({ messages, next }) {
          seen.push(...numbers(messages));
          await commit({ position: next });
        },
      }),
    });
    await bus.publish([{ topic: "events", key: "h", value: { n: 9 } }]);
    await expect.poll(() => seen.at(-1)).toBe(9);
    await reader.close();
    expect(seen).toEqual([0, 0, 1, 1, 9]);
    expect((await bus.progress("g", "events"))[0]).toMatchObject({ position: 7, end: 7 });
  }));

test("F12 damaged state is named to its next owner instead of passing for forgotten", () =>
  withDirectory(async (directory) => {
    {
      await using bus = await openEmbeddedBus({ directory });
      await bus.publish([{ topic: "signals", key: "k", value: 1 }]);
      const done = Promise.withResolvers<void>();
      await bus.consume({
        group: "fold",
        topic: "signals",
        open: ({ commit }) => ({
          async handle({ next }) {
            const changes = [0, 1].map((n) => ({ key: `w${n}`, value: filler(n) }));
            await commit({ changes, position: next });
            done.resolve();
          },
        }),
      });
      await done.promise;
    }
    await flipBit(directory, (file) => file.lastIndexOf("batch-0-"));
    await using bus = await openEmbeddedBus({ directory });
    const held: unknown[] = [];
    const open = (assignment: { state: ReadonlyMap<string, unknown>; damaged: readonly string[] }) => {
      held.push([...assignment.state.keys()], assignment.damaged);
      return { handle: async () => {} };
    };
    await bus.consume({ group: "fold", topic: "signals", open });
    expect(held).toEqual([["w1"], ["w0"]]);
  }));

test("F12 whatever bit flips, a reader sees batches as they were written, or not at all, or a refusal", () =>
  withDirectory(async (directory) => {
    await writeBatches(directory, 6);
    const whole = await readFile(join(directory, "culprit.db"));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (at) => {
        await writeFile(join(directory, "culprit.db"), whole);
        await flipBit(directory, () => at);
        const outcome = await readingOf(directory);
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ name: "Fault" });
          return;
        }
        for (const { value } of outcome) {
          const { n, text } = value as { n: number; text: string };
          expect([filler(n), "second"]).toContain(text);
        }
      }),
      { numRuns: 40 },
    );
  }));

/** What a reader of `events` gets, or the fault that it was refused with. */
async function readingOf(directory: string): Promise<readonly Message[] | Error> {
  let bus: EmbeddedBus | undefined;
  try {
    bus = await openEmbeddedBus({ directory });
    return await readAll(bus, "events");
  } catch (error) {
    return error as Error;
  } finally {
    await bus?.close();
  }
}

test("F13 a full log refuses new events with a retriable fault, reads and commits go on, and space brings it back", () =>
  withDirectory(async (directory) => {
    let now = 1_000;
    await using bus = await openEmbeddedBus({
      directory,
      sizeMaxBytes: 8 * 1024 * 1024,
      reserveBytes: 2 * 1024 * 1024,
      now: () => now,
    });
    const event = { topic: "events", key: "h", value: "e".repeat(200_000) };
    let stored = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await bus.publish([event]);
        stored += 1;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "bus.full", retriable: true });
    expect(stored).toBeGreaterThan(20);
    await expect(bus.publish([event])).rejects.toMatchObject({ code: "bus.full" });

    let read = 0;
    const reader = await bus.consume({
      group: "g",
      topic: "events",
      batchMessagesMax: 5,
      open: ({ commit }) => ({
        async handle({ messages, next }) {
          read += messages.length;
          await commit({ outputs: [{ topic: "incidents", key: "i", value: next }], position: next });
        },
      }),
    });
    await expect.poll(() => read).toBe(stored);
    await reader.close();
    await bus.publish([{ topic: "actions", key: "a", value: "acknowledged" }]);

    now += 10 * DAY_MS;
    expect((await bus.retain()).deletedBatches).toBe(stored);
    await bus.publish([event]);
    expect(await readAll(bus, "incidents")).toHaveLength(1);
  }));

test("F13 one request that does not fit does not fail those that share its sync", () =>
  withDirectory(async (directory) => {
    await using bus = await openEmbeddedBus({ directory, sizeMaxBytes: 4 * 1024 * 1024, reserveBytes: 1024 * 1024 });
    const small = { topic: "events", key: "h", value: "small" };
    const large = { topic: "events", key: "h", value: "x".repeat(5_000_000) };
    const outcomes = await Promise.allSettled([bus.publish([small]), bus.publish([large]), bus.publish([small])]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await readAll(bus, "events")).toHaveLength(2);
  }));

test("F13 what a group has not read is held past its time and said to be", () =>
  withDirectory(async (directory) => {
    let now = 1_000;
    await using bus = await openEmbeddedBus({ directory, now: () => now });
    const handled = Promise.withResolvers<void>();
    await bus.publish([{ topic: "events", key: "h", value: 0 }]);
    const reader = await bus.consume({
      group: "slow",
      topic: "events",
      open: ({ commit }) => ({
        async handle({ next }) {
          await commit({ position: next });
          handled.resolve();
        },
      }),
    });
    await handled.promise;
    await reader.close();
    await bus.publish([{ topic: "events", key: "h", value: 1 }]);
    now += 30 * DAY_MS;
    expect(await bus.retain()).toEqual({ deletedBatches: 1, heldBatches: 1 });
    expect((await readAll(bus, "events")).map(({ value }) => value)).toEqual([1]);
    await bus.forgetGroup("slow", "events");
    expect(await bus.retain()).toEqual({ deletedBatches: 1, heldBatches: 0 });
    expect(await readAll(bus, "events")).toEqual([]);
  }));

test("a removed key of a compacted topic goes for good once every reader had time to see it", () =>
  withDirectory(async (directory) => {
    let now = 1_000;
    await using bus = await openEmbeddedBus({ directory, now: () => now });
    await bus.publish([
      { topic: "topology", key: "a", value: 1 },
      { topic: "topology", key: "b", value: 1 },
    ]);
    await bus.publish([{ topic: "topology", key: "a", value: null }]);
    expect((await bus.retain()).deletedBatches).toBe(0);
    expect((await readAll(bus, "topology")).map(({ value }) => value)).toEqual([1, null]);
    now += 60 * DAY_MS;
    expect((await bus.retain()).deletedBatches).toBe(1);
    expect((await readAll(bus, "topology")).map(({ key }) => key)).toEqual(["b"]);
  }));

test("offsets go on where they were when everything before is deleted and the process starts anew", () =>
  withDirectory(async (directory) => {
    let now = 1_000;
    const open = () => openEmbeddedBus({ directory, now: () => now });
    let bus = await open();
    await bus.publish([1, 2, 3].map((value) => ({ topic: "events", key: "h", value })));
    now += 30 * DAY_MS;
    await bus.retain();
    await bus.close();
    bus = await open();
    await bus.publish([{ topic: "events", key: "h", value: 4 }]);
    expect((await readAll(bus, "events")).map(({ offset }) => offset)).toEqual([3]);
    await bus.close();
  }));

test("concurrent publishers share syncs", () =>
  withDirectory(async (directory) => {
    await using bus = await openEmbeddedBus({ directory });
    const before = bus.stats()["commits_total"] ?? 0;
    await Promise.all(Array.from({ length: 500 }, (_, n) => bus.publish([{ topic: "events", key: "h", value: n }])));
    expect((bus.stats()["commits_total"] ?? 0) - before).toBeLessThan(100);
    expect((await readAll(bus, "events")).map(({ value }) => value)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  }));

test("F15 more than may wait for the disk is refused as busy, and what waits is stored", () =>
  withDirectory(async (directory) => {
    await using bus = await openEmbeddedBus({ directory, pendingMaxBytes: 1_000_000 });
    const event = { topic: "events", key: "h", value: "e".repeat(300_000) };
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => bus.publish([event])));
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(7);
    expect(refused[0]).toMatchObject({ reason: { code: "bus.busy", retriable: true } });
    await bus.publish([event]);
    expect(await readAll(bus, "events")).toHaveLength(4);
    expect(bus.stats()["pending_bytes"]).toBe(0);
  }));

test("F43 data of a newer layout is refused with the way back, and left as it is", () =>
  withDirectory(async (directory) => {
    await writeBatches(directory, 1);
    const db = new DatabaseSync(join(directory, "culprit.db"));
    db.exec("PRAGMA user_version=7");
    db.close();
    await expect(openEmbeddedBus({ directory })).rejects.toMatchObject({
      code: "bus.newer-data",
      message: expect.stringContaining("go back to that version"),
    });
  }));

test("F9 another number of partitions than stored is refused with the repair", () =>
  withDirectory(async (directory) => {
    await writeBatches(directory, 1);
    await expect(openEmbeddedBus({ directory, partitions: () => 3 })).rejects.toMatchObject({
      code: "bus.partitions-changed",
      message: expect.stringContaining("set it back to 1"),
    });
    await using bus = await openEmbeddedBus({ directory });
    expect(await readAll(bus, "events")).toHaveLength(2);
  }));

test("a file that is no database is refused as damaged", () =>
  withDirectory(async (directory) => {
    await writeFile(join(directory, "culprit.db"), "not a database at all, and long enough to look at".repeat(500));
    await expect(openEmbeddedBus({ directory })).rejects.toMatchObject({ code: "bus.damaged" });
  }));

test("without a directory the log is in memory", async () => {
  await using bus = await openEmbeddedBus();
  await bus.publish([{ topic: "events", key: "h", value: 1 }]);
  expect(await readAll(bus, "events")).toHaveLength(1);
});
