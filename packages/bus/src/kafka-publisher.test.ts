import { expect, test } from "vitest";
import { Publisher } from "./kafka-publisher.ts";
import type { SizedRecord } from "./kafka-record.ts";
import { type Wire, WireError } from "./kafka-wire.ts";

function record(text: string, bytes = 100): SizedRecord {
  return { topic: "t", partition: 0, key: Buffer.from(""), value: Buffer.from(text), headers: {}, bytes };
}

interface Setting {
  /** Called for each request; waits or throws as the test wants. */
  produce: (texts: readonly string[]) => Promise<void>;
}

function open(setting: Setting, over: { timeoutMs?: number; pendingMaxBytes?: number } = {}) {
  let producers = 0;
  const wire: Partial<Wire> = {
    leaders: async () => new Map([[0, "1"]]),
    refresh: async () => {},
    initProducer: async () => {
      producers += 1;
      return { transactionalId: undefined, producerId: String(producers), epoch: 0 };
    },
    produce: ({ batches }) =>
      setting.produce(batches.flatMap(({ records }) => records.map(({ value }) => value?.toString() ?? ""))),
  };
  const publisher = new Publisher({ wire: wire as Wire, timeoutMs: 1_000, pendingMaxBytes: 1_000, ...over });
  return { publisher, producers: () => producers };
}

test("what comes while a request is under way goes out together with the next, in order", async () => {
  const requests: (readonly string[])[] = [];
  const first = Promise.withResolvers<void>();
  const { publisher } = open({
    produce: async (texts) => {
      requests.push(texts);
      if (requests.length === 1) await first.promise;
    },
  });
  const a = publisher.publish([record("a")]);
  await new Promise((resolve) => setImmediate(resolve));
  const rest = ["b", "c", "d"].map((text) => publisher.publish([record(text)]));
  first.resolve();
  await Promise.all([a, ...rest]);
  expect(requests).toEqual([["a"], ["b", "c", "d"]]);
  expect(publisher.stats).toMatchObject({ pending_bytes: 0, published_messages_total: 4 });
});

test("P7 more than may wait is refused at once, and taken again when there is room", async () => {
  const held = Promise.withResolvers<void>();
  const { publisher } = open({ produce: () => held.promise });
  const first = publisher.publish([record("a", 900)]);
  await expect(publisher.publish([record("b", 200)])).rejects.toMatchObject({ code: "bus.busy", retriable: true });
  held.resolve();
  await first;
  await publisher.publish([record("b", 200)]);
});

test("F2 a broker that does not answer: every publish is answered by its own deadline", async () => {
  const { publisher } = open({ produce: () => new Promise(() => {}) }, { timeoutMs: 60 });
  const began = performance.now();
  const outcomes = await Promise.allSettled([publisher.publish([record("a")]), publisher.publish([record("b")])]);
  expect(performance.now() - began).toBeLessThan(1_000);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "bus.unavailable", retriable: true } });
  }
  expect(publisher.stats["pending_bytes"]).toBe(0);
});

test("F1 after a failed write the next one has a producer of its own", async () => {
  let fails = true;
  const setting: Setting = {
    produce: async () => {
      if (fails) throw new WireError("NOT_ENOUGH_REPLICAS", "too few", { passing: true });
    },
  };
  const { publisher, producers } = open(setting, { timeoutMs: 40 });
  await expect(publisher.publish([record("a")])).rejects.toMatchObject({ code: "bus.unavailable" });
  await publisher.drained();
  fails = false;
  await publisher.publish([record("b")]);
  expect(producers()).toBe(2);
});

test("a message that the broker finds too large is no reason to try again", async () => {
  const { publisher } = open({
    produce: () => Promise.reject(new WireError("MESSAGE_TOO_LARGE", "too large", { passing: false })),
  });
  await expect(publisher.publish([record("a")])).rejects.toMatchObject({ code: "bus.too-large", retriable: false });
});
