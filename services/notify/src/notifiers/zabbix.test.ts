import { expect, test } from "vitest";
import { oversized } from "../fixtures.ts";
import { Driver, FakePeer, wholeStory } from "./test-kit.ts";
import { zabbix } from "./zabbix.ts";

/** Reads a framed message; `undefined` while it is not complete. */
function unframed(bytes: Buffer): Record<string, unknown> | undefined {
  if (bytes.length < 13 || bytes.length < 13 + bytes.readUInt32LE(5)) return undefined;
  expect(bytes.subarray(0, 5).toString("latin1")).toBe("ZBXD\u0001");
  return JSON.parse(bytes.subarray(13).toString("utf8"));
}
function framed(answer: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(answer));
  const header = Buffer.alloc(13);
  header.write("ZBXD\u0001", "latin1");
  header.writeUInt32LE(body.length, 5);
  return Buffer.concat([header, body]);
}
/** A trapper that knows one host and item. */
function trapper(said: Buffer): Buffer | undefined {
  const request = unframed(said);
  if (request === undefined) return undefined;
  const [value] = request["data"] as { host: string; key: string }[];
  const failed = value?.host === "hv11" && value.key === "culprit.incident" ? 0 : 1;
  return framed({
    response: "success",
    info: `processed: ${1 - failed}; failed: ${failed}; total: 1; seconds spent: 0.1`,
  });
}
const to = (port: number, more: Record<string, unknown> = {}): Driver =>
  new Driver(zabbix, { server: "127.0.0.1", port, ...more });

test("each change is one value of the machine's item", async () => {
  await using peer = await new FakePeer({ tls: false, answer: trapper }).listen();
  expect(await wholeStory(to(peer.port))).toEqual(["ok", "ok", "ok"]);
  const values = peer.said.map((said) => {
    const request = unframed(said) ?? { data: [] };
    const [value] = request["data"] as { value: string }[];
    return JSON.parse(value?.value ?? "");
  });
  expect(values.map(({ action, status }) => [action, status])).toEqual([
    ["trigger", "open"],
    ["update", "open"],
    ["resolve", "closed"],
  ]);
});

test("success with a failed value is a failure, and names what is missing", async () => {
  await using peer = await new FakePeer({ tls: false, answer: trapper }).listen();
  expect(await to(peer.port, { item: "other" }).send("trigger")).toMatchObject({
    result: "never",
    detail: expect.stringContaining("no trapper item hv11 other"),
  });
  const host = "hv11";
  expect(await to(peer.port, { host }).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
});

test("an answer that is not Zabbix's, too short or never there is tried again", async () => {
  for (const answer of [
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
    Buffer.alloc(0),
    framed({ response: "failed" }),
  ]) {
    await using peer = await new FakePeer({ tls: false, answer: () => answer }).listen();
    expect((await to(peer.port).send("trigger")).result).toBe("later");
  }
  await using silent = await new FakePeer({ tls: false, answer: () => undefined }).listen();
  expect(await to(silent.port).send("trigger", {}, 300)).toMatchObject({ result: "later", uncertain: true });
  await using gone = await new FakePeer({ tls: false }).listen();
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  expect(await to(port).send("trigger")).toMatchObject({ result: "later", uncertain: false });
});
