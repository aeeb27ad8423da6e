import { type Action, HOUR_MS, type Incident, MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { type FakeServer, fakeServer, T0, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e", { children: [] });
const ended: Incident = { ...incident, revision: 9, status: "closed" };
const acknowledge = (change: Partial<Extract<Action, { kind: "acknowledge" }>> = {}): Action => ({
  id: "1".repeat(64),
  kind: "acknowledge",
  incident: incident.id,
  at: T0,
  who: "ada",
  ...change,
});

function world(first: FakeServer, second: FakeServer, more: Record<string, unknown> = {}): Promise<World> {
  const hook = { kind: "webhook", updateEveryMs: 0 };
  return World.open({
    targets: [
      { ...hook, name: "first", url: first.url, escalateTo: "second", escalateAfterMs: 15 * MINUTE_MS, ...more },
      { ...hook, name: "second", url: second.url, fallbackOnly: true },
    ],
    // Nothing here may depend on the sweep.
    config: { reconcileEveryMs: 24 * HOUR_MS },
  });
}
const types = (server: FakeServer): readonly unknown[] => server.received.map((request) => request.json()["type"]);

describe("a page that nobody acknowledges", () => {
  test("goes to the next target in time, says why, and ends at both", async () => {
    await using first = await fakeServer();
    await using second = await fakeServer();
    await using running = await world(first, second);
    await running.publish(incident);
    await running.advance(14 * MINUTE_MS);
    expect(types(second)).toEqual([]);
    await running.advance(2 * MINUTE_MS);
    expect(types(second)).toEqual(["incident.trigger"]);
    expect(second.received[0]?.body).toContain('Nobody acknowledged it at \\"first\\" for 15 min');
    await running.publish(ended);
    expect([types(first), types(second)]).toEqual([
      ["incident.trigger", "incident.resolve"],
      ["incident.trigger", "incident.resolve"],
    ]);
  });

  test("goes on even when the first target cannot be reached at all", async () => {
    await using first = await fakeServer();
    await using second = await fakeServer();
    await using running = await world(first, second);
    await first.leave();
    await running.publish(incident);
    await running.advance(16 * MINUTE_MS);
    expect(types(second)).toEqual(["incident.trigger"]);
  });

  test("goes on after a restart in between", async () => {
    await using first = await fakeServer();
    await using second = await fakeServer();
    await using running = await world(first, second);
    await running.publish(incident);
    await running.advance(10 * MINUTE_MS);
    await running.end();
    await running.begin();
    await running.advance(6 * MINUTE_MS);
    expect([types(first), types(second)]).toEqual([["incident.trigger"], ["incident.trigger"]]);
  });
});

describe("an acknowledgement", () => {
  test("stops the escalation", async () => {
    await using first = await fakeServer();
    await using second = await fakeServer();
    await using running = await world(first, second);
    await running.publish(incident);
    await running.advance(10 * MINUTE_MS);
    await running.act(acknowledge({ at: running.clock.now() }));
    await running.advance(2 * HOUR_MS);
    expect(types(second)).toEqual([]);
  });

  test("that runs out is told, and the escalation counts from then on", async () => {
    await using first = await fakeServer();
    await using second = await fakeServer();
    await using running = await world(first, second);
    await running.publish(incident);
    await running.act(acknowledge({ until: T0 + HOUR_MS }));
    await running.advance(HOUR_MS - MINUTE_MS);
    expect(types(first)).toEqual(["incident.trigger", "incident.update"]);
    await running.advance(10 * MINUTE_MS);
    expect(types(first)).toEqual(["incident.trigger", "incident.update", "incident.update"]);
    expect(first.received[2]?.body).toContain('"reason":"reopened"');
    expect(types(second)).toEqual([]);
    await running.advance(7 * MINUTE_MS);
    expect(types(second)).toEqual(["incident.trigger"]);
  });
});

test("a target with hours of its own is told when they begin, if it is still going on", async () => {
  await using server = await fakeServer();
  // T0 is 03:05 on a Tuesday in Oslo.
  const when = { zone: "Europe/Oslo", windows: [{ days: ["tue"], from: "03:10", to: "16:00" }] };
  await using running = await World.open({
    targets: [{ name: "day", kind: "webhook", url: server.url, when }],
    config: { reconcileEveryMs: 24 * HOUR_MS },
  });
  await running.publish(incident);
  await running.advance(4 * MINUTE_MS);
  expect(types(server)).toEqual([]);
  await running.advance(2 * MINUTE_MS);
  expect(types(server)).toEqual(["incident.trigger"]);
});
