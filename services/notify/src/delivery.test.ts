import { HOUR_MS, type Incident, MINUTE_MS, TOPICS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { notifierKind } from "./notifier.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { WebhookOptions } from "./notifiers/webhook.ts";
import { type FakeServer, fakeServer, passTimeUntil, T0, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e");
const next = (of: Incident, change: Partial<Incident>): Incident => ({ ...of, ...change, revision: of.revision + 1 });
const hook = (server: FakeServer, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: "hook",
  kind: "webhook",
  url: `${server.url}/in`,
  ...more,
});
const types = (server: FakeServer): readonly unknown[] => server.received.map((request) => request.json()["type"]);
const keys = (server: FakeServer): ReadonlySet<unknown> =>
  new Set(server.received.map((request) => (request.json()["data"] as Record<string, unknown>)["key"]));

test("one incident makes one page, whatever revisions follow that mean the same", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [hook(server)] });
  await world.publish(incident);
  await world.publish(next(incident, { unknown: ["more"] }));
  await world.advance(10 * MINUTE_MS);
  expect(types(server)).toEqual(["incident.trigger"]);
  await world.publish(next(incident, { status: "closed", revision: 9 }));
  expect(types(server)).toEqual(["incident.trigger", "incident.resolve"]);
  expect([...keys(server)]).toEqual([incident.id]);
});

test("an acknowledgement and a resolve by a person are told", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [hook(server, { updateEveryMs: 0 })] });
  await world.publish(incident);
  const action = { incident: incident.id, at: T0, who: "ada" } as const;
  await world.act({ ...action, id: "1".repeat(64), kind: "acknowledge" });
  await world.act({ ...action, id: "2".repeat(64), kind: "resolve", at: T0 + 1 });
  expect(types(server)).toEqual(["incident.trigger", "incident.update", "incident.resolve"]);
});

