import fc from "fast-check";
import snappy from "snappyjs";
import { expect, test } from "vitest";
import { equation, eventXml, post, run } from "../test-kit.ts";

/** A field of bytes in protobuf. */
function field(number: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  const length: number[] = [];
  for (let left = bytes.length; ; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) | 0x80);
    if (left < 128) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}

const entry = (line: string): Buffer => field(2, Buffer.concat([field(1, Buffer.from([8, 1])), field(2, line)]));
const stream = (labels: string, ...lines: readonly string[]): Buffer =>
  field(1, Buffer.concat([field(1, labels), ...lines.map(entry), Buffer.from([24, 7])]));
const packed = (...streams: readonly Buffer[]): Uint8Array => new Uint8Array(snappy.compress(Buffer.concat(streams)));
const promtail = (n: number, more: object = {}): string =>
  JSON.stringify({
    source: "Service Control Manager",
    channel: "System",
    computer: "n1",
    event_id: 7031,
    eventRecordID: n,
    ...more,
  });
const PROTOBUF = { "content-type": "application/x-protobuf" };

test("P1 lines of Alloy's pushes, in protobuf and in JSON, are events, and the answer is empty", async () => {
  await using running = await run();
  const url = `${running.url}/loki/api/v1/push`;
  const body = packed(
    stream('{job="windows"}', promtail(1), eventXml(2)),
    stream('{computer="n7"}', promtail(3, { computer: undefined })),
  );
  expect((await post(url, body, PROTOBUF)).status).toBe(204);
  const text = JSON.stringify({
    streams: [{ stream: { host: "n8" }, values: [["1", promtail(4, { computer: undefined }), { a: "b" }]] }],
  });
  expect((await post(url, text, { "content-type": "application/json" })).status).toBe(204);
  expect((await running.events()).map(({ event }) => [event.recordId, event.host])).toEqual([
    ["1", "n1"],
    ["2", "hv11.contoso.com"],
    ["3", "n7"],
    ["4", "n8"],
  ]);
});

test("B6 B36 what claims too much is 413, what is no push is 400 and kept", async () => {
  await using running = await run({ config: { unpackedMaxBytes: 1_000_000 } });
  const url = `${running.url}/loki/api/v1/push`;
  const claim = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
  expect((await post(url, claim, PROTOBUF)).status).toBe(413);
  const whole = packed(stream("{}", promtail(1)));
  for (const bad of [
    whole.subarray(0, whole.length - 5),
    new Uint8Array(0),
    new Uint8Array(snappy.compress(Buffer.from([7, 7, 7]))),
  ]) {
    expect((await post(url, bad, PROTOBUF)).status).toBe(400);
  }
  expect((await post(url, '{"streams":7}', { "content-type": "application/json" })).status).toBe(400);
  expect(await equation(running)).toMatchObject({ events: 0, deadLetters: 3 });
});

test("P7 any bytes are answered, and never with 500", async () => {
  await using running = await run();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isPacked) => {
      const body = isPacked ? new Uint8Array(snappy.compress(bytes)) : bytes;
      const { status } = await post(`${running.url}/loki/api/v1/push`, body, PROTOBUF);
      expect([204, 400, 413]).toContain(status);
    }),
    { numRuns: 60 },
  );
});
