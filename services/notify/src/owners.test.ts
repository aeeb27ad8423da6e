import { openEmbeddedBus } from "@culprit/bus";
import { Fault, type Incident } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { type FakeServer, fakeServer, World } from "./test-kit.ts";

const base = fixture("cluster-hang-9e", { children: [] });
const many = Array.from(
  { length: 12 },
  (_, n): Incident => ({
    ...base,
    id: n.toString(16).padStart(64, "a") as Incident["id"],
  }),
);
const ended = (incident: Incident): Incident => ({ ...incident, revision: 4, status: "closed" });
const target = (server: FakeServer): Record<string, unknown> => ({
  name: "hook",
  kind: "webhook",
  url: server.url,
  rate: { perMinute: 10_000, burst: 1_000 },
});

/** What each page was told, by its key. */
function byKey(server: FakeServer): ReadonlyMap<string, readonly string[]> {
  const told = new Map<string, string[]>();
  for (const request of server.received) {
    const { type, data } = request.json() as { type: string; data: { key: string } };
    told.set(data.key, [...(told.get(data.key) ?? []), type]);
  }
  return told;
}

test("P5 two notifiers share the incidents; when one goes the other closes its pages under the same keys", async () => {
  await using server = await fakeServer();
  const bus = await openEmbeddedBus({ partitions: (topic) => (topic === "incidents" ? 4 : 1) });
  await using one = await World.open({ targets: [target(server)], bus });
  await using other = await World.open({ targets: [target(server)], bus });
  await one.publish(...many);
  await expect.poll(() => byKey(server).size, { timeout: 10_000 }).toBe(many.length);
  await one.end();
  await other.publish(...many.map(ended));
  const whole = ["incident.trigger", "incident.resolve"];
  await expect
    .poll(() => [...byKey(server).values()].filter((told) => told.at(-1) === whole[1]).length)
    .toBe(many.length);
  expect([...byKey(server)].sort()).toEqual(many.map(({ id }) => [id, whole]).sort());
});

test("P5 a log that cannot store for a while delays a page and loses none", async () => {
  await using server = await fakeServer();
  const bus = await openEmbeddedBus({});
  let refusing = false;
  const flaky = new Proxy(bus, {
    get(of, name) {
      if (name === "publish" && refusing) {
        return () => Promise.reject(new Fault("bus.busy", "no room", { retriable: true }));
      }
      const member: unknown = Reflect.get(of, name, of);
      return typeof member === "function" ? member.bind(of) : member;
    },
  });
  await using world = await World.open({ targets: [target(server)], bus: flaky });
  refusing = true;
  await bus.publish([{ topic: "incidents", key: base.id, value: base }]);
  await world.advance(20_000);
  expect(server.received).toHaveLength(0);
  refusing = false;
  await world.advance(60_000);
  expect([...byKey(server).values()]).toEqual([["incident.trigger"]]);
});
