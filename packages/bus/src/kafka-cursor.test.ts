import { expect, test } from "vitest";
import type { Batch } from "./bus.ts";
import { Cursor } from "./kafka-cursor.ts";
import type { FetchedPartition, FetchedRecord } from "./kafka-wire.ts";

function fetched(offsets: readonly number[], stableEnd: number): FetchedPartition {
  const records = offsets.map(
    (offset): FetchedRecord => ({
      offset,
      key: Buffer.from("k"),
      value: Buffer.from(String(offset)),
      at: 1,
      headers: {},
      producerId: "-1",
      inTransaction: false,
      isControl: false,
    }),
  );
  return { partition: 3, stableEnd, aborted: [], records };
}

function open(over: { from?: number; handle?: (batch: Batch) => Promise<void> } = {}) {
  const batches: Batch[] = [];
  const reached: number[] = [];
  const cursor = new Cursor("t", {
    partition: 3,
    from: over.from ?? 0,
    batchMessagesMax: 2,
    handle: over.handle ?? (async (batch) => void batches.push(batch)),
    reached: (position) => void reached.push(position),
    onDrained: () => {},
  });
  return { cursor, batches, reached };
}

/** When a fetch was sent. */
const NOW = 1_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an answer is handed on in batches no larger than asked for, each with its place in the log", async () => {
  const { cursor, batches, reached } = open();
  cursor.take(fetched([0, 1, 4, 5, 9], 12), 0, NOW);
  await turn();
  expect(batches.map(({ messages, next, end }) => [messages.map(({ offset }) => offset), next, end])).toEqual([
    [[0, 1], 4, 12],
    [[4, 5], 9, 12],
    [[9], 10, 12],
  ]);
  expect([cursor.position, cursor.handledTo, cursor.lag, reached.at(-1)]).toEqual([10, 10, 2, 10]);
  await cursor.stop();
});

test("P7 while a batch is in work nothing more is asked for than one answer ahead", async () => {
  const work = Promise.withResolvers<void>();
  const { cursor } = open({ handle: () => work.promise });
  expect(cursor.hasRoom).toBe(true);
  cursor.take(fetched([0], 9), 0, NOW);
  await turn();
  expect(cursor.hasRoom).toBe(false);
  expect(cursor.busyMs(performance.now() + 5_000)).toBeGreaterThanOrEqual(5_000);
  work.resolve();
  await turn();
  expect([cursor.hasRoom, cursor.busyMs(performance.now())]).toEqual([true, 0]);
  await cursor.stop();
});

test("an answer to a question that was overtaken is not taken twice", async () => {
  const { cursor, batches } = open();
  cursor.take(fetched([0], 9), 0, NOW);
  cursor.take(fetched([0], 9), 0, NOW);
  await turn();
  expect(batches).toHaveLength(1);
  await cursor.stop();
});

test("where compaction has left nothing, reading goes on behind it, but only once no other partition can be the reason", async () => {
  const { cursor, reached } = open({ from: 5 });
  cursor.take(fetched([], 9), 5, NOW);
  expect([cursor.fetchPosition, cursor.alone]).toEqual([5, true]);
  cursor.take(fetched([], 9), 5, NOW);
  await turn();
  expect(cursor.fetchPosition).toBe(6);
  expect(reached).toEqual([6]);
  cursor.take(fetched([8], 9), 6, NOW);
  await turn();
  expect([cursor.position, cursor.alone]).toEqual([9, false]);
  await cursor.stop();
});

test("at the end of the log nothing is passed over", async () => {
  const { cursor } = open({ from: 9 });
  cursor.take(fetched([], 9), 9, NOW);
  cursor.take(fetched([], 9), 9, NOW);
  expect([cursor.fetchPosition, cursor.alone, cursor.lag]).toEqual([9, false, 0]);
  await cursor.stop();
});

test("stopping lets the batch in work finish and begins no other", async () => {
  const work = Promise.withResolvers<void>();
  const seen: number[] = [];
  const { cursor } = open({
    handle: async ({ next }) => {
      seen.push(next);
      await work.promise;
    },
  });
  cursor.take(fetched([0, 1, 2], 3), 0, NOW);
  await turn();
  const stopping = cursor.stop();
  work.resolve();
  await stopping;
  expect(seen).toEqual([2]);
});

test("F18 what a handler throws ends the cursor", async () => {
  const { cursor } = open({ handle: () => Promise.reject(new Error("boom")) });
  cursor.take(fetched([0], 1), 0, NOW);
  await expect(cursor.ended).rejects.toThrow("boom");
});

test("it is read through the moment a fetch was sent that had nothing more, once that is handled", async () => {
  const work = Promise.withResolvers<void>();
  const { cursor } = open({ handle: () => work.promise });
  cursor.take(fetched([0], 1), 0, NOW);
  await turn();
  expect(cursor.readThrough).toBeUndefined();
  work.resolve();
  await turn();
  expect(cursor.readThrough).toBe(NOW);
  cursor.take(fetched([], 1), 1, NOW + 500);
  expect(cursor.readThrough).toBe(NOW + 500);
  // There is more than this answer had room for.
  cursor.take(fetched([1], 3), 1, NOW + 1_000);
  await turn();
  expect(cursor.readThrough).toBe(NOW + 500);
  await cursor.stop();
});
