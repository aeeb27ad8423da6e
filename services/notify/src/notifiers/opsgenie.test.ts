import { describe, expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply, T0, World } from "../test-kit.ts";

const incident = fixture("cluster-hang-9e");

/** The Alert API's own checks; everything good is answered 202. */
function alertApi(request: Received): Reply {
  if (request.headers["authorization"] !== "GenieKey good")
    return { status: 403, body: '{"message":"You are not authorized"}' };
  const body = request.json() as Record<string, unknown>;
  const long = (field: string, max: number): boolean => String(body[field] ?? "").length > max;
  if (long("message", 130) || long("alias", 512) || long("description", 15_000) || long("entity", 512))
    return { status: 422 };
  if (request.path === "/v2/alerts" && typeof body["message"] !== "string") return { status: 422 };
  return { status: 202, body: '{"result":"Request will be processed"}' };
}

const world = (url: string, apiKey = "good"): Promise<World> =>
  World.open({ targets: [{ name: "duty", kind: "opsgenie", apiKey, url, updateEveryMs: 0 }] });

describe("Opsgenie and JSM", () => {
  test("an alert is made, its text changed, acknowledged and closed by its alias", async () => {
    await using server = await fakeServer(alertApi);
    await using running = await world(server.url);
    await running.publish(incident);
    await running.publish({ ...incident, revision: 4, severity: "high" });
    await running.act({ id: "1".repeat(64), kind: "acknowledge", incident: incident.id, at: T0, who: "ada" });
    await running.publish({ ...incident, revision: 5, severity: "high", status: "closed" });
    const of = `/v2/alerts/${incident.id}`;
    expect(server.received.map(({ method, path }) => `${method} ${path.split("?")[0]}`)).toEqual([
      "POST /v2/alerts",
      `PUT ${of}/message`,
      `PUT ${of}/description`,
      `PUT ${of}/priority`,
      `PUT ${of}/message`,
      `PUT ${of}/description`,
      `PUT ${of}/priority`,
      `POST ${of}/acknowledge`,
      `POST ${of}/close`,
    ]);
    expect(server.received[0]?.json()).toMatchObject({ alias: incident.id, priority: "P1" });
    expect((await running.deliveries())[0]?.outcome?.certainty).toBe("accepted");
  });

  test("takes far too much text", async () => {
    await using server = await fakeServer(alertApi);
    await using running = await world(server.url);
    await running.publish(oversized());
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });

  test("a wrong key needs a person", async () => {
    await using server = await fakeServer(alertApi);
    await using running = await world(server.url, "bad");
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("auth");
  });
});
