import { HOUR_MS, type Incident, MINUTE_MS, Silence } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { type FakeServer, fakeServer, T0, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e", { children: [] });
const next = (of: Incident, change: Partial<Incident>): Incident => ({ ...of, ...change, revision: of.revision + 1 });
const silence = (of: Record<string, unknown> = {}): Silence =>
  Silence.parse({
    kind: "silence",
    id: "5".repeat(64),
    match: { scope: ["hv11"] },
    from: T0,
    until: T0 + 2 * HOUR_MS,
    who: "ada",
    comment: "memory is changed",
    at: T0,
    ...of,
  });
const hook = (server: FakeServer, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: "hook",
  kind: "webhook",
  url: server.url,
  updateEveryMs: 0,
  ...more,
});
const told = (server: FakeServer): readonly string[] =>
  server.received.map((request) => {
    const { type, data } = request.json() as { type: string; data: { reason: string } };
    return `${type.replace("incident.", "")} ${data.reason}`;
  });

describe("a silence", () => {
  test("keeps a page back, and lets it through when it ends and the trouble has not", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)], config: { reconcileEveryMs: 24 * HOUR_MS } });
    await world.silence(silence());
    await world.publish(incident);
    await world.advance(2 * HOUR_MS - MINUTE_MS);
    expect(told(server)).toEqual([]);
    await world.advance(2 * MINUTE_MS);
    expect(told(server)).toEqual(["trigger first"]);
  });

  test("that is lifted lets the page through at once", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.silence(silence());
    await world.publish(incident);
    expect(told(server)).toEqual([]);
    await world.silence(silence({ lifted: { at: T0, who: "bob" } }));
    expect(told(server)).toEqual(["trigger first"]);
  });

  test("pages nobody for what began and ended under it", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.silence(silence());
    await world.publish(incident);
    await world.publish(next(incident, { status: "closed" }));
    await world.advance(3 * HOUR_MS);
    expect(told(server)).toEqual([]);
  });

  test("that begins after the page swallows its changes, but neither an acknowledgement nor the resolve", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    const milder = { ...incident, severity: "high" } as const;
    await world.publish(milder);
    await world.silence(silence());
    await world.publish(next(milder, { severity: "critical" }));
    expect(told(server)).toEqual(["trigger first"]);
    await world.act({ id: "1".repeat(64), kind: "acknowledge", incident: incident.id, at: T0, who: "ada" });
    await world.publish({ ...next(milder, { status: "closed" }), revision: 9 });
    expect(told(server)).toEqual(["trigger first", "update acknowledged", "resolve ended"]);
  });

  test("does not let an alert run out at a target that forgets", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [{ name: "prom", kind: "alertmanager", urls: [server.url] }] });
    await world.publish(incident);
    await world.silence(silence());
    await world.advance(20 * MINUTE_MS);
    expect(server.received.length).toBeGreaterThanOrEqual(9);
  });

  test("holds over a restart, and says nothing of machines it does not name", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [hook(server)] });
    await world.silence(silence({ match: { scope: ["hv12"] } }));
    await world.silence(silence({ id: "6".repeat(64), match: { playbooks: ["dpm-*"] } }));
    await world.end();
    await world.begin();
    await world.publish(fixture("dpm-vss"));
    expect(told(server)).toEqual([]);
    await world.publish(incident);
    expect(told(server)).toEqual(["trigger first"]);
  });
});

test("a maintenance window is quiet at its hours only, week after week", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [hook(server)] });
  // T0 is 03:05 on a Tuesday in Oslo.
  const recurrence = { zone: "Europe/Oslo", windows: [{ days: ["tue"], from: "03:00", to: "03:30" }] };
  await world.silence(silence({ until: T0 + 200 * HOUR_MS, recurrence }));
  await world.publish(incident);
  await world.advance(24 * MINUTE_MS);
  expect(told(server)).toEqual([]);
  await world.advance(2 * MINUTE_MS);
  expect(told(server)).toEqual(["trigger first"]);
});
