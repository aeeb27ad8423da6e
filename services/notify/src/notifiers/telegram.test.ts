import { expect, test } from "vitest";
import { hostile, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply } from "../test-kit.ts";
import { telegram } from "./telegram.ts";
import { Driver, wholeStory } from "./test-kit.ts";

const TOKEN = `123456:${"A".repeat(35)}`;

/** The Bot API's own checks; text is counted once its entities are read. */
function api(request: Received): Reply {
  const [, bot, method] = request.path.split("/");
  if (bot !== `bot${TOKEN}`) return { status: 404, body: '{"ok":false,"error_code":404,"description":"Not Found"}' };
  const { text, parse_mode, chat_id } = request.json() as Record<string, string>;
  if (String(chat_id) !== "-100123") return said(400, "Bad Request: chat not found");
  const plain = (text ?? "").replaceAll(/<[^>]*>/g, "").replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "x");
  if (parse_mode !== "HTML" || plain.length === 0 || plain.length > 4_096)
    return said(400, "Bad Request: message is too long");
  return method === "sendMessage" || method === "editMessageText"
    ? { status: 200, body: '{"ok":true,"result":{"message_id":42}}' }
    : { status: 404 };
}
function said(status: number, description: string, parameters = {}): Reply {
  return { status, body: JSON.stringify({ ok: false, error_code: status, description, parameters }) };
}
const to = (url: string, more: Record<string, unknown> = {}): Driver =>
  new Driver(telegram, { url, token: TOKEN, chat: -100123, ...more });
const methods = (server: FakeServer): readonly unknown[] => server.received.map(({ path }) => path.split("/")[2]);

test("one message is edited as things change, and the end sounds below it", async () => {
  await using server = await fakeServer(api);
  const driver = to(server.url);
  expect(await wholeStory(driver)).toEqual(["ok", "ok", "ok"]);
  expect(methods(server)).toEqual(["sendMessage", "editMessageText", "editMessageText", "sendMessage"]);
  expect(server.received.at(-1)?.json()).toMatchObject({ reply_parameters: { message_id: 42 } });
});

test("a message that is gone is sent anew; one that is as it should be is fine", async () => {
  await using server = await fakeServer(api);
  const driver = to(server.url);
  await driver.send("trigger");
  server.reply = (request) =>
    request.path.endsWith("/editMessageText") ? said(400, "Bad Request: message to edit not found") : api(request);
  expect(await driver.send("update")).toMatchObject({ result: "ok", remote: { message: "42" } });
  server.reply = () => said(400, "Bad Request: message is not modified: …");
  expect(await driver.send("update")).toMatchObject({ result: "ok" });
});

test("B46 what events say stands as preformatted text, in which nothing is a mention or a link", async () => {
  await using server = await fakeServer(api);
  await to(server.url).send("trigger", { incident: hostile("</pre><a href='x'>@everyone /start") });
  const text = String(server.received[0]?.json()["text"]);
  expect(text.startsWith("<pre>") && text.endsWith("</pre>")).toBe(true);
  expect(text.slice(5, -6)).not.toMatch(/[<>]/);
});

test("takes far too much text; waits as told; a lost bot or chat needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, { chat: "@other" }).send("trigger")).toMatchObject({ result: "auth" });
  expect(await to(server.url, { token: `9:${"B".repeat(35)}` }).send("trigger")).toMatchObject({ result: "auth" });
  server.reply = () => said(429, "Too Many Requests: retry after 7", { retry_after: 7 });
  expect(await to(server.url).send("trigger")).toMatchObject({ result: "later", retryAfterMs: 7_000 });
});
