/** OTLP over HTTP and gRPC, in JSON and in protobuf that an independent writer of the wire format makes. */
import { copyFile, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { settableClock } from "@culprit/runtime";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { equation, eventXml, ONLY_7031, type Posted, portOf, post, type Running, run } from "../test-kit.ts";
import { hasOpenssl, pki } from "../testing/pki.ts";

type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

const BODY = (n: number, eventId = 7031): Value => ({
  event_id: { id: eventId, qualifiers: 49_152 },
  provider: { name: "Service Control Manager" },
  system_time: `2024-03-01T10:00:0${n}.1234567Z`,
  computer: "hv11.contoso.com",
  channel: "System",
  record_id: n,
  level: "Error",
  keywords: ["Classic"],
  event_data: { param1: "Cluster Service" },
});

/** A value as OTLP's JSON types it. */
function typed(value: Value): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { intValue: String(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(typed) } };
  const values = Object.entries(value).map(([key, of]) => ({ key, value: typed(of as Value) }));
  return { kvlistValue: { values } };
}

function jsonRequest(bodies: readonly Value[], resource: unknown = {}): string {
  const logRecords = bodies.map((body) => ({
    timeUnixNano: "1709287200123456700",
    severityNumber: 17,
    body: typed(body),
  }));
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "otelcol" }, logRecords }] }] });
}

/** The wire format, written by hand. Source: protobuf's "Encoding" page. */
function varint(number: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(number);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
const tag = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);
function sub(field: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([tag(field, 2), varint(bytes.length), bytes]);
}
const int = (field: number, value: number): Buffer => Buffer.concat([tag(field, 0), varint(value)]);
const text = (field: number, value: string): Buffer => sub(field, Buffer.from(value));
function fixed64(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([tag(field, 1), bytes]);
}

function anyValue(value: Value): Buffer {
  if (typeof value === "string") return text(1, value);
  if (typeof value === "number") return int(3, value);
  if (Array.isArray(value)) return sub(5, ...value.map((item) => sub(1, anyValue(item))));
  return sub(6, ...Object.entries(value).map(([key, of]) => sub(1, text(1, key), sub(2, anyValue(of as Value)))));
}

function logRecord(body: Value, ...more: readonly Uint8Array[]): Buffer {
  return sub(2, fixed64(1, 1_709_287_200_123_456_700n), int(2, 17), sub(5, anyValue(body)), ...more);
}

/** Resource behind its logs, scopes, fields nobody knows. */
function protobufRequest(bodies: readonly Value[], ...more: readonly Uint8Array[]): Uint8Array {
  const resource = sub(1, sub(1, text(1, "host.name"), sub(2, text(1, "collector-1"))));
  const scope = sub(2, sub(1, text(1, "otelcol")), ...bodies.map((body) => logRecord(body)), text(3, "schema"));
  return new Uint8Array(Buffer.concat([sub(1, scope, resource, text(90, "unknown")), int(77, 5), ...more]));
}

const JSON_TYPE = { "content-type": "application/json" };
const PROTOBUF_TYPE = { "content-type": "application/x-protobuf" };
const url = (running: Running): string => `${running.url}/v1/logs`;

interface Answered {
  readonly status: number;
  readonly type: string | null;
  readonly bytes: Buffer;
}

