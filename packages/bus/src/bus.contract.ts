/**
 * What every bus must do, as tests: each engine's own test file calls `busContract` with a way to open it.
 * `reopen` closes and opens the same stored data again. One suite is one file, however long: an engine passes all of it.
 */
import type { TopicSpec } from "@culprit/model";
import { expect, test } from "vitest";
import type { Assignment, Batch, Bus, Message, Outgoing, PartitionTask } from "./bus.ts";
import { openTable } from "./table.ts";

/** The topics the suite asks for, with two partitions where it says so. */
export const CONTRACT_TOPICS: readonly TopicSpec[] = [
  { name: "in", retention: { kind: "time", retentionMs: 86_400_000 } },
  { name: "out", retention: { kind: "time", retentionMs: 86_400_000 } },
  { name: "facts", retention: { kind: "compacted" } },
];

export const contractPartitions = (topic: string): number => (topic === "in" ? 2 : 1);

export interface Opened {
  readonly bus: Bus;
  reopen(): Promise<Bus>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Defines the suite's tests for one engine. */
export function busContract(engine: string, open: () => Promise<Opened>): void {
  const it = (title: string, body: (opened: Opened) => Promise<void>): void => {
    test(`${engine}: ${title}`, async () => {
      await using opened = await open();
      await body(opened);
    });
  };

  it("a published message comes back with its key, value, headers and a time", async ({ bus }) => {
    const value = { text: "Übung\u0000\ud83d", list: [1, null, { __proto__: 1 }], n: 0.1 };
    await bus.publish([{ topic: "out", key: "hv11", value, headers: { traceparent: "00-1" } }]);
    const [message] = await readAll(bus, "out");
    expect(message).toMatchObject({ topic: "out", partition: 0, key: "hv11", headers: { traceparent: "00-1" } });
    expect(message?.value).toEqual(JSON.parse(JSON.stringify(value)));
    expect(message?.at).toBeGreaterThan(0);
  });

  it("bytes stay bytes and null stays null", async ({ bus }) => {
    await bus.publish([
      { topic: "out", key: "a", value: Uint8Array.of(0, 255, 10) },
      { topic: "out", key: "b", value: null },
      { topic: "out", key: "", value: "" },
    ]);
    const values = (await readAll(bus, "out")).map(({ value }) => value);
    expect(values[0]).toBeInstanceOf(Uint8Array);
    expect([...(values[0] as Uint8Array)]).toEqual([0, 255, 10]);
    expect(values.slice(1)).toEqual([null, ""]);
  });

  it("messages of one key keep their order over many concurrent publishers", async ({ bus }) => {
    await Promise.all(range(50).map((n) => bus.publish([numbered("in", `k${n % 5}`, n)])));
    const seen = await readAll(bus, "in");
    for (let key = 0; key < 5; key += 1) {
      const numbers = seen.filter((message) => message.key === `k${key}`).map(({ value }) => value);
      expect(numbers).toEqual(range(10).map((n) => n * 5 + key));
    }
  });

  it("a key has one partition, and a message may name its partition instead", async ({ bus }) => {
    await bus.publish(range(40).map((n) => numbered("in", `k${n % 8}`, n)));
    await bus.publish([
      { topic: "in", key: "tick", value: 0, partition: 0 },
      { topic: "in", key: "tick", value: 1, partition: 1 },
    ]);
    const seen = await readAll(bus, "in");
    const partitions = new Map<string, Set<number>>();
    for (const { key, partition } of seen) partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
    for (const [key, of] of partitions) expect(of.size, key).toBe(key === "tick" ? 2 : 1);
    expect(new Set(seen.map(({ partition }) => partition))).toEqual(new Set([0, 1]));
  });

  it("what cannot be stored is refused with a fault that is not retriable", async ({ bus }) => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await expect(bus.publish([{ topic: "nowhere", key: "", value: 1 }])).rejects.toMatchObject({
      code: "bus.unknown-topic",
      retriable: false,
    });
    await expect(bus.publish([{ topic: "out", key: "", value: cyclic }])).rejects.toMatchObject({
      code: "bus.unserialisable",
    });
    await expect(bus.publish([{ topic: "out", key: "", value: undefined }])).rejects.toMatchObject({
      code: "bus.unserialisable",
    });
    expect(() => bus.partitionsOf("nowhere")).toThrow(expect.objectContaining({ code: "bus.unknown-topic" }));
    expect(bus.partitionsOf("in")).toBe(2);
  });

