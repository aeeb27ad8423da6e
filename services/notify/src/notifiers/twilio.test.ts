import { expect, test } from "vitest";
import { hostile, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { Driver, wholeStory } from "./test-kit.ts";
import { twilio } from "./twilio.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const fields = (request: Received | undefined): URLSearchParams => new URLSearchParams(request?.body);

function api(request: Received): Reply {
  const login = Buffer.from(`${ACCOUNT}:good`).toString("base64");
  if (request.headers["authorization"] !== `Basic ${login}`) return { status: 401, body: '{"code":20003}' };
  const form = fields(request);
  if (form.get("To") === null || form.get("From") === null) return { status: 400 };
  if (request.path === `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`) {
    return { status: /^<Response>.+<\/Response>$/.test(form.get("Twiml") ?? "") ? 201 : 400 };
  }
  const length = form.get("Body")?.length ?? 0;
  return { status: length > 0 && length <= 1_600 ? 201 : 400 };
}
const to = (url: string, more: Record<string, unknown> = {}): Driver =>
  new Driver(twilio, { url, account: ACCOUNT, token: "good", from: "+15005550006", to: "+4712345678", ...more });

test("a text says what, why and where to read on", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const body = fields(server.received[0]).get("Body") ?? "";
  expect(body).toMatch(/^CRITICAL HV11 crashed/);
  expect(body).toMatch(/\nhttps:\/\/culprit\.example\/incidents\/[0-9a-f]{64}$/);
  expect(body.length).toBeLessThanOrEqual(480);
});

test("a call is made for a new page only, and what events say is spoken as text", async () => {
  await using server = await fakeServer(api);
  const driver = to(server.url, { channel: "call" });
  await driver.send("trigger", { incident: hostile("</Say><Dial>+1900</Dial>") });
  await driver.send("resolve");
  expect(server.received.map(({ path }) => path.split("/").at(-1))).toEqual(["Calls.json", "Messages.json"]);
  expect(fields(server.received[0]).get("Twiml")).not.toContain("<Dial>");
});

test("takes far too much text; a wrong token needs a person", async () => {
  await using server = await fakeServer(api);
  for (const lengthMax of [100, 1_600]) {
    expect(await to(server.url, { lengthMax }).send("trigger", { incident: oversized() })).toMatchObject({
      result: "ok",
    });
    expect(fields(server.received.at(-1)).get("Body")?.length).toBeLessThanOrEqual(lengthMax);
  }
  expect(await to(server.url, { token: "bad" }).send("trigger")).toMatchObject({ result: "auth" });
});