async function postProtobuf(
  running: Running,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(url(running), {
    method: "POST",
    body: body as BodyInit,
    headers: { ...PROTOBUF_TYPE, ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get("content-type"), bytes };
}

const postJson = (running: Running, body: string): Promise<Posted> => post(url(running), body, JSON_TYPE);

test("P1 the Windows receiver's records in JSON are events, and the answer is an empty object", async () => {
  await using running = await run();
  const answer = await postJson(running, jsonRequest([BODY(1), BODY(2), eventXml(3)]));
  expect([answer.status, answer.body]).toEqual([200, {}]);
  expect(
    (await running.events()).map(({ event }) => [event.host, event.eventId, event.qualifiers, event.recordId]),
  ).toEqual(["1", "2", "3"].map((id) => ["hv11.contoso.com", 7031, 49_152, id]));
});

test.each([
  ["plain", (body: Uint8Array) => body, {}],
  ["gzip", (body: Uint8Array) => new Uint8Array(gzipSync(body)), { "content-encoding": "gzip" }],
] as const)(
  "P1 the same in protobuf (%s) gives the same events, and an empty answer in protobuf",
  async (_, pack, headers) => {
    await using running = await run();
    const answer = await postProtobuf(running, pack(protobufRequest([BODY(1), BODY(2), eventXml(3)])), headers);
    expect(answer).toEqual({ status: 200, type: "application/x-protobuf", bytes: Buffer.alloc(0) });
    await using other = await run();
    await postJson(other, jsonRequest([BODY(1), BODY(2), eventXml(3)]));
    const ids = async (of: Running) => (await of.events()).map(({ id }) => id);
    expect(await ids(running)).toHaveLength(3);
    expect(await ids(running)).toEqual(await ids(other));
  },
);

test("records that no rule wants are counted and not stored", async () => {
  await using running = await run({ selection: ONLY_7031 });
  await postJson(running, jsonRequest([BODY(1), BODY(2, 7036)]));
  expect(await equation(running)).toMatchObject({ accepted: 2, events: 1, notSelected: 1 });
});

test("the resource's host stands for records that name none", async () => {
  await using running = await run();
  const resource = { attributes: [{ key: "host.name", value: { stringValue: "pc7" } }] };
  const log = { body: { stringValue: "2019-03-29 00:32:48, Error      [0x0606ae] IBS    something failed" } };
  const attributes = [{ key: "log.file.path", value: { stringValue: "C:\\Windows\\setuperr.log" } }];
  const request = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ ...log, attributes }] }] }] };
  expect((await postJson(running, JSON.stringify(request))).body).toEqual({});
  expect((await running.events())[0]?.event).toMatchObject({ host: "pc7", channel: "FileLog/setuperr.log" });
});

test("B20 a record id beyond 2^53 stays exact, as text, as a number and in protobuf", async () => {
  await using running = await run();
  const exact = "9223372036854775807";
  const text = jsonRequest([BODY(1)]).replace('{"intValue":"1"}', `{"intValue":"${exact}"}`);
  await postJson(running, text);
  await postJson(running, text.replace(`"${exact}"`, exact).replace("10:00:01", "10:00:02"));
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual([exact, exact]);
});

test("B13 an empty request is a success", async () => {
  await using running = await run();
  expect((await postJson(running, "")).status).toBe(200);
  expect((await postJson(running, "{}")).body).toEqual({});
  expect((await postJson(running, '{"resourceLogs":[{"unknown":1}],"x":[]}')).body).toEqual({});
  expect((await postProtobuf(running, new Uint8Array(0))).status).toBe(200);
  expect(await equation(running)).toMatchObject({ accepted: 0 });
});

test("B15 a record that cannot be read is a partial success, a dead letter, and not to be sent again", async () => {
  await using running = await run();
  const answer = await postJson(running, jsonRequest([BODY(1), "", BODY(2)]));
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    partialSuccess: { rejectedLogRecords: "1", errorMessage: expect.stringContaining("dead letters") },
  });
  const answered = await postProtobuf(running, protobufRequest([BODY(3), "", ""]));
  expect(answered.bytes.subarray(0, 4)).toEqual(Buffer.from([10, answered.bytes.length - 2, 8, 2]));
  expect(await equation(running)).toMatchObject({ events: 3, deadLetters: 3 });
});