  it("a publish is whole: a message that is refused takes its neighbours along", async ({ bus }) => {
    const messages: Outgoing[] = [numbered("out", "a", 1), { topic: "nowhere", key: "", value: 1 }];
    await expect(bus.publish(messages)).rejects.toMatchObject({ code: "bus.unknown-topic" });
    expect(await readAll(bus, "out")).toEqual([]);
  });

  it("a group goes on where it committed, after a restart too", async (opened) => {
    await opened.bus.publish(range(30).map((n) => numbered("out", "k", n)));
    const first = await collect(opened.bus, { group: "g", topic: "out", until: 10, batchMessagesMax: 5 });
    const bus = await opened.reopen();
    const second = await collect(bus, { group: "g", topic: "out", until: 20, batchMessagesMax: 5 });
    expect([...first, ...second].map(({ value }) => value)).toEqual(range(30));
  });

  it("batches hold no more than asked for and positions lead through them", async ({ bus }) => {
    await bus.publish(range(23).map((n) => numbered("out", "k", n)));
    const batches: Batch[] = [];
    const all = Promise.withResolvers<void>();
    const reader = await bus.consume({
      group: "g",
      topic: "out",
      batchMessagesMax: 7,
      open: ({ commit }) => ({
        async handle(batch) {
          batches.push(batch);
          await commit({ position: batch.next });
          if (batch.next === batch.end) all.resolve();
        },
      }),
    });
    await all.promise;
    await reader.close();
    expect(batches.every(({ messages }) => messages.length > 0 && messages.length <= 7)).toBe(true);
    expect(batches.flatMap(({ messages }) => messages.map(({ value }) => value))).toEqual(range(23));
    expect(await bus.progress("g", "out")).toEqual([
      { partition: 0, position: batches.at(-1)?.next, end: batches.at(-1)?.end },
    ]);
  });

  it("what was not committed is delivered again to the next member", async ({ bus }) => {
    await bus.publish(range(4).map((n) => numbered("out", "k", n)));
    const first = await collect(bus, { group: "g", topic: "out", until: 4, commits: false });
    const second = await collect(bus, { group: "g", topic: "out", until: 4 });
    expect(second).toEqual(first);
  });

