import { expect, test } from "vitest";
import {
  type BatchPayload,
  type GroupConsumer,
  type InputRecord,
  inputOn,
  type TopicInputOptions,
} from "./kafka-input.ts";

interface Fake extends GroupConsumer {
  readonly log: string[];
  deliver(messages: readonly (string | null)[], at?: { isStale?: boolean }): Promise<void>;
  crash(error: Error): void;
}

function fakeConsumer(connect: () => Promise<void> = async () => {}): Fake {
  const log: string[] = [];
  let eachBatch: (payload: BatchPayload) => Promise<void> = async () => {};
  let crashed: (error: Error) => void = () => {};
  let joined: () => void = () => {};
  return {
    log,
    connect,
    disconnect: async () => void log.push("disconnect"),
    subscribe: async ({ topics, fromBeginning }) => void log.push(`subscribe ${topics} ${fromBeginning}`),
    async run(config) {
      eachBatch = config.eachBatch;
      joined();
    },
    onCrash: (listener) => {
      crashed = listener;
    },
    onJoin: (listener) => {
      joined = listener;
    },
    crash: (error) => crashed(error),
    deliver: (values, { isStale = false } = {}) =>
      eachBatch({
        batch: {
          topic: "t",
          partition: 3,
          messages: values.map((value, i) => ({
            offset: String(i),
            timestamp: "1700000000000",
            value: value === null ? null : Buffer.from(value),
          })),
        },
        resolveOffset: (offset) => void log.push(`resolve ${offset}`),
        heartbeat: async () => {},
        commitOffsetsIfNecessary: async ({ topics }) => void log.push(`commit ${topics[0]?.partitions[0]?.offset}`),
        isRunning: () => true,
        isStale: () => isStale,
      }),
  };
}

function input(consumers: readonly Fake[], more: Partial<TopicInputOptions> = {}) {
  const taken: InputRecord[] = [];
  const changes: unknown[] = [];
  const left = [...consumers];
  const opened = inputOn(() => left.shift() as Fake, {
    brokers: ["b:9092"],
    topics: ["t"],
    group: "g",
    fromBeginning: true,
    handle: async (records) => void taken.push(...records),
    onChange: (change) => changes.push(change),
    ...more,
  });
  return { opened, taken, changes };
}

test("a place is kept once its records are taken, with those that have no value", async () => {
  const consumer = fakeConsumer();
  const { opened, taken, changes } = input([consumer]);
  await expect.poll(() => changes).toEqual([{ isReading: true, detail: "" }]);
  await consumer.deliver(["a", null, "c"]);
  expect(taken.map(({ topic, partition, offset, value }) => [topic, partition, offset, value?.toString()])).toEqual([
    ["t", 3, 0, "a"],
    ["t", 3, 1, undefined],
    ["t", 3, 2, "c"],
  ]);
  await opened.close();
  expect(consumer.log).toEqual(["subscribe t true", "resolve 2", "commit 3", "disconnect"]);
});

test("records that are not taken keep no place", async () => {
  const consumer = fakeConsumer();
  const { opened, changes } = input([consumer], { handle: () => Promise.reject(new Error("full")) });
  await expect.poll(() => changes.length).toBe(1);
  await expect(consumer.deliver(["a"])).rejects.toThrow("full");
  expect(consumer.log).toEqual(["subscribe t true"]);
  await opened.close();
});

test("large batches are taken in parts, and no further where the partition is another member's", async () => {
  const consumer = fakeConsumer();
  const sizes: number[] = [];
  const { opened, changes } = input([consumer], { handle: async (records) => void sizes.push(records.length) });
  await expect.poll(() => changes.length).toBe(1);
  await consumer.deliver(Array(2_500).fill("x"));
  await consumer.deliver(["a"], { isStale: true });
  expect(sizes).toEqual([1_000, 1_000, 500]);
  expect(consumer.log.filter((line) => line.startsWith("commit"))).toEqual([
    "commit 1000",
    "commit 2000",
    "commit 2500",
  ]);
  await opened.close();
});

test("brokers that do not answer are asked again with another consumer, and what stops reading is told", async () => {
  const first = fakeConsumer(() => Promise.reject(new Error("nobody there")));
  const second = fakeConsumer();
  const { opened, changes } = input([first, second]);
  await expect.poll(() => changes.length).toBe(2);
  second.crash(new Error("gone"));
  expect(changes).toEqual([
    { isReading: false, detail: "nobody there" },
    { isReading: true, detail: "" },
    { isReading: false, detail: "gone" },
  ]);
  expect(first.log).toEqual(["disconnect"]);
  await opened.close();
});
