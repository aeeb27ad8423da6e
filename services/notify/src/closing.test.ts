import { DAY_MS, type Delivery, MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { isToBeAsked, withClosing } from "./closing.ts";
import { fixture } from "./fixtures.ts";
import { newRecord, withIntent } from "./record.ts";
import { type FakeServer, fakeServer, T0, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e", { children: [] });
const closed: Delivery = {
  ...newRecord(incident, "jsm"),
  held: "closed",
  outcome: { action: "resolve", revision: 4, at: T0, result: "ok", certainty: "accepted", detail: "" },
};

describe("a page that was closed", () => {
  test("is asked for after a minute, until a day has passed or it is proven", () => {
    expect([0, MINUTE_MS, DAY_MS, DAY_MS + 1].map((after) => isToBeAsked(closed, T0 + after))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isToBeAsked(withClosing(closed, false), T0 + MINUTE_MS)).toBe(false);
    expect(isToBeAsked({ ...closed, held: "open" }, T0 + MINUTE_MS)).toBe(false);
  });

  test("is closed again a few times, and then left to a person", () => {
    let record = closed;
    const held: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      record = withClosing({ ...record, held: "closed" }, true);
      held.push(record.held);
    }
    expect(held).toEqual(["open", "open", "open", "open", "closed"]);
    expect(isToBeAsked(record, T0 + MINUTE_MS)).toBe(false);
  });

  test("that opens anew is to be proven anew", () => {
    const proven = withClosing(closed, false);
    expect(withIntent(proven, incident, { action: "trigger", reason: "returned", now: T0 }).closing).toBeUndefined();
    expect(withIntent(proven, incident, { action: "resolve", reason: "ended", now: T0 }).closing).toBeDefined();
  });
});

/** JSM as far as it matters here: takes everything, and closes only what it does not lose. */
async function jsm(loses: number): Promise<{ readonly server: FakeServer; readonly isOpen: () => boolean }> {
  let open = false;
  let lost = 0;
  const server = await fakeServer(({ method, path }) => {
    if (method === "GET") return { status: 200, body: JSON.stringify({ data: { status: open ? "open" : "closed" } }) };
    if (path.includes("/close")) {
      lost += 1;
      if (lost > loses) open = false;
    } else if (path.endsWith("/alerts")) open = true;
    return { status: 202, body: '{"result":"Request will be processed"}' };
  });
  return { server, isOpen: () => open };
}
const target = (server: FakeServer) => ({ name: "jsm", kind: "opsgenie", apiKey: "key", url: server.url });
const closes = (server: FakeServer): number => server.received.filter(({ path }) => path.includes("/close")).length;

describe("a target that takes a resolve and loses it", () => {
  test("is asked, told again, and asked no more once the page is closed there", async () => {
    const { server, isOpen } = await jsm(2);
    await using _ = server;
    await using world = await World.open({ targets: [target(server)] });
    await world.publish(incident);
    await world.publish({ ...incident, revision: 9, status: "closed" });
    expect([isOpen(), closes(server)]).toEqual([true, 1]);
    await world.advance(60 * MINUTE_MS);
    expect([isOpen(), closes(server)]).toEqual([false, 3]);
    expect(await world.metrics.valueOf("notifications_still_open_total", { target: "jsm" })).toBe(2);
    const asked = server.received.length;
    await world.advance(60 * MINUTE_MS);
    expect(server.received).toHaveLength(asked);
  });

  test("is not told for ever", async () => {
    const { server } = await jsm(Number.POSITIVE_INFINITY);
    await using _ = server;
    await using world = await World.open({ targets: [target(server)] });
    await world.publish(incident);
    await world.publish({ ...incident, revision: 9, status: "closed" });
    await world.advance(5 * 60 * MINUTE_MS);
    expect(closes(server)).toBe(5);
  });

  test("that cannot be asked is asked again, and nobody is paged by it", async () => {
    const { server } = await jsm(0);
    await using _ = server;
    await using world = await World.open({ targets: [target(server)] });
    await world.publish(incident);
    await world.publish({ ...incident, revision: 9, status: "closed" });
    const reply = server.reply;
    server.reply = (request) => (request.method === "GET" ? { status: 503 } : reply(request));
    await world.advance(12 * MINUTE_MS);
    server.reply = reply;
    await world.advance(6 * MINUTE_MS);
    expect(closes(server)).toBe(1);
    expect(server.received.filter(({ method }) => method === "GET").length).toBeGreaterThanOrEqual(3);
  });
});
