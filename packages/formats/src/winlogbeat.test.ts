import { dataValue } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { eventOf, eventsOf, identityOf, reasonsOf, SCM_7031_XML } from "./test-support.ts";

const document = {
  "@timestamp": "2024-03-01T10:00:00.123Z",
  event: { code: "7031", kind: "event", provider: "Service Control Manager", created: "2024-03-01T10:00:01.5Z" },
  log: { level: "error" },
  message: "The Cluster Service service terminated unexpectedly.\nTwice.",
  host: { name: "collector" },
  winlog: {
    api: "wineventlog",
    channel: "System",
    computer_name: "N1.corp.example",
    event_id: "7031",
    provider_name: "Service Control Manager",
    record_id: 4711,
    keywords: ["Classic"],
    version: 0,
    process: { pid: 700, thread: { id: 712 } },
    user: { identifier: "S-1-5-18" },
    event_data: { param1: "Cluster Service", param2: "1", Binary: "43006C00750073005300760063000000" },
  },
};

test("a document gives every field that it has, and the forwarder's stamp", () => {
  expect(eventOf(JSON.stringify(document))).toMatchObject({
    provider: "Service Control Manager",
    channel: "System",
    host: "n1.corp.example",
    eventId: 7031,
    level: 2,
    keywords: "Classic",
    timeCreated: Date.UTC(2024, 2, 1, 10, 0, 0, 123),
    timeQuality: "event",
    receivedAt: Date.UTC(2024, 2, 1, 10, 0, 1, 500),
    recordId: "4711",
    processId: 700,
    threadId: 712,
    userId: "S-1-5-18",
    message: "The Cluster Service service terminated unexpectedly.\nTwice.",
  });
});

test("an event is the same through Winlogbeat and as XML", () => {
  expect(identityOf(eventOf(JSON.stringify(document)))).toEqual(identityOf(eventOf(SCM_7031_XML)));
});

test("include_xml brings the qualifiers", () => {
  const withXml = { ...document, event: { ...document.event, original: SCM_7031_XML } };
  expect(eventOf(JSON.stringify(withXml))).toMatchObject({ eventId: 7031, qualifiers: 49152, keywords: "Classic" });
});

test("user_data is data, without the name of its element", () => {
  const { event_data: _, ...winlog } = document.winlog;
  const read = eventOf(
    JSON.stringify({ ...document, winlog: { ...winlog, user_data: { VmName: "v1", xml_name: "VmlEventLog" } } }),
  );
  expect(read.data).toEqual({ names: ["VmName"], values: ["v1"] });
});

test("documents of Winlogbeat 1 to 6 have no winlog object", () => {
  const old = {
    "@timestamp": "2017-03-01T10:00:00.123Z",
    beat: { hostname: "n1", version: "5.6.1" },
    computer_name: "N1.corp.example",
    event_data: { param1: "Cluster Service" },
    event_id: 7031,
    level: "Error",
    log_name: "System",
    record_number: "4711",
    source_name: "Service Control Manager",
    type: "wineventlog",
    message: "m",
  };
  expect(eventOf(JSON.stringify(old))).toMatchObject({
    provider: "Service Control Manager",
    channel: "System",
    recordId: "4711",
    level: 2,
  });
});

test("a hit of a search and dotted keys are read like the document", () => {
  expect(eventOf(JSON.stringify({ _index: "i", _source: document })).eventId).toBe(7031);
  const flat = {
    "@timestamp": "2024-03-01T10:00:00Z",
    "winlog.event_id": "7031",
    "winlog.channel": "System",
    "winlog.provider_name": "P",
    "winlog.computer_name": "n1",
  };
  expect(eventOf(JSON.stringify(flat))).toMatchObject({ eventId: 7031, provider: "P", channel: "System" });
});

test("localised level words are levels", () => {
  expect(eventOf(JSON.stringify({ ...document, log: { level: "fehler" } })).level).toBe(2);
});

describe("streams of documents", () => {
  const line = JSON.stringify(document);
  test.each([
    ["a line each", `${line}\n${line}\n`],
    ["the last line without its end, CRLF, blank lines, a mark", `\ufeff${line}\r\n\r\n${line}`],
    ["an array", `[${line},${line}]`],
    ["a pretty-printed array", JSON.stringify([document, document], undefined, 2)],
    [
      "pretty-printed one after the other",
      `${JSON.stringify(document, undefined, 2)}\n${JSON.stringify(document, undefined, 2)}`,
    ],
    ["concatenated", `${line}${line}`],
    ["lines with commas", `[\n${line},\n${line}\n]`],
  ])("%s", (_name, text) => expect(eventsOf(text).map((event) => event.eventId)).toEqual([7031, 7031]));

  test("the action lines of a saved bulk request are passed over", () => {
    expect(eventsOf(`{"create":{"_index":"winlogbeat-8"}}\n${line}\n{"index":{}}\n${line}\n`)).toHaveLength(2);
  });
  test("one bad line among good ones is one failure", () => {
    const lines = Array.from({ length: 9 }, () => line);
    lines.splice(4, 0, `${line.slice(0, 300)}`);
    expect(eventsOf(lines.filter((_, i) => i !== 4).join("\n"))).toHaveLength(9);
    expect(reasonsOf(lines.join("\n"))).toEqual(["json.syntax"]);
    lines[4] = `{"winlog":{"event_id":`;
    expect(reasonsOf(lines.join("\n"))).toEqual(["json.syntax"]);
  });
});

describe("hostile documents", () => {
  test("prototype keys are plain data", () => {
    const text = JSON.stringify(document).replace('"param1"', '"__proto__"');
    const read = eventOf(text);
    expect(dataValue(read.data, "__proto__")).toBe("Cluster Service");
    expect(Object.getPrototypeOf(read.data)).toBe(Object.prototype);
  });
  test("a duplicate key: the last wins and the event is marked", () => {
    const text = JSON.stringify(document).replace('"channel":"System"', '"channel":"System","channel":"Application"');
    expect(eventOf(text)).toMatchObject({ channel: "Application", marks: ["duplicate-key"] });
  });
  test("a record id of 64 bits is kept exactly", () => {
    const text = JSON.stringify(document).replace("4711", "18446744073709551615");
    expect(eventOf(text).recordId).toBe("18446744073709551615");
  });
  test("nesting of 100,000 levels is refused", () => {
    expect(reasonsOf(`{"winlog":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).toEqual(["json.too-deep"]);
  });
  test("lone surrogates and invalid UTF-8 are repaired and marked", () => {
    expect(eventOf(JSON.stringify(document).replace("Twice", "\\ud800")).marks).toEqual(["repaired-surrogate"]);
    const bytes = new TextEncoder().encode(JSON.stringify({ ...document, message: "T" }));
    bytes[bytes.lastIndexOf("T".charCodeAt(0))] = 0xff;
    expect(eventOf(bytes).marks).toEqual(["repaired-utf8"]);
  });
});