describe("a target in trouble", () => {
  test("F26 a 429 with Retry-After 7 is tried again at 7 s, and there is one page", async () => {
    await using server = await fakeServer();
    server.reply = () =>
      server.received.length === 1 ? { status: 429, headers: { "retry-after": "7" } } : { status: 200 };
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(incident);
    await world.advance(6_900);
    expect(server.received).toHaveLength(1);
    await world.advance(1_200);
    expect(server.received).toHaveLength(2);
    await world.advance(5 * MINUTE_MS);
    expect(server.received).toHaveLength(2);
    expect(keys(server).size).toBe(1);
  });

  test("down for two hours while three revisions come: one trigger with the latest text, then the resolve", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await server.leave();
    await world.publish(incident);
    let latest = incident;
    for (const title of ["second", "third", "fourth"]) {
      latest = next(latest, { title });
      await world.publish(latest);
      await world.advance(40 * MINUTE_MS);
    }
    await server.listen();
    await world.advance(20 * MINUTE_MS);
    expect(types(server)).toEqual(["incident.trigger"]);
    expect(server.received[0]?.body).toContain('"title":"fourth"');
    await world.publish(next(latest, { status: "resolved" }));
    expect(types(server)).toEqual(["incident.trigger", "incident.resolve"]);
  });

  test("P5 over before the target came back: the page is sent all the same, and then its resolve", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await server.leave();
    await world.publish(incident);
    await world.publish(next(incident, { status: "closed" }));
    await server.listen();
    await world.advance(20 * MINUTE_MS);
    expect(types(server)).toEqual(["incident.trigger", "incident.resolve"]);
  });

  test("F25 the answer is lost: one repeat with the same key", async () => {
    await using server = await fakeServer();
    server.reply = () => (server.received.length === 1 ? "cut" : { status: 200 });
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(incident);
    await world.advance(MINUTE_MS);
    expect(types(server)).toEqual(["incident.trigger", "incident.trigger"]);
    expect(keys(server).size).toBe(1);
    expect(new Set(server.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("F27 a refused token is not tried again and again; the fallback pages at once and says why", async () => {
    await using server = await fakeServer(() => ({ status: 401, body: "bad token" }));
    await using spare = await fakeServer();
    const targets = [hook(server, { fallback: "spare" }), { ...hook(spare), name: "spare", fallbackOnly: true }];
    await using world = await World.open({ targets });
    await world.publish(incident);
    await world.advance(5 * MINUTE_MS);
    expect(server.received).toHaveLength(1);
    expect(types(spare)).toEqual(["incident.trigger"]);
    expect(spare.received[0]?.body).toContain("did not take this page");
    expect(world.health()).toMatchObject({ state: "degraded" });
    await world.publish(next(incident, { status: "closed" }));
    expect(types(spare)).toEqual(["incident.trigger", "incident.resolve"]);
  });

  test("F26 after giveUpAfterMs of 503 the fallback pages", async () => {
    await using server = await fakeServer(() => ({ status: 503 }));
    await using spare = await fakeServer();
    const targets = [
      hook(server, { fallback: "spare", giveUpAfterMs: 3 * MINUTE_MS }),
      { ...hook(spare), name: "spare", fallbackOnly: true },
    ];
    await using world = await World.open({ targets });
    await world.publish(incident);
    await world.advance(2 * MINUTE_MS);
    expect(spare.received).toHaveLength(0);
    await world.advance(2 * MINUTE_MS);
    expect(types(spare)).toEqual(["incident.trigger"]);
    // With jitter, and ever more rarely: never as fast as the target can refuse.
    expect(server.received.length).toBeLessThan(12);
  });

  test("F24 a target that never answers delays nobody else", async () => {
    await using server = await fakeServer(() => "hang");
    await using other = await fakeServer();
    const stuck = notifierKind({
      kind: "stuck",
      options: WebhookOptions,
      open: () => ({ send: () => new Promise(() => {}) }),
    });
    await using world = await World.open({
      targets: [
        { ...hook(server), name: "stuck", kind: "stuck", timeoutMs: 100, queueMax: 2 },
        { ...hook(other), name: "well" },
      ],
      kinds: [...NOTIFIERS, stuck],
    });
    const both = [incident, fixture("dpm-vss")].map((value) => ({
      topic: TOPICS.incidents.name,
      key: value.id,
      value,
    }));
    await world.bus.publish(both);
    await expect.poll(() => other.received.length).toBe(2);
    await passTimeUntil(world.clock, world.end(), () => true);
  });
});

describe("restarts and owners", () => {
  test("P5 ended between sending and recording: the next process sends the same key again", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(incident);
    await world.end();
    // What a kill leaves behind is the intent without its outcome.
    const [record] = await world.deliveries();
    if (record === undefined) throw new Error("there is a record");
    const { told: _, outcome: __, ...bare } = record;
    const intent = { action: "trigger", reason: "first", revision: incident.revision, since: T0, attempts: 1 } as const;
    const left = { ...bare, step: record.step + 1, held: "maybe", intent };
    await world.bus.publish([{ topic: TOPICS.deliveries.name, key: `${incident.id}/hook`, value: left }]);
    await world.begin();
    expect(types(server)).toEqual(["incident.trigger", "incident.trigger"]);
    expect(keys(server).size).toBe(1);
  });

  test("a restart repeats nothing that was recorded, and sends what was missed", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(incident);
    await world.end();
    await world.bus.publish([
      { topic: TOPICS.incidents.name, key: incident.id, value: next(incident, { status: "closed" }) },
    ]);
    await world.begin();
    await world.advance(MINUTE_MS);
    expect(types(server)).toEqual(["incident.trigger", "incident.resolve"]);
  });

  test("an incident that cannot be read goes to the dead letters, and the others are paged", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.bus.publish([{ topic: TOPICS.incidents.name, key: "x", value: { title: "not an incident" } }]);
    await world.publish(incident);
    expect(types(server)).toEqual(["incident.trigger"]);
    const letters: unknown[] = [];
    const follower = await world.bus.follow({
      topic: TOPICS["dead-letters"].name,
      handle: ({ messages }) => void letters.push(...messages.map(({ value }) => value)),
    });
    await expect.poll(() => letters).toMatchObject([{ stage: "notify", reason: "notify.unreadable-incident" }]);
    await follower.close();
  });
});

