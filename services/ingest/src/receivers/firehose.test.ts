import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { equation, eventXml, post, run, winlogbeat } from "../test-kit.ts";

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString("base64");
const subscription = (...messages: readonly string[]): string =>
  JSON.stringify({
    messageType: "DATA_MESSAGE",
    logGroup: "windows",
    logEvents: messages.map((message, i) => ({ id: String(i), timestamp: 1709287200000, message })),
  });
const delivery = (...data: readonly unknown[]): string =>
  JSON.stringify({ requestId: "r-1", timestamp: 1709287200123, records: data.map((one) => ({ data: one })) });

test("P1 records of CloudWatch Logs, packed, and of any other source are events, and the answer is Firehose's", async () => {
  await using running = await run();
  const control = JSON.stringify({ messageType: "CONTROL_MESSAGE", logEvents: [{ message: "health" }] });
  const body = delivery(
    base64(gzipSync(subscription(eventXml(1), eventXml(2)))),
    base64(gzipSync(control)),
    base64(`${winlogbeat(3)}\n${winlogbeat(4)}\n`),
  );
  const answer = await post(`${running.url}/firehose`, body);
  expect([answer.status, answer.body]).toEqual([200, { requestId: "r-1", timestamp: 1709287200123 }]);
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2", "3", "4"]);
  expect(await running.letters()).toEqual([]);
});

test("B1 the access key is a token like any other", async () => {
  await using running = await run({ config: { tokens: [{ name: "aws", token: "hush-1234" }] } });
  const send = (key?: string) =>
    post(
      `${running.url}/firehose`,
      delivery(base64(winlogbeat(1))),
      key === undefined ? {} : { "x-amz-firehose-access-key": key, "x-amz-firehose-request-id": "r-1" },
    );
  expect((await send()).status).toBe(401);
  const wrong = await send("guess");
  expect([wrong.status, wrong.body]).toEqual([
    403,
    { requestId: "r-1", timestamp: 0, errorMessage: "the token is not known" },
  ]);
  expect((await send("hush-1234")).status).toBe(200);
  expect(running.service.sources()).toMatchObject([{ receiver: "firehose", token: "aws" }]);
});

test("B6 B8 B14 B15 what is no base64, cut off or a bomb costs only itself, what is no delivery is 400 and kept", async () => {
  await using running = await run({ config: { unpackedMaxBytes: 4_000_000 } });
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  const cut = gzipSync(subscription(eventXml(2))).subarray(0, 60);
  const body = delivery(base64(winlogbeat(1)), "%%%", 7, base64(bomb), base64(cut), base64(winlogbeat(3)));
  expect((await post(`${running.url}/firehose`, body)).status).toBe(200);
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "3"]);
  expect((await running.letters()).map(({ reason }) => reason)).toEqual([
    "firehose.data-unreadable",
    "firehose.data-unreadable",
    "firehose.unpacks-too-large",
    "firehose.broken-packing",
  ]);
  for (const bad of ["not JSON", "{}", "[]", '{"requestId":1,"records":[]}']) {
    expect([bad, (await post(`${running.url}/firehose`, bad)).status]).toEqual([bad, 400]);
  }
  expect(await equation(running)).toMatchObject({ accepted: 10, events: 2, deadLetters: 8 });
});
