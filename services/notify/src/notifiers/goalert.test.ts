import { expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { goalert } from "./goalert.ts";
import { Driver, wholeStory } from "./test-kit.ts";

/** GoAlert's own checks: the token, and sizes in bytes. */
function api(request: Received): Reply {
  const { path } = request;
  if (path !== "/api/v2/generic/incoming?token=good") return { status: 403 };
  const { summary, details, dedup } = request.json() as Record<string, string>;
  const size = (text = ""): number => Buffer.byteLength(text);
  const good = size(summary) > 0 && size(summary) <= 1_024 && size(details) <= 6_144 && dedup !== undefined;
  return { status: good ? 204 : 400 };
}
const to = (url: string, token = "good"): Driver =>
  new Driver(goalert, { url: `${url}/api/v2/generic/incoming?token=${token}` });

test("opens an alert, changes it and closes it under one key", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => request.json());
  expect(sent.map(({ action }) => action)).toEqual([undefined, undefined, "close"]);
  expect(new Set(sent.map(({ dedup }) => dedup))).toEqual(new Set([fixture("cluster-hang-9e").id]));
});

test("an acknowledgement, which it cannot take, is not sent as another alert", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("update", { reason: "acknowledged" })).toMatchObject({ result: "ok" });
  expect(server.received).toHaveLength(0);
});

test("takes far too much text of wide characters, and a wrong token needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
});
