import { Incident } from "@culprit/model";
import { expect, test } from "vitest";
import { oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply, T0 } from "../test-kit.ts";
import { splunkHec } from "./splunk-hec.ts";
import { Driver, wholeStory } from "./test-kit.ts";

function api(request: Received): Reply {
  if (request.path !== "/services/collector/event") return { status: 404 };
  if (request.headers["authorization"] !== "Splunk good")
    return { status: 403, body: '{"text":"Invalid token","code":4}' };
  return { status: request.json()["event"] === undefined ? 400 : 200, body: '{"text":"Success","code":0}' };
}
const to = (url: string, token = "good"): Driver => new Driver(splunkHec, { url, token, index: "ops" });

test("each change is an event with the incident of the contract", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => request.json() as { time: number; event: Record<string, unknown> });
  expect(sent.map(({ event }) => event["action"])).toEqual(["trigger", "update", "resolve"]);
  expect(sent[0]).toMatchObject({ time: T0 / 1_000, index: "ops", host: "hv11.contoso.com" });
  expect(Incident.parse(sent[0]?.event["incident"]).playbook).toBe("cluster-hang-9e");
});

test("busy is tried again, a wrong token needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
  server.reply = () => ({ status: 503, body: '{"text":"Server is busy","code":9}' });
  expect(await to(server.url).send("trigger")).toMatchObject({ result: "later" });
});
