import { describe, expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply, T0, World } from "../test-kit.ts";

const incident = fixture("cluster-hang-9e");

describe("Splunk On-Call", () => {
  const api = (request: Received): Reply => {
    const { message_type, entity_id, state_message } = request.json() as Record<string, string>;
    const good =
      /^(CRITICAL|WARNING|INFO|ACKNOWLEDGEMENT|RECOVERY)$/.test(message_type ?? "") && entity_id !== undefined;
    return { status: good && (state_message ?? "").length <= 20_480 ? 200 : 400 };
  };
  const world = (url: string): Promise<World> =>
    World.open({ targets: [{ name: "duty", kind: "splunk-oncall", url: `${url}/alert/key/team`, updateEveryMs: 0 }] });

  test("pages, is acknowledged and recovers under one key", async () => {
    await using server = await fakeServer(api);
    await using running = await world(server.url);
    await running.publish(incident);
    await running.act({ id: "1".repeat(64), kind: "acknowledge", incident: incident.id, at: T0, who: "ada" });
    await running.publish({ ...incident, revision: 4, status: "closed" });
    const sent = server.received.map((request) => request.json());
    expect(sent.map(({ message_type }) => message_type)).toEqual(["CRITICAL", "ACKNOWLEDGEMENT", "RECOVERY"]);
    expect(new Set(sent.map(({ entity_id }) => entity_id))).toEqual(new Set([incident.id]));
  });

  test("takes far too much text", async () => {
    await using server = await fakeServer(api);
    await using running = await world(server.url);
    await running.publish(oversized());
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });
});

describe("ntfy", () => {
  const api = (request: Received): Reply => {
    if (request.headers["authorization"] !== "Bearer tk_good") return { status: 401 };
    const { topic, message, priority } = request.json() as { topic: string; message: string; priority: number };
    return {
      status: topic === "night" && Buffer.byteLength(message) <= 4_096 && priority >= 1 && priority <= 5 ? 200 : 400,
    };
  };
  const world = (url: string, token = "tk_good"): Promise<World> =>
    World.open({ targets: [{ name: "phone", kind: "ntfy", url, topic: "night", token }] });

  test("says when, why and what to do first, with the console one tap away", async () => {
    await using server = await fakeServer(api);
    await using running = await world(server.url);
    await running.publish(incident);
    const sent = server.received[0]?.json();
    expect(sent).toMatchObject({ priority: 5, click: `https://culprit.example/incidents/${incident.id}` });
    expect(String(sent?.["message"]).split("\n")).toEqual([
      expect.stringMatching(/^17 Mar 2026/),
      "Cause: Non-paged pool exhausted on HV11 75 % likely",
      expect.stringMatching(/^Do first: On HV11: poolmon -b/),
    ]);
  });

  test("takes far too much text of wide characters", async () => {
    await using server = await fakeServer(api);
    await using running = await world(server.url);
    await running.publish(oversized());
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });

  test("a wrong token needs a person", async () => {
    await using server = await fakeServer(api);
    await using running = await world(server.url, "tk_bad");
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("auth");
  });
});
