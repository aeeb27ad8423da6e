import { expect, test } from "vitest";
import { hostile, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { icinga } from "./icinga.ts";
import { Driver, wholeStory } from "./test-kit.ts";

function api(request: Received): Reply {
  if (request.headers["authorization"] !== `Basic ${Buffer.from("bot:good").toString("base64")}`)
    return { status: 401 };
  const body = request.json() as { filter_vars: Record<string, string>; exit_status: number; plugin_output: string };
  const { wanted_host, wanted_service } = body.filter_vars;
  if (wanted_host !== "hv11" || wanted_service !== "culprit-cluster-hang-9e") {
    return { status: 404, body: '{"error":404,"status":"No objects found."}' };
  }
  const good = [0, 1, 2, 3].includes(body.exit_status) && !body.plugin_output.includes("|");
  return { status: good ? 200 : 400, body: '{"results":[{"code":200}]}' };
}
const to = (url: string, more: Record<string, unknown> = {}): Driver =>
  new Driver(icinga, { url, user: "bot", password: "good", ...more });

test("a passive result goes to the machine's service, goes stale if it is not told again, and ends as OK", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => request.json());
  expect(sent.map(({ exit_status, ttl }) => [exit_status, ttl])).toEqual([
    [2, 900],
    [2, 900],
    [0, undefined],
  ]);
});

test("a service that does not exist is named, and a wrong password needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url, { service: "other" }).send("trigger")).toEqual({
    result: "never",
    detail: 'Icinga has no service "other" on "hv11"',
  });
  expect(await to(server.url, { password: "bad" }).send("trigger")).toMatchObject({ result: "auth" });
});

test("what events say is no filter and no performance data", async () => {
  await using server = await fakeServer((request) => ({
    status: String(request.json()["plugin_output"]).includes("|") ? 400 : 200,
  }));
  for (const incident of [hostile('" || true || "|x=1'), oversized()]) {
    const driver = to(server.url);
    expect(await driver.send("trigger", { incident })).toMatchObject({ result: "ok" });
    expect(server.received.at(-1)?.json()["filter"]).toBe("host.name == wanted_host && service.name == wanted_service");
  }
});