test.each([
  ["B14 not JSON", '{"resourceLogs": [,]}', "json.syntax"],
  ["B14 an array", "[]", "json.not-an-object"],
  ["B14 two objects", "{}{}", "json.syntax"],
  ["B17 nesting 100,000 deep", `{"resourceLogs":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "json.too-deep"],
])("%s is 400 with a status, and kept", async (_, body, reason) => {
  await using running = await run();
  const answer = await postJson(running, body);
  expect([answer.status, answer.body.code]).toEqual([400, 3]);
  expect((await running.letters()).map((letter) => letter.reason)).toEqual([reason]);
});

const good = protobufRequest([BODY(1)]);
test.each([
  ["truncated", good.subarray(0, good.length - 20)],
  ["of a wrong wire type", new Uint8Array(Buffer.concat([good, int(1, 5)]))],
  ["with a wrong wire type within", new Uint8Array(Buffer.concat([good, sub(1, int(2, 5))]))],
  ["of field 0", new Uint8Array(Buffer.concat([good, Buffer.from([0x02, 0x00])]))],
  ["not protobuf at all", new Uint8Array(Buffer.from("resourceLogs"))],
])("B36 a protobuf request that is %s is 400 with a status, kept, and nothing of it an event", async (_, body) => {
  await using running = await run();
  const answer = await postProtobuf(running, body);
  expect([answer.status, answer.type, answer.bytes[0], answer.bytes[1]]).toEqual([400, "application/x-protobuf", 8, 3]);
  expect(await running.events()).toEqual([]);
  expect(await running.letters()).toMatchObject([{ reason: "otlp.protobuf-unreadable", size: body.length }]);
});

test("B36 unknown fields are passed over, records that are broken, endless or too deep cost only themselves", async () => {
  await using running = await run({ config: { recordMaxBytes: 100_000 } });
  let deep = anyValue("x");
  for (let i = 0; i < 5_000; i += 1) deep = sub(5, sub(1, deep));
  const scope = sub(
    2,
    logRecord(BODY(1), text(99, "unknown"), fixed64(98, 1n)),
    sub(2, Buffer.from([0x2a, 0x7f, 0x01])),
    sub(2, sub(5, deep)),
    logRecord("m".repeat(200_000)),
    logRecord(BODY(2)),
  );
  const answer = await postProtobuf(running, new Uint8Array(sub(1, scope)));
  expect(answer.status).toBe(200);
  expect(await equation(running)).toMatchObject({ events: 2, deadLetters: 3 });
  expect((await running.letters()).map(({ reason }) => reason)).toEqual([
    "otlp.record-unreadable",
    "otlp.record-unreadable",
    "record.too-long",
  ]);
});

test("B21 more records than one request may hold are 413, in either encoding, before they are built", async () => {
  await using running = await run({ config: { recordsMax: 100 } });
  const many = Array.from({ length: 101 }, () => "");
  expect((await postJson(running, jsonRequest(many))).status).toBe(413);
  expect((await postProtobuf(running, protobufRequest(many))).status).toBe(413);
  expect((await postJson(running, `{"x":[${"{},".repeat(20_000)}{}]}`)).status).toBe(413);
  expect(await equation(running)).toMatchObject({ accepted: 0 });
});

test("B7 a type that is neither is 415, a missing one is told by the first byte", async () => {
  await using running = await run();
  expect((await post(url(running), jsonRequest([BODY(1)]), { "content-type": "text/csv" })).status).toBe(415);
  const untyped = { "content-type": "application/octet-stream" };
  expect((await post(url(running), jsonRequest([BODY(1)]), untyped)).body).toEqual({});
  expect((await postProtobuf(running, protobufRequest([BODY(2)]), untyped)).status).toBe(200);
  expect(await equation(running)).toMatchObject({ events: 2 });
});

test("F18 a fault of ours is 503, because senders drop what is answered 500", async () => {
  await using running = await run();
  await running.bus.close();
  const answer = await postJson(running, jsonRequest([BODY(1)]));
  expect([answer.status, answer.headers.get("retry-after"), answer.body.code]).toEqual([503, "5", 14]);
});

const GRPC = { otlp: { grpc: { port: 0, messageMaxBytes: 1_000_000 } } } as const;
const EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

async function exportLogs(
  running: Running,
  request: Uint8Array,
  {
    authorization,
    channel = credentials.createInsecure(),
  }: { authorization?: string; channel?: ChannelCredentials } = {},
): Promise<Buffer | ServiceError> {
  // A pool shared between clients would go on with the connection of an earlier one.
  const options = { "grpc.use_local_subchannel_pool": 1, "grpc.ssl_target_name_override": "localhost" };
  const client = new Client(`127.0.0.1:${portOf(running, "otlp-grpc")}`, channel, options);
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set("authorization", authorization);
  const raw = (bytes: Buffer): Buffer => bytes;
  const answer = await new Promise<Buffer | ServiceError>((resolve) => {
    client.makeUnaryRequest(EXPORT, raw, raw, Buffer.from(request), metadata, (error, response) =>
      resolve(error ?? response ?? Buffer.alloc(0)),
    );
  });
  client.close();
  return answer;
}

test("P1 records over gRPC are events, and what cannot be read is a partial success", async () => {
  await using running = await run({ config: GRPC });
  expect(await exportLogs(running, protobufRequest([BODY(1), BODY(2)]))).toEqual(Buffer.alloc(0));
  const partial = await exportLogs(running, protobufRequest([""]));
  expect(Buffer.isBuffer(partial) && partial[0]).toBe(10);
  expect(await equation(running)).toMatchObject({ events: 2, deadLetters: 1 });
  expect(running.service.sources()).toMatchObject([{ receiver: "otlp", transport: "otlp-grpc", events: 2 }]);
});

test("B36 over gRPC: a message above the limit is RESOURCE_EXHAUSTED, a broken one INVALID_ARGUMENT", async () => {
  await using running = await run({ config: GRPC });
  const large = protobufRequest(["m".repeat(1_000_000)]);
  expect(await exportLogs(running, large)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  expect(await exportLogs(running, good.subarray(0, -5))).toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(await equation(running)).toMatchObject({ events: 0, deadLetters: 1 });
});

test("B1 over gRPC: no credentials, a wrong token, and the right one", async () => {
  await using running = await run({ config: { ...GRPC, tokens: [{ name: "collector", token: "hush-1234" }] } });
  const request = protobufRequest([BODY(1)]);
  expect(await exportLogs(running, request)).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(await exportLogs(running, request, { authorization: "Bearer not-the-token" })).toMatchObject({
    code: status.PERMISSION_DENIED,
  });
  expect(await exportLogs(running, request, { authorization: "Bearer hush-1234" })).toEqual(Buffer.alloc(0));
  expect(running.service.sources()).toMatchObject([{ token: "collector", events: 1 }]);
  expect(JSON.stringify(running.lines)).not.toContain("not-the-token");
});

test("F18 a fault of ours over gRPC is UNAVAILABLE", async () => {
  await using running = await run({ config: GRPC });
  await running.bus.close();
  expect(await exportLogs(running, protobufRequest([BODY(1)]))).toMatchObject({ code: status.UNAVAILABLE });
});

if (!hasOpenssl) console.log("left out: OTLP over TLS (no openssl to make certificates with)");

test.runIf(hasOpenssl)("F46 gRPC over TLS, with a certificate that is renewed", async () => {
  await using keys = await pki();
  const clock = settableClock(Date.now());
  await using running = await run({ config: { otlp: { grpc: { port: 0, tls: keys.tls } } }, clock });
  const trusting = async (path: string) => credentials.createSsl(await readFile(path));
  const old = await trusting(keys.tls.certificatePath);
  expect(await exportLogs(running, protobufRequest([BODY(1)]), { channel: old })).toEqual(Buffer.alloc(0));
  const renewed = await keys.make("renewed");
  await copyFile(renewed.cert, keys.tls.certificatePath);
  await copyFile(renewed.key, keys.tls.keyPath);
  await clock.advance(10_000);
  await expect.poll(() => running.lines.map(({ msg }) => msg)).toContain("a new certificate is used");
  const fresh = await trusting(renewed.cert);
  expect(await exportLogs(running, protobufRequest([BODY(2)]), { channel: fresh })).toEqual(Buffer.alloc(0));
  expect(await exportLogs(running, protobufRequest([BODY(3)]), { channel: old })).toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect(await equation(running)).toMatchObject({ events: 2 });
});

test.runIf(hasOpenssl)(
  "B1 over gRPC: where certificates are asked for, one is needed and names the sender",
  async () => {
    await using keys = await pki();
    const sender = await keys.make("collector-3");
    const grpc = { port: 0, tls: { ...keys.tls, clientCaPath: sender.cert } };
    await using running = await run({ config: { otlp: { grpc } } });
    const authority = await readFile(keys.tls.certificatePath);
    const [key, cert] = await Promise.all([readFile(sender.key), readFile(sender.cert)]);
    const request = protobufRequest([BODY(1)]);
    expect(await exportLogs(running, request, { channel: credentials.createSsl(authority) })).toMatchObject({
      code: status.UNAVAILABLE,
    });
    const known = credentials.createSsl(authority, key, cert);
    expect(await exportLogs(running, request, { channel: known })).toEqual(Buffer.alloc(0));
    expect(running.service.sources()).toMatchObject([{ transport: "otlp-grpc", token: "collector-3", events: 1 }]);
  },
);

test("a sender above its quota is told over gRPC to come back", async () => {
  const clock = settableClock(Date.now());
  const config = { ...GRPC, quota: { bytesPerSecond: 1, burstSeconds: 1 } };
  await using running = await run({ config, clock });
  const request = protobufRequest([BODY(1)]);
  expect(await exportLogs(running, request)).toEqual(Buffer.alloc(0));
  expect(await exportLogs(running, request)).toMatchObject({ code: status.UNAVAILABLE });
  await clock.advance(request.length * 1_000);
  expect(await exportLogs(running, request)).toEqual(Buffer.alloc(0));
});
