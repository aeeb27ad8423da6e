import fc from "fast-check";
import { expect, test } from "vitest";
import { eventXml, post, run, send, winlogbeat } from "../test-kit.ts";
import { AckChannels, CHANNELS_MAX, UNASKED_MAX } from "./hec-ack.ts";
import { jsonObjects } from "./json-sequence.ts";

const CHANNEL = "11111111-2222-3333-4444-555555555555";
const TOKENS = [
  { name: "plain", token: "plain-token" },
  { name: "acks", token: "acks-token", acknowledges: true },
  { name: "off", token: "off-token", disabled: true },
  { name: "fenced", token: "fenced-token", indexes: ["win"] },
];
const as = (token: string) => ({ authorization: `Splunk ${token}` });

const envelope = (n: number, more: Record<string, unknown> = {}) =>
  JSON.stringify({ time: 1_709_287_200, host: "n1", sourcetype: "XmlWinEventLog", event: eventXml(n), ...more });

test("P1 events with and without line breaks between them are taken, and the answer is Splunk's", async () => {
  await using running = await run();
  const answer = await post(`${running.url}/services/collector/event`, `${envelope(1)}${envelope(2)}\n${envelope(3)}`);
  expect([answer.status, answer.body]).toEqual([200, { text: "Success", code: 0 }]);
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2", "3"]);
});

test.each(["", "/event", "/event/1.0"])("/services/collector%s takes events", async (path) => {
  await using running = await run();
  expect((await post(`${running.url}/services/collector${path}`, envelope(1))).body).toEqual({
    text: "Success",
    code: 0,
  });
  expect(await running.events()).toHaveLength(1);
});

test("metadata is handed on to the events that follow in the request", async () => {
  await using running = await run();
  const text =
    "03/01/2024 11:00:00 AM\nLogName=System\nEventCode=7031\nEventType=2\nSourceName=Service Control Manager\nType=Error\nRecordNumber=9\nMessage=Stopped.";
  const first = JSON.stringify({ host: "n7.corp.example", source: "WinEventLog:System", event: text });
  const second = JSON.stringify({ event: text.replace("RecordNumber=9", "RecordNumber=10") });
  await post(`${running.url}/services/collector`, first + second);
  expect((await running.events()).map(({ event }) => [event.computer, event.recordId])).toEqual([
    ["n7.corp.example", "9"],
    ["n7.corp.example", "10"],
  ]);
});

test.each([
  ["no data", "", 400, { text: "No data", code: 5 }],
  ["blanks only", " \r\n", 400, { text: "No data", code: 5 }],
  ["no JSON", "hello", 400, { text: "Invalid data format", code: 6, "invalid-event-number": 0 }],
  ["a list", "[1]", 400, { text: "Invalid data format", code: 6, "invalid-event-number": 0 }],
  ["no event", '{"host":"a"}', 400, { text: "Event field is required", code: 12, "invalid-event-number": 0 }],
  [
    "a blank event",
    '{"event":"  "}',
    400,
    { text: "Event field cannot be blank", code: 13, "invalid-event-number": 0 },
  ],
  [
    "nested fields",
    '{"event":"x","fields":{"a":{"b":1}}}',
    400,
    { text: "Error in handling indexed fields", code: 15, "invalid-event-number": 0 },
  ],
] as const)("B13 B14 %s is answered with Splunk's code", async (_, body, status, expected) => {
  await using running = await run();
  const answer = await post(`${running.url}/services/collector/event`, body);
  expect([answer.status, answer.body]).toEqual([status, expected]);
  expect(await running.letters()).toHaveLength("invalid-event-number" in expected ? 1 : 0);
  expect(await running.events()).toEqual([]);
});

test("B14 what is no JSON is kept with line and column", async () => {
  await using running = await run();
  await post(`${running.url}/services/collector/event`, `${envelope(1)}\n  oops\n${envelope(2)}`);
  expect(await running.letters()).toMatchObject([
    { stage: "ingest", reason: "json.syntax", detail: expect.stringContaining("line 2, column 3"), original: "oops" },
  ]);
});

