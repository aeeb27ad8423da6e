import { expect, test } from "vitest";
import { fixture, hostile, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { incidentIo } from "./incident-io.ts";
import { Driver, wholeStory } from "./test-kit.ts";

function api(request: Received): Reply {
  if (request.path !== "/v2/alert_events/http/01ABC") return { status: 404 };
  if (request.headers["authorization"] !== "Bearer good") return { status: 401 };
  const { title, status, deduplication_key } = request.json() as Record<string, string>;
  const good = title !== undefined && deduplication_key !== undefined && /^(firing|resolved)$/.test(status ?? "");
  return { status: good && Buffer.byteLength(request.body) <= 512 * 1_024 ? 202 : 422 };
}
const to = (url: string, token = "good"): Driver => new Driver(incidentIo, { url, token, source: "01ABC" });

test("fires and resolves under one key, with severity and scope beside the text", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => request.json());
  expect(sent.map(({ status }) => status)).toEqual(["firing", "firing", "resolved"]);
  expect(sent[0]).toMatchObject({
    deduplication_key: fixture("cluster-hang-9e").id,
    metadata: { severity: "critical", acknowledged: false },
  });
});

test("B46 what events say is no link and no mention in the description", async () => {
  await using server = await fakeServer(api);
  await to(server.url).send("trigger", { incident: hostile("[x](https://evil.example) @here <!channel>") });
  const description = String(server.received[0]?.json()["description"]);
  expect(description).not.toContain("](https://evil.example)");
  expect(description).not.toContain("@here");
});

test("takes far too much text, and a wrong token needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
});
