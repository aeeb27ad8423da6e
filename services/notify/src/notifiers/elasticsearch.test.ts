import { expect, test } from "vitest";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { elasticsearch } from "./elasticsearch.ts";
import { Driver, wholeStory } from "./test-kit.ts";

/** A bulk API that keeps ids. */
function api(held = new Set<string>()): (request: Received) => Reply {
  return (request) => {
    if (request.headers["authorization"] !== "ApiKey good") return { status: 401 };
    const [meta, document, rest] = request.body.split("\n");
    if (rest !== "" || JSON.parse(document ?? "")["@timestamp"] === undefined) return { status: 400 };
    const { _index, _id } = JSON.parse(meta ?? "").create as Record<string, string>;
    const status = held.has(_id ?? "") ? 409 : 201;
    held.add(_id ?? "");
    return {
      status: 200,
      body: JSON.stringify({ errors: status === 409, items: [{ create: { _index, _id, status } }] }),
    };
  };
}
const item = (status: number, error: unknown): Reply => ({
  status: 200,
  body: JSON.stringify({ errors: true, items: [{ create: { status, error } }] }),
});
const to = (url: string, token = "good"): Driver => new Driver(elasticsearch, { url, token });

test("each change is a document, and a repeat of one changes nothing", async () => {
  const held = new Set<string>();
  await using server = await fakeServer(api(held));
  const driver = to(server.url);
  expect(await wholeStory(driver)).toEqual(["ok", "ok", "ok"]);
  expect(held.size).toBe(3);
  expect(await driver.send("trigger")).toMatchObject({ result: "ok" });
  expect(held.size).toBe(3);
});

test("what became of the document counts, not what became of the request", async () => {
  await using server = await fakeServer();
  server.reply = () => item(429, { type: "es_rejected_execution_exception" });
  expect(await to(server.url).send("trigger")).toMatchObject({ result: "later" });
  server.reply = () => item(400, { type: "mapper_parsing_exception" });
  expect(await to(server.url).send("trigger")).toMatchObject({
    result: "never",
    detail: expect.stringContaining("mapper_parsing_exception"),
  });
  server.reply = () => ({ status: 200, body: "<html>" });
  expect(await to(server.url).send("trigger")).toMatchObject({ result: "never" });
  server.reply = api();
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
});