test("B15 999 good events and a bad one: the bad one is named by its number, the others are taken", async () => {
  await using running = await run();
  const bodies = Array.from({ length: 1_000 }, (_, n) => (n === 500 ? '{"event": tru}' : envelope(n)));
  const answer = await post(`${running.url}/services/collector/event`, bodies.join("\n"));
  expect([answer.status, answer.body]).toEqual([
    400,
    { text: "Invalid data format", code: 6, "invalid-event-number": 500 },
  ]);
  expect(await running.events()).toHaveLength(999);
  expect((await running.letters()).map(({ original }) => original)).toEqual(['{"event": tru}']);
});

test("B17 an object 100,000 levels deep is refused before it is parsed", async () => {
  await using running = await run();
  const deep = `{"event":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const answer = await post(`${running.url}/services/collector/event`, deep);
  expect([answer.status, answer.body.code]).toEqual([400, 6]);
  expect(await running.letters()).toMatchObject([{ reason: "json.too-deep", size: deep.length }]);
});

test("raw bytes are taken with their host from the query, and need a channel", async () => {
  await using running = await run();
  const url = `${running.url}/services/collector/raw`;
  expect((await post(url, eventXml(1))).body).toEqual({ text: "Data channel is missing", code: 10 });
  expect((await post(`${url}?channel=nonsense`, eventXml(1))).body).toEqual({ text: "Invalid data channel", code: 11 });
  const answer = await post(`${url}?channel=${CHANNEL}&host=n3`, `${eventXml(1)}\n${eventXml(2)}`);
  expect([answer.status, answer.body]).toEqual([200, { text: "Success", code: 0 }]);
  const inHeader = await post(`${url}/1.0`, eventXml(3), { "x-splunk-request-channel": CHANNEL });
  expect(inHeader.status).toBe(200);
  expect(await running.events()).toHaveLength(3);
});

test("health says whether the queues take more", async () => {
  await using running = await run({ bus: { sizeMaxBytes: 2_000_000, reserveBytes: 1_500_000 } });
  const url = `${running.url}/services/collector/health`;
  expect(await send(url)).toMatchObject({ status: 200, body: { text: "HEC is healthy", code: 17 } });
  await post(`${running.url}/services/collector/event`, envelope(1, { fields: { pad: "x".repeat(900_000) } }));
  expect(await send(`${url}/1.0`)).toMatchObject({
    status: 503,
    body: { text: "HEC is unhealthy, queues are full", code: 18 },
  });
});

test("B1 credentials missing, malformed, wrong and disabled are told apart as Splunk does", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const url = `${running.url}/services/collector/event`;
  const wanted: readonly [Record<string, string>, number, unknown][] = [
    [{}, 401, { text: "Token is required", code: 2 }],
    [{ authorization: "plain-token" }, 401, { text: "Invalid authorization", code: 3 }],
    [{ authorization: "Negotiate abc" }, 401, { text: "Invalid authorization", code: 3 }],
    [as("wrong"), 403, { text: "Invalid token", code: 4 }],
    [as("plain-toke"), 403, { text: "Invalid token", code: 4 }],
    [as("off-token"), 403, { text: "Token disabled", code: 1 }],
    [as("plain-token"), 200, { text: "Success", code: 0 }],
    [{ authorization: `Basic ${btoa("x:plain-token")}` }, 200, { text: "Success", code: 0 }],
  ];
  for (const [headers, status, body] of wanted) {
    const answer = await post(url, envelope(1), headers);
    expect([answer.status, answer.body], JSON.stringify(headers)).toEqual([status, body]);
  }
  expect(await running.events()).toHaveLength(1);
  expect(await running.letters()).toEqual([]);
  expect(JSON.stringify(running.lines)).not.toMatch(/plain-token|off-token|"wrong"/);
});

test("B2 a token in the query string is refused unless enabled, and never logged", async () => {
  const url = (at: string) => `${at}/services/collector/event?token=plain-token`;
  await using closed = await run({ config: { tokens: TOKENS } });
  const refused = await post(url(closed.url), envelope(1));
  expect([refused.status, refused.body]).toEqual([
    401,
    { text: "Query string authorization is not enabled", code: 16 },
  ]);
  expect(JSON.stringify(closed.lines)).not.toContain("plain-token");
  await using open = await run({ config: { tokens: TOKENS, tokenInQuery: true } });
  expect((await post(url(open.url), envelope(1))).status).toBe(200);
});

test("B3 an index that is not the token's is refused and nothing of the request is taken", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const url = `${running.url}/services/collector/event`;
  const own = envelope(1, { index: "win" });
  const answer = await post(url, own + envelope(2, { index: "other" }), as("fenced-token"));
  expect([answer.status, answer.body]).toEqual([403, { text: "Incorrect index", code: 7 }]);
  expect(await running.events()).toEqual([]);
  expect((await post(url, own + envelope(2), as("fenced-token"))).status).toBe(200);
});

test("acknowledgements: ids count per channel, are true once, and only for tokens that use them", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const event = `${running.url}/services/collector/event?channel=${CHANNEL}`;
  const ack = `${running.url}/services/collector/ack?channel=${CHANNEL}`;
  const token = as("acks-token");
  expect((await post(`${running.url}/services/collector/event`, envelope(0), token)).body.code).toBe(10);
  expect((await post(event, envelope(1), token)).body).toEqual({ text: "Success", code: 0, ackId: 0 });
  expect((await post(event, envelope(2), token)).body).toEqual({ text: "Success", code: 0, ackId: 1 });
  expect((await post(ack, '{"acks":[0,1,2]}', token)).body).toEqual({ acks: { "0": true, "1": true, "2": false } });
  expect((await post(ack, '{"acks":[0]}', token)).body).toEqual({ acks: { "0": false } });
  expect((await post(ack, "{}", token)).body).toEqual({ text: "Invalid data format", code: 6 });
  expect((await post(ack, '{"acks":[0]}', as("plain-token"))).body).toEqual({ text: "ACK is disabled", code: 14 });
});

test("acknowledgements are bounded: the oldest channel and the oldest ids are forgotten", () => {
  const acks = new AckChannels();
  for (let n = 0; n <= UNASKED_MAX; n += 1) acks.issue("a");
  expect(acks.ask("a", [0, 1])).toEqual({ "0": false, "1": true });
  for (let n = 0; n < CHANNELS_MAX; n += 1) acks.issue(`c${n}`);
  expect(acks.issue("a")).toBe(0);
});

test("a JSON envelope around a forwarder's own JSON is read through", async () => {
  await using running = await run();
  await post(`${running.url}/services/collector/event`, `{"time":1,"event":${winlogbeat(5)}}`);
  expect((await running.events())[0]?.event).toMatchObject({ recordId: "5", eventId: 7031 });
});

test("any objects, in any spacing, are found whole and in order, whatever stands in their strings", () => {
  const spacing = fc.constantFrom("", "\n", "\r\n", " ", "\n\n\t");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), spacing)), (values) => {
      const text = values.map(([value, space]) => JSON.stringify(value) + space).join("");
      const found = [...jsonObjects(new TextEncoder().encode(text))].map(({ object }) => object);
      expect(found.map((object) => JSON.stringify(object.ok && object.value))).toEqual(
        values.map(([value]) => JSON.stringify(JSON.parse(JSON.stringify(value)))),
      );
    }),
  );
});

test("any bytes are cut into pieces that move forward and stay within the body", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("{", "}", '"', "\\", "\n", "a", "[", "]", ",", " ") }), (text) => {
      const body = new TextEncoder().encode(text);
      let at = 0;
      for (const { start, end } of jsonObjects(body)) {
        expect(start).toBeGreaterThanOrEqual(at);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(body.length);
        at = end;
      }
    }),
  );
});