  it("groups read independently of each other, and a late one may begin at the end", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 0)]);
    expect(await collect(bus, { group: "a", topic: "out", until: 1 })).toHaveLength(1);
    expect(await collect(bus, { group: "b", topic: "out", until: 1 })).toHaveLength(1);
    const seen: unknown[] = [];
    const arrived = Promise.withResolvers<void>();
    const reader = await bus.consume({
      group: "c",
      topic: "out",
      from: "latest",
      open: () => ({
        async handle({ messages }) {
          seen.push(...messages.map(({ value }) => value));
          arrived.resolve();
        },
      }),
    });
    await bus.publish([numbered("out", "k", 1)]);
    await arrived.promise;
    await reader.close();
    expect(seen).toEqual([1]);
  });

  it("F5 a commit stores outputs, changes and position together, and the next owner gets the state", async (opened) => {
    const { bus } = opened;
    await bus.publish([numbered("out", "k", 1), numbered("out", "k", 2)]);
    await once(bus, { group: "g", topic: "out" }, async (batch, { commit }) => {
      await commit({
        outputs: [{ topic: "facts", key: "f", value: "told" }],
        changes: [
          { key: "w1", value: { open: true } },
          { key: "w2", value: 1 },
        ],
        position: batch.next,
      });
      await commit({ changes: [{ key: "w2", value: null }], position: batch.next });
    });
    const next = await opened.reopen();
    const assignment = await assignedTo(next, "g", "out");
    expect(new Map(assignment.state)).toEqual(new Map([["w1", { open: true }]]));
    expect(assignment.damaged).toEqual([]);
    expect((await next.progress("g", "out"))[0]?.position).toBe(assignment.position);
    expect((await readAll(next, "facts")).map(({ value }) => value)).toEqual(["told"]);
  });

  it("a commit that is refused leaves nothing behind", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 1)]);
    await once(bus, { group: "g", topic: "out" }, async (batch, { commit }) => {
      const refused = commit({
        outputs: [
          { topic: "facts", key: "f", value: 1 },
          { topic: "nowhere", key: "", value: 1 },
        ],
        changes: [{ key: "w", value: 1 }],
        position: batch.next,
      });
      await expect(refused).rejects.toMatchObject({ code: "bus.unknown-topic" });
    });
    const assignment = await assignedTo(bus, "g", "out");
    expect(assignment.state.size).toBe(0);
    expect((await bus.progress("g", "out"))[0]?.position).toBe(assignment.position);
    expect(await readAll(bus, "facts")).toEqual([]);
  });

  it("state belongs to its group and partition", async ({ bus }) => {
    await bus.publish([
      { topic: "in", key: "", value: 0, partition: 0 },
      { topic: "in", key: "", value: 1, partition: 1 },
    ]);
    const handled = Promise.withResolvers<void>();
    let left = 2;
    const reader = await bus.consume({
      group: "g",
      topic: "in",
      open: ({ commit }) => ({
        async handle({ partition, next }) {
          await commit({ changes: [{ key: "p", value: partition }], position: next });
          left -= 1;
          if (left === 0) handled.resolve();
        },
      }),
    });
    await handled.promise;
    await reader.close();
    const states = new Map<number, unknown>();
    const again = await bus.consume({ group: "g", topic: "in", open: remember(states) });
    await again.close();
    expect(states).toEqual(
      new Map([
        [0, { p: 0 }],
        [1, { p: 1 }],
      ]),
    );
    const others = new Map<number, unknown>();
    await (await bus.consume({ group: "g2", topic: "in", open: remember(others) })).close();
    expect(others).toEqual(
      new Map([
        [0, {}],
        [1, {}],
      ]),
    );
  });

  it("F6 an owner that lost its partition cannot commit, and positions never go back", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 1), numbered("out", "k", 2)]);
    let old: Assignment | undefined;
    await once(bus, { group: "g", topic: "out" }, async (batch, assignment) => {
      old = assignment;
      await assignment.commit({ position: batch.next });
      await expect(assignment.commit({ position: batch.next - 1 })).rejects.toMatchObject({
        code: "bus.position-back",
      });
    });
    expect(old?.lost.aborted).toBe(true);
    await expect(old?.commit({ position: 100 })).rejects.toMatchObject({ code: "bus.fenced", retriable: false });
  });

  it("members of a group share the partitions, each message handled by one of them", async ({ bus }) => {
    const by = new Map<unknown, string>();
    const member = (name: string) =>
      bus.consume({
        group: "g",
        topic: "in",
        open: ({ commit }) => ({
          async handle({ messages, next }) {
            for (const { value } of messages) by.set(value, `${by.get(value) ?? ""}${name}`);
            await commit({ position: next });
          },
        }),
      });
    const publish = (from: number) => bus.publish(range(20).map((n) => numbered("in", `k${n}`, from + n)));
    const first = await member("a");
    await publish(0);
    await eventually(() => by.size === 20);
    const second = await member("b");
    await publish(100);
    await eventually(() => by.size === 40);
    await first.close();
    await publish(200);
    await eventually(() => by.size === 60);
    await second.close();
    const handled = (from: number) => new Set(range(20).map((n) => by.get(from + n)));
    expect(handled(0)).toEqual(new Set(["a"]));
    expect(handled(100)).toEqual(new Set(["a", "b"]));
    expect(handled(200)).toEqual(new Set(["b"]));
  });

  it("a partition is read through a moment only once all that was taken before is handled, and on while nothing comes", async ({
    bus,
  }) => {
    await bus.publish([numbered("out", "k", 1)]);
    const may = Promise.withResolvers<void>();
    let began: { at: number; readThrough(): number | undefined } | undefined;
    const reader = await bus.consume({
      group: "g",
      topic: "out",
      open: ({ readThrough, commit }) => ({
        async handle({ messages, next }) {
          began = { at: messages[0]?.at ?? 0, readThrough };
          await may.promise;
          await commit({ position: next });
        },
      }),
    });
    const through = (): number => began?.readThrough() ?? Number.NEGATIVE_INFINITY;
    await eventually(() => began !== undefined);
    const takenAt = began?.at ?? 0;
    expect(through()).toBeLessThanOrEqual(takenAt);
    may.resolve();
    await eventually(() => through() > takenAt);
    const before = through();
    await eventually(() => through() > before);
    await reader.close();
  });

  it("a batch in work is finished and committed before its partition moves", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 1)]);
    const began = Promise.withResolvers<void>();
    const may = Promise.withResolvers<void>();
    const order: string[] = [];
    const reader = await bus.consume({
      group: "g",
      topic: "out",
      open: ({ commit, lost }) => ({
        async handle({ next }) {
          began.resolve();
          await may.promise;
          await commit({ position: next });
          order.push(`committed, lost ${lost.aborted}`);
        },
        async close() {
          order.push("closed");
        },
      }),
    });
    await began.promise;
    const closing = reader.close();
    may.resolve();
    await closing;
    await reader.ended;
    expect(order).toEqual(["committed, lost true", "closed"]);
    expect((await bus.progress("g", "out"))[0]).toMatchObject({ position: expect.any(Number) });
    expect(await undelivered(bus, "g", "out")).toBe(0);
  });

  it("F18 a task that throws ends its reader with what it threw, and the batch is delivered again", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 7)]);
    const reader = await bus.consume({
      group: "g",
      topic: "out",
      open: () => ({
        handle: () => Promise.reject(new Error("boom")),
      }),
    });
    await expect(reader.ended).rejects.toThrow("boom");
    expect((await collect(bus, { group: "g", topic: "out", until: 1 })).map(({ value }) => value)).toEqual([7]);
  });

  it("a task that cannot be opened fails the call", async ({ bus }) => {
    const joining = bus.consume({ group: "g", topic: "out", open: () => Promise.reject(new Error("no program")) });
    await expect(joining).rejects.toThrow("no program");
    await bus.publish([numbered("out", "k", 1)]);
    expect(await collect(bus, { group: "g", topic: "out", until: 1 })).toHaveLength(1);
  });

  it("a compacted topic is a table: the newest value of each key, removed keys gone, changes told", async (opened) => {
    const { bus } = opened;
    await bus.publish([fact("a", 1), fact("b", 1), fact("a", 2), fact("c", 1), fact("b", null)]);
    const table = await openTable(bus, "facts", ({ value }) => value as number);
    expect(new Map(table.entries())).toEqual(
      new Map([
        ["a", 2],
        ["c", 1],
      ]),
    );
    const told: unknown[] = [];
    table.onChange((key, value) => told.push([key, value]));
    await bus.publish([fact("c", null), fact("__proto__", 5)]);
    await eventually(() => told.length === 2);
    expect(told).toEqual([
      ["c", undefined],
      ["__proto__", 5],
    ]);
    expect([table.get("a"), table.get("__proto__"), table.size]).toEqual([2, 5, 2]);
    await table.close();
    await table.ended;
    const again = await openTable(await opened.reopen(), "facts", ({ value }) => value as number);
    expect(new Map(again.entries())).toEqual(
      new Map([
        ["a", 2],
        ["__proto__", 5],
      ]),
    );
  });

  it("a group that reads a compacted topic sees the last value of every key", async ({ bus }) => {
    for (const n of range(5)) await bus.publish([fact("a", n), fact(`b${n}`, n)]);
    const last = new Map<string, unknown>();
    const reader = await bus.consume({
      group: "g",
      topic: "facts",
      open: ({ commit }) => ({
        async handle({ messages, next }) {
          for (const { key, value } of messages) last.set(key, value);
          await commit({ position: next });
        },
      }),
    });
    await eventually(() => last.size === 6 && last.get("a") === 4);
    await reader.close();
    expect(await undelivered(bus, "g", "facts")).toBe(0);
  });

  it("a follower can begin at a position of its own and knows when it has caught up", async ({ bus }) => {
    await bus.publish(range(6).map((n) => numbered("out", "k", n)));
    const seen: Message[] = [];
    const first = await bus.follow({
      topic: "out",
      batchMessagesMax: 2,
      handle: ({ messages }) => void seen.push(...messages),
    });
    await first.caughtUp;
    expect(seen.map(({ value }) => value)).toEqual(range(6));
    await first.close();
    const rest: unknown[] = [];
    const second = await bus.follow({
      topic: "out",
      positions: new Map([[0, seen[4]?.offset ?? -1]]),
      handle: ({ messages }) => void rest.push(...messages.map(({ value }) => value)),
    });
    await second.caughtUp;
    await bus.publish([numbered("out", "k", 6)]);
    await eventually(() => rest.length === 3);
    expect(rest).toEqual([4, 5, 6]);
    await second.close();
  });

  it("a follower that throws says so in both promises", async ({ bus }) => {
    await bus.publish([numbered("out", "k", 1)]);
    const follower = await bus.follow({
      topic: "out",
      handle: () => {
        throw new Error("unreadable");
      },
    });
    await expect(follower.ended).rejects.toThrow("unreadable");
    await expect(follower.caughtUp).rejects.toMatchObject({ code: "bus.closed" });
  });

  it("closing ends the readers first and refuses what comes after", async ({ bus }) => {
    const order: string[] = [];
    const reader = await bus.consume({
      group: "g",
      topic: "out",
      open: () => ({
        handle: async () => {},
        close: async () => void order.push("task closed"),
      }),
    });
    await bus.close();
    await bus.close();
    await reader.ended;
    expect(order).toEqual(["task closed"]);
    await expect(bus.publish([numbered("out", "k", 1)])).rejects.toMatchObject({ code: "bus.closed" });
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function numbered(topic: string, key: string, value: number): Outgoing {
  return { topic, key, value };
}

function fact(key: string, value: number | null): Outgoing {
  return { topic: "facts", key, value };
}

async function readAll(bus: Bus, topic: string): Promise<Message[]> {
  const seen: Message[] = [];
  const follower = await bus.follow({ topic, handle: ({ messages }) => void seen.push(...messages) });
  await follower.caughtUp;
  await follower.close();
  return seen;
}

/** Reads as a group until `until` messages came, committing each batch unless told not to. */
async function collect(
  bus: Bus,
  options: { group: string; topic: string; until: number; batchMessagesMax?: number; commits?: boolean },
): Promise<Message[]> {
  const seen: Message[] = [];
  const enough = Promise.withResolvers<void>();
  const { until, commits = true, ...rest } = options;
  const reader = await bus.consume({
    ...rest,
    open: ({ commit }) => ({
      async handle({ messages, next }) {
        if (seen.length >= until) return;
        seen.push(...messages);
        if (commits) await commit({ position: next });
        if (seen.length >= until) enough.resolve();
      },
    }),
  });
  await enough.promise;
  await reader.close();
  return seen;
}

/** Handles one batch and leaves the group. */
async function once(
  bus: Bus,
  from: { group: string; topic: string },
  work: (batch: Batch, assignment: Assignment) => Promise<void>,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  const reader = await bus.consume({
    ...from,
    open: (assignment) => ({
      handle: (batch) => work(batch, assignment).then(done.resolve, done.reject),
    }),
  });
  await done.promise;
  await reader.close();
}

async function assignedTo(bus: Bus, group: string, topic: string): Promise<Assignment> {
  const assigned = Promise.withResolvers<Assignment>();
  const reader = await bus.consume({
    group,
    topic,
    open(assignment): PartitionTask {
      assigned.resolve(assignment);
      return { handle: async () => {} };
    },
  });
  await reader.close();
  return assigned.promise;
}

function remember(into: Map<number, unknown>): (assignment: Assignment) => PartitionTask {
  return ({ partition, state }) => {
    into.set(partition, Object.fromEntries(state));
    return { handle: async () => {} };
  };
}

async function undelivered(bus: Bus, group: string, topic: string): Promise<number> {
  const progress = await bus.progress(group, topic);
  return progress.reduce((sum, { position, end }) => sum + end - position, 0);
}

const PATIENCE_MS = 20_000;

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still not so after ${PATIENCE_MS} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
