import { expect, test } from "vitest";
import { eventXml, post, run, winlogbeat } from "../test-kit.ts";

const ingest = (running: { url: string }) => `${running.url}/ingest`;

test.each([
  ["NDJSON", `${winlogbeat(1)}\n${winlogbeat(2)}\n`, "application/x-ndjson"],
  ["a JSON array", `[${winlogbeat(1)},\n${winlogbeat(2)}]`, "application/json"],
  ["event XML one after another", eventXml(1) + eventXml(2), "application/xml"],
  ["event XML under one root", `<?xml version="1.0"?><Events>${eventXml(1)}\n${eventXml(2)}</Events>`, "text/xml"],
  ["JSON beside XML", `${winlogbeat(1)}\n${eventXml(2)}\n`, "text/plain"],
  ["no declared type", `${winlogbeat(1)}\n${winlogbeat(2)}`, ""],
] as const)("P1 %s is taken by its content", async (_, body, type) => {
  await using running = await run();
  const answer = await post(
    ingest(running),
    new TextEncoder().encode(body),
    type === "" ? {} : { "content-type": type },
  );
  expect([answer.status, answer.body]).toEqual([200, { events: 2, deadLetters: 0, notSelected: 0, duplicates: 0 }]);
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2"]);
});

test("B7 a declared type that the body contradicts is 415, and so is a form", async () => {
  await using running = await run();
  const cases: readonly [string, string][] = [
    ["application/json", eventXml(1)],
    ["application/xml; charset=utf-8", winlogbeat(1)],
    ["multipart/form-data; boundary=x", winlogbeat(1)],
  ];
  for (const [type, body] of cases) {
    expect((await post(ingest(running), body, { "content-type": type })).status, type).toBe(415);
  }
  expect(await running.events()).toEqual([]);
});

test("B13 an empty body is 400", async () => {
  await using running = await run();
  expect((await post(ingest(running), "")).status).toBe(400);
});

test("B14 a body of which nothing can be read is 400 with line and column, and is kept", async () => {
  await using running = await run();
  const answer = await post(ingest(running), '\n  {"a": 1,, }', { "content-type": "application/json" });
  expect(answer.status).toBe(400);
  expect(answer.body.failures[0]).toMatchObject({ reason: "json.syntax", line: 2, column: 3 });
  expect(await running.letters()).toMatchObject([{ reason: "json.syntax", source: { receiver: "ingest" } }]);
});

test("B15 999 good records and a bad one: 999 events and one dead letter", async () => {
  await using running = await run();
  const lines = Array.from({ length: 1_000 }, (_, n) => (n === 500 ? '{"oops": tru}' : winlogbeat(n)));
  const answer = await post(ingest(running), lines.join("\n"));
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ events: 999, deadLetters: 1, failures: [{ reason: "json.syntax", line: 501 }] });
  expect([(await running.events()).length, (await running.letters()).length]).toEqual([999, 1]);
});

test("B16 blank lines, CRLF, a byte order mark and a missing last line break change nothing", async () => {
  await using running = await run();
  const answer = await post(ingest(running), `\ufeff\r\n${winlogbeat(1)}\r\n\r\n${winlogbeat(2)}`);
  expect(answer.body).toMatchObject({ events: 2, deadLetters: 0 });
});

test("B17 nesting 100,000 deep is 400 and in the dead letters", async () => {
  await using running = await run();
  const answer = await post(ingest(running), `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
  expect([answer.status, answer.body.failures[0].reason]).toEqual([400, "json.too-deep"]);
  expect(await running.letters()).toHaveLength(1);
});

test("B18 B19 B20 B22 B23 odd keys, numbers and text are kept as data", async () => {
  await using running = await run();
  const odd = winlogbeat(1)
    .replace('"param1":"Cluster Service"', '"__proto__":"a","constructor":"b","x":"\\u0000\\u202e\\ud800","x":"last"')
    .replace('"record_id":1', '"record_id":18446744073709551615');
  const answer = await post(ingest(running), odd);
  expect(answer.body).toMatchObject({ events: 1, deadLetters: 0 });
  const [arrival] = await running.events();
  expect(arrival?.event.recordId).toBe("18446744073709551615");
  expect(arrival?.event.data.names).toEqual(expect.arrayContaining(["__proto__", "constructor", "x"]));
  expect(arrival?.event.marks).toContain("duplicate-key");
});

test("B21 records above the limits are 413 when alone, and leave the others alone", async () => {
  await using running = await run({ config: { recordMaxBytes: 1_000_000 } });
  const long = winlogbeat(1, { message: "m".repeat(10_000_000) });
  const keys = JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, n])));
  expect((await post(ingest(running), long)).status).toBe(413);
  expect((await post(ingest(running), keys)).status).toBe(413);
  const mixed = await post(ingest(running), `${winlogbeat(2)}\n${long}\n${keys}\n${winlogbeat(3)}\n`);
  expect([mixed.status, mixed.body.events, mixed.body.deadLetters]).toEqual([200, 2, 2]);
});

test("B22 a UTF-16 body and invalid UTF-8 are read, and marked where repaired", async () => {
  await using running = await run();
  const utf16 = new Uint8Array(Buffer.from(`\ufeff${eventXml(1)}`, "utf16le"));
  expect((await post(ingest(running), utf16)).body).toMatchObject({ events: 1 });
  const broken = Buffer.from(winlogbeat(2, { message: "caf@" }));
  broken[broken.indexOf("caf@") + 3] = 0xe9;
  expect((await post(ingest(running), new Uint8Array(broken))).body).toMatchObject({ events: 1 });
  expect((await running.events()).map(({ event }) => event.marks ?? [])).toEqual([
    [],
    expect.arrayContaining([expect.any(String)]),
  ]);
});

test("B24 a body that is one document with a document type is 400, kept, and no event", async () => {
  await using running = await run();
  const entities = '<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">';
  const bomb = `<!DOCTYPE x [${entities}]>${eventXml(1).replace("Cluster Service", "&a;&b;")}`;
  expect((await post(ingest(running), bomb)).status).toBe(400);
  expect(await running.events()).toEqual([]);
  expect(await running.letters()).toMatchObject([{ reason: "xml.doctype", original: bomb }]);
});

test("the computer and the file may stand in the query for records that name none", async () => {
  await using running = await run();
  const line = "2019-03-29 00:32:48, Error      [0x0606ae] IBS    something failed\n";
  const answer = await post(`${ingest(running)}?host=PC1&path=setuperr.log`, line);
  expect(answer.body).toMatchObject({ events: 1 });
  expect((await running.events())[0]?.event).toMatchObject({ host: "pc1", channel: "FileLog/setuperr.log" });
});
