import { MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply, T0, World } from "../test-kit.ts";

const incident = fixture("cluster-hang-9e");

interface Alert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

function alertmanagerApi(request: Received): Reply {
  if (request.path !== "/api/v2/alerts") return { status: 404 };
  for (const { labels, annotations } of JSON.parse(request.body) as Alert[]) {
    const values = [...Object.values(labels), ...Object.values(annotations)];
    if (values.some((value) => typeof value !== "string") || labels["alertname"] === undefined)
      return { status: 400, body: "bad label" };
  }
  return { status: 200 };
}

const alerts = (server: FakeServer): readonly Alert[] =>
  server.received.flatMap(({ body }) => JSON.parse(body) as Alert[]);
const world = (...urls: readonly string[]): Promise<World> =>
  World.open({ targets: [{ name: "prom", kind: "alertmanager", urls, labels: { team: "windows" } }] });

describe("Alertmanager", () => {
  test("is told again in time for the alert not to end by itself, even when someone has acknowledged it", async () => {
    await using server = await fakeServer(alertmanagerApi);
    await using running = await world(server.url);
    await running.publish(incident);
    await running.act({ id: "1".repeat(64), kind: "acknowledge", incident: incident.id, at: T0, who: "ada" });
    await running.advance(30 * MINUTE_MS);
    const sent = alerts(server);
    expect(sent.length).toBeGreaterThanOrEqual(14);
    expect(sent.length).toBeLessThanOrEqual(18);
    const last = sent.at(-1);
    expect(Date.parse(last?.endsAt ?? "")).toBeGreaterThan(running.clock.now());
    expect(new Set(sent.map(({ labels }) => JSON.stringify(labels))).size).toBe(1);
    await running.publish({ ...incident, revision: 4, status: "closed" });
    expect(Date.parse(alerts(server).at(-1)?.endsAt ?? "")).toBe(running.clock.now());
  });

  test("every replica is told, and one that is away does not matter", async () => {
    await using one = await fakeServer(alertmanagerApi);
    await using other = await fakeServer(alertmanagerApi);
    await other.leave();
    await using running = await world(one.url, other.url);
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
    await other.listen();
    await running.advance(3 * MINUTE_MS);
    expect(alerts(other).length).toBeGreaterThan(0);
  });

  test("a page that a wider incident takes over stays the same alert", async () => {
    await using server = await fakeServer(alertmanagerApi);
    await using running = await world(server.url);
    const child = fixture("dpm-vss");
    await running.publish(child);
    await running.publish({ ...incident, children: [child.id] });
    const sent = alerts(server);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.labels).toEqual(sent[0]?.labels);
    expect(sent[1]?.annotations["summary"]).toBe(incident.title);
  });

  test("takes far too much text", async () => {
    await using server = await fakeServer(alertmanagerApi);
    await using running = await world(server.url);
    await running.publish(oversized());
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });
});
