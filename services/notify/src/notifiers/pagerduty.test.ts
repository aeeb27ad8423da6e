import { describe, expect, test } from "vitest";
import { fixture, hostile, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply, T0, World } from "../test-kit.ts";

const KEY = "0123456789abcdef0123456789ABCDEF";
const incident = fixture("cluster-hang-9e");

/** As the Events API documents itself: checks the event, keeps alerts by key. */
function pagerdutyServer(): Promise<FakeServer & { open: Set<string> }> {
  const open = new Set<string>();
  const reply = (request: Received): Reply => {
    if (Buffer.byteLength(request.body) > 512 * 1024) return { status: 413 };
    const event = request.json() as {
      routing_key?: string;
      event_action?: string;
      dedup_key?: string;
      payload?: Record<string, unknown>;
    };
    const errors: string[] = [];
    if (event.routing_key !== KEY)
      return { status: 400, body: '{"status":"invalid event","errors":["Invalid routing key"]}' };
    if (typeof event.dedup_key !== "string" || event.dedup_key.length > 255) errors.push("dedup_key");
    if (event.event_action === "trigger") {
      const { summary, source, severity } = event.payload ?? {};
      if (typeof summary !== "string" || summary === "" || summary.length > 1024) errors.push("summary");
      if (typeof source !== "string" || source === "") errors.push("source");
      if (!["critical", "error", "warning", "info"].includes(String(severity))) errors.push("severity");
      open.add(String(event.dedup_key));
    } else if (event.event_action === "resolve") open.delete(String(event.dedup_key));
    else if (event.event_action !== "acknowledge") errors.push("event_action");
    if (errors.length > 0) return { status: 400, body: JSON.stringify({ status: "invalid event", errors }) };
    return { status: 202, body: '{"status":"success"}' };
  };
  return fakeServer(reply).then((server) => Object.assign(server, { open }));
}

const world = (url: string, more: Record<string, unknown> = {}): Promise<World> =>
  World.open({ targets: [{ name: "pager", kind: "pagerduty", routingKey: KEY, url, updateEveryMs: 0, ...more }] });

describe("PagerDuty", () => {
  test("opens one alert, updates it under the same key, acknowledges and resolves it", async () => {
    await using server = await pagerdutyServer();
    await using running = await world(server.url);
    await running.publish(incident);
    expect([...server.open]).toEqual([incident.id]);
    await running.publish({ ...incident, revision: 4, severity: "high" });
    await running.act({ id: "1".repeat(64), kind: "acknowledge", incident: incident.id, at: T0, who: "ada" });
    await running.publish({ ...incident, revision: 5, severity: "high", status: "closed" });
    expect(server.received.map((request) => request.json()["event_action"])).toEqual([
      "trigger",
      "trigger",
      "trigger",
      "acknowledge",
      "resolve",
    ]);
    expect(server.open.size).toBe(0);
    expect((await running.deliveries())[0]).toMatchObject({ held: "closed", outcome: { certainty: "accepted" } });
  });

  test("says what, why and what to do first where people look", async () => {
    await using server = await pagerdutyServer();
    await using running = await world(server.url);
    await running.publish(incident);
    const event = JSON.parse(server.received[0]?.body ?? "") as {
      payload: { summary: string; custom_details: Record<string, string[]> };
    };
    expect(event.payload.summary).toBe(`CRITICAL ${incident.title}`);
    expect(Object.keys(event.payload.custom_details).slice(0, 3)).toEqual([
      "Probable cause",
      "What happened",
      "Do first",
    ]);
  });

  test.each([
    ["far too much text", oversized()],
    ["a key that is a prototype's", hostile("__proto__")],
  ])("takes %s", async (_, big) => {
    await using server = await pagerdutyServer();
    await using running = await world(server.url);
    await running.publish(big);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });

  test("a wrong key is not tried again with the same text, and the detail does not show it", async () => {
    await using server = await pagerdutyServer();
    await using running = await world(server.url, { routingKey: "f".repeat(32) });
    await running.publish(incident);
    await running.advance(3_600_000);
    expect(server.received).toHaveLength(1);
    const [record] = await running.deliveries();
    expect(record?.outcome).toMatchObject({ result: "never", detail: expect.stringContaining("Invalid routing key") });
    expect(JSON.stringify(record)).not.toContain("f".repeat(32));
  });
});