describe("parents and children", () => {
  const child = fixture("dpm-vss");
  const parent: Incident = { ...incident, children: [child.id] };

  test("a wider incident takes over the page of its child: same key, new text, no second page", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(child);
    await world.publish(parent);
    await world.publish(next(child, { parent: parent.id }));
    await world.advance(10 * MINUTE_MS);
    expect(types(server)).toEqual(["incident.trigger", "incident.update"]);
    expect([...keys(server)]).toEqual([child.id]);
    expect(server.received[1]?.body).toContain(parent.title);
    await world.publish(next(child, { parent: parent.id, status: "closed", revision: 8 }));
    await world.publish(next(parent, { status: "closed" }));
    expect(types(server)).toEqual(["incident.trigger", "incident.update", "incident.resolve"]);
    expect(keys(server).size).toBe(1);
  });

  test("the child's word may come first", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(child);
    await world.publish(next(child, { parent: parent.id }));
    await world.publish(parent);
    expect(types(server)).toEqual(["incident.trigger", "incident.update"]);
    expect(keys(server).size).toBe(1);
  });

  test("of two children that were paged one page goes on and the other is closed", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    const other = fixture("storage-loss", { status: "open" });
    const wide: Incident = { ...incident, children: [child.id, other.id] };
    await world.publish(child);
    await world.publish(other);
    await world.publish(wide);
    await world.advance(MINUTE_MS);
    const open = new Map<unknown, string>();
    for (const request of server.received) {
      const { type, data } = request.json() as { type: string; data: { key: string } };
      open.set(data.key, type);
    }
    expect([...open.values()].filter((type) => type !== "incident.resolve")).toHaveLength(1);
  });

  test("a child that stands on its own again pages with a key of its own", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.publish(child);
    await world.publish(parent);
    await world.publish(next(parent, { children: [] }));
    expect(types(server)).toEqual(["incident.trigger", "incident.update", "incident.trigger"]);
    expect(keys(server).size).toBe(2);
  });
});

test("F28 a storm is sent at the target's pace and nothing of it is lost", async () => {
  await using server = await fakeServer();
  await using world = await World.open({
    targets: [hook(server, { rate: { perMinute: 60, burst: 5 }, queueMax: 20 })],
    config: { reconcileEveryMs: MINUTE_MS },
  });
  const storm = Array.from({ length: 50 }, (_, n) => ({
    ...incident,
    id: n.toString(16).padStart(64, "0") as Incident["id"],
    children: [],
  }));
  await world.publish(...storm);
  expect(server.received.length).toBe(5);
  await world.advance(10_000);
  expect(server.received.length).toBe(15);
  await world.advance(5 * MINUTE_MS);
  expect(keys(server).size).toBe(50);
  expect(server.received).toHaveLength(50);
});

test("F29 a ranking that flaps is told at the pace of updateEveryMs, and the last word is right", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [hook(server)] });
  await world.publish(incident);
  const [first, second, ...rest] = incident.causes.flatMap((cause) => cause ?? []);
  const swapped = [second, first, ...rest].flatMap((cause) => cause ?? []);
  for (let n = 0; n < 31; n += 1) {
    await world.publish({ ...incident, revision: 4 + n, causes: n % 2 === 0 ? swapped : incident.causes });
    await world.advance(20_000);
  }
  await world.advance(5 * MINUTE_MS);
  expect(server.received.length).toBeLessThanOrEqual(1 + 6);
  expect(JSON.parse(server.received.at(-1)?.body ?? "").data.incident.causes[0].id).toBe(second?.id);
});

test("an incident that was already over when it was first seen pages nobody", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [hook(server)] });
  await world.publish(fixture("storage-loss"));
  await world.advance(HOUR_MS);
  expect(server.received).toHaveLength(0);
  expect(await world.metrics.valueOf("notifications_quiet_total", { reason: "nothing-open" })).toBeGreaterThan(0);
});
