import { expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { pushover } from "./pushover.ts";
import { Driver } from "./test-kit.ts";

const RECEIPT = "r".repeat(30);

/** Pushover's own checks. */
function api(request: Received): Reply {
  const fields = request.json() as Record<string, string | number | undefined>;
  if (fields["token"] !== "good") return { status: 400, body: '{"token":"invalid","status":0}' };
  if (request.path === `/1/receipts/${RECEIPT}/cancel.json`) return { status: 200, body: '{"status":1}' };
  if (request.path !== "/1/messages.json") return { status: 404 };
  const long = (field: string, max: number): boolean => String(fields[field] ?? "").length > max;
  if (long("message", 1_024) || long("title", 250) || long("url", 512) || fields["message"] === "")
    return { status: 400 };
  if (fields["priority"] !== 2) return { status: 200, body: '{"status":1}' };
  const good = Number(fields["retry"]) >= 30 && Number(fields["expire"]) <= 10_800;
  return good ? { status: 200, body: `{"status":1,"receipt":"${RECEIPT}"}` } : { status: 400 };
}
const to = (url: string, token = "good"): Driver => new Driver(pushover, { url, token, user: "u" });

test("a grave page sounds until it is confirmed, and is called off when somebody acknowledges here", async () => {
  await using server = await fakeServer(api);
  const driver = to(server.url);
  await driver.send("trigger");
  expect(driver.remote).toEqual({ receipt: RECEIPT });
  await driver.send("update", {
    reason: "acknowledged",
    incident: fixture("cluster-hang-9e", { status: "acknowledged" }),
  });
  await driver.send("resolve");
  expect(server.received.map(({ path }) => path)).toEqual([
    "/1/messages.json",
    `/1/receipts/${RECEIPT}/cancel.json`,
    "/1/messages.json",
    "/1/messages.json",
  ]);
  expect(server.received.map((request) => request.json()["priority"])).toEqual([2, undefined, 0, 0]);
});

test("a page of medium severity does not sound again", async () => {
  await using server = await fakeServer(api);
  await to(server.url).send("trigger", { incident: fixture("cluster-hang-9e", { severity: "medium" }) });
  expect(server.received[0]?.json()).toMatchObject({ priority: 1, url_title: "Open" });
});

test("takes far too much text; a wrong token and a used-up month need a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
  server.reply = () => ({ status: 429 });
  expect(await to(server.url).send("trigger")).toMatchObject({ result: "auth" });
});
