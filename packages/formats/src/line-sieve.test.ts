import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "./decode-bytes.ts";
import type { DecodedItem } from "./decoding.ts";
import { JSON_LINES_SOURCE_SHA256 } from "./json-lines.wasm.ts";
import type { PassedOver, Selection } from "./selection.ts";
import { SCM_7031_XML } from "./test-support.ts";

const WANTED = 7031;
const selection: Selection = { wants: (_provider, _channel, eventId) => eventId === WANTED };

interface Read {
  readonly items: readonly DecodedItem[];
  readonly passed: readonly PassedOver[];
}

/** Decodes an input cut into pieces of these sizes, over and over. */
function read(text: string, sizes: readonly number[], selected?: Selection): Read {
  const bytes = new TextEncoder().encode(text);
  const passed: PassedOver[] = [];
  const items: DecodedItem[] = [];
  const options = { zone: "utc", receivedAt: 0 };
  const decoder = createDecoder(
    selected === undefined ? options : { ...options, selection: selected, onPassedOver: (run) => passed.push(run) },
  );
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    items.push(...decoder.push(bytes.slice(at, at + size)));
    at += size;
  }
  items.push(...decoder.end());
  return { items, passed };
}

const countOf = (passed: readonly PassedOver[]): number => passed.reduce((sum, { count }) => sum + count, 0);
const wantedOf = ({ items }: Read): unknown[] =>
  items
    .filter(({ event }) => event !== undefined && selection.wants(undefined, undefined, event.eventId))
    .map(({ event, source }) => [source.offset, event?.provider, event?.eventId, event?.recordId]);

interface Parts {
  readonly id: number;
  readonly code: number;
  readonly recordId: number;
}

function document({ id, code, recordId }: Parts): string {
  return JSON.stringify({
    "@timestamp": "2024-03-01T10:00:00.123Z",
    event: { code: String(code), kind: "event" },
    message: 'said "{[:" and \\ and \\\\"winlog":{"event_id":"7031"}\n\tover',
    host: { name: "n1", ip: ["10.0.0.1"], os: { name: "w" } },
    winlog: {
      channel: "Security",
      computer_name: "N1.corp.example",
      event_data: { A: "}{", B: "event_id", "C:D": "{" },
      event_id: String(id),
      provider_name: "P",
      record_id: recordId,
    },
    agent: { type: "winlogbeat" },
  });
}

const ids = fc.constantFrom(4624, 4625, WANTED);
const parts = fc.record({ id: ids, code: ids, recordId: fc.nat({ max: 9 }) });

/** Ways to make a document say something else than a quick look at its bytes would tell. */
const TRICKS: readonly ((text: string) => string)[] = [
  (text) => text.replace('"event_id"', '"event\\u005fid"'),
  (text) => text.replace('"winlog"', '"\\u0077inlog"'),
  (text) => text.replace('"winlog":{', '"winlog": { "event_id" : 7031 , '),
  (text) => text.replace('"event_id"', '"event_id":"7031","event_id"'),
  (text) => text.replace(/"event_id":"\d+"/, (found) => `${found},"event\\u005fid":"7031"`),
  (text) => text.replace(/"event_id":"\d+"/, '"event_id":""'),
  (text) => text.replace(/"event_id":"(\d+)"/, '"a\\"event_id":"$1"'),
  (text) => text.replace(/"event_id":"\d+",/, ""),
  (text) => text.replace(/"event_id":"(\d+)"/, '"x":{"event_id":"$1"},"event_id":7031'),
  (text) => text.replace('"agent"', '"winlog":null,"EventID":7031,"SourceName":"S","Hostname":"h","agent"'),
  (text) => text.replace('"agent"', '"winlo\\u0067":null,"EventID":7031,"SourceName":"S","Hostname":"h","agent"'),
  (text) => text.replace('"agent"', '"winlog.event_id":"7031","agent"'),
  (text) => text.replace('"agent"', '"winlog\\u002eevent_id":"7031","agent"'),
  (text) => text.replace('"agent"', `"_source":${document({ id: WANTED, code: 1, recordId: 1 })},"agent"`),
  (text) => text.replace('"agent"', '"event":{"code":"7031"},"agent"'),
  (text) =>
    text.replace('"winlog":{', '"a key longer than the sixteen bytes that are looked at first \\u002e":1,"winlog":{'),
  (text) => `{"x":${text},"EventID":7031,"SourceName":"S","Hostname":"h"}`,
  (text) => `{"_source":${text}}`,
  (text) => `{"_source":{"EventID":7031},${text.slice(1)}`,
  (text) => `${text}{"EventID":7031,"SourceName":"S","Hostname":"h"}`,
  (text) => `${text} ${document({ id: WANTED, code: WANTED, recordId: 2 })}`,
  (text) => text.replace('"winlog":{', '"winlog":[{').replace(/\},"agent"/, '}],"agent"'),
  (text) => text.replace("}", "]"),
  (text) => text.replace(/,"agent".*/, ']{"EventID":7031,"SourceName":"S","Hostname":"h"}}'),
  (text) => text.replace('"agent"', '\\"agent":"'),
  (text) => text.slice(0, -5),
  (text) => text.replace("over", "ov\ner"),
  (text) => ` ${text} `,
  (text) => `\ufeff${text}`,
  (text) => JSON.stringify(JSON.parse(text), null, 1),
  (text) => text.replaceAll('":', '": '),
  (text) => `[${text},`,
  (text) => `${text}]`,
  (text) => `${text},`,
];

const plain = parts.map(document);
const tricky = fc.tuple(plain, fc.constantFrom(...TRICKS)).map(([text, trick]) => {
  try {
    return trick(text);
  } catch {
    return text;
  }
});
const other = fc.constantFrom(
  "",
  "hello: { world }",
  "{hello}",
  SCM_7031_XML,
  '{"create":{"_index":"x"}}',
  '{"EventID":7031,"SourceName":"S","Hostname":"h","EventTime":"2024-03-01 10:00:00"}',
  "<13>Mar  1 10:00:00 h a: b",
  '"',
  "\\",
);
const line = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 3, arbitrary: tricky },
  { weight: 1, arbitrary: other },
);
const input = fc
  .array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", "\n\n", "")), { maxLength: 8 })
  .map((lines) => lines.map((pair) => pair.join("")).join(""));
const sizes = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 4 });

describe("lines left out before they are framed", () => {
  test("nothing wanted is among them, however it is written and cut", () => {
    fc.assert(
      fc.property(input, sizes, (text, cut) => {
        // Where several records share a line in ways that no sender does, framing may find one more or less, piece by piece.
        expect(wantedOf(read(text, cut, selection))).toEqual(expect.arrayContaining(wantedOf(read(text, cut))));
      }),
      { numRuns: 600 },
    );
  });

  test("with what is read they are all there is", () => {
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 20 }), sizes, (lines, cut) => {
        const text = lines.map((each) => `${each}\n`).join("");
        const { items, passed } = read(text, cut, selection);
        expect(items.length + countOf(passed)).toBe(lines.length);
        expect(items.every(({ event }) => event !== undefined)).toBe(true);
      }),
    );
  });

  test("lines that follow on each other are told as one run, with their log, numbers and times", () => {
    const lines = [1, 2, 3, 5].map((recordId) => `${document({ id: 4624, code: 4624, recordId })}\n`);
    const at = Date.UTC(2024, 2, 1, 10, 0, 0, 123);
    const log = { computer: "N1.corp.example", channel: "Security", firstAt: at, lastAt: at };
    expect(read(lines.join(""), [100_000], selection).passed).toEqual([
      { source: { format: "winlogbeat", offset: 0 }, count: 3, ...log, firstRecordId: 1, lastRecordId: 3 },
      {
        source: { format: "winlogbeat", offset: lines.slice(0, 3).join("").length },
        count: 1,
        ...log,
        firstRecordId: 5,
        lastRecordId: 5,
      },
    ]);
  });

  test("a wanted line among them stands where it stood", () => {
    const lines = [4624, WANTED, 4624].map((id) => `${document({ id, code: id, recordId: 1 })}\n`);
    const { items, passed } = read(lines.join(""), [100_000], selection);
    expect(items.map(({ source }) => source.offset)).toEqual([lines[0]?.length]);
    expect(countOf(passed)).toBe(2);
  });

  test("the last line of a live stream does not wait for its line break", () => {
    const decoder = createDecoder({ zone: "utc", receivedAt: 0, selection });
    const text = `${document({ id: 1, code: 1, recordId: 1 })}\n${document({ id: WANTED, code: 1, recordId: 1 })}`;
    const bytes = new TextEncoder().encode(text);
    const items = [bytes.subarray(0, 900), bytes.subarray(900)].flatMap((chunk) => [...decoder.push(chunk)]);
    expect(items).toHaveLength(1);
  });
});

function element({ id, recordId }: Parts): string {
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
    `<Provider Name='P' EventSourceName='p'/><EventID Qualifiers='1'>${id}</EventID><Version>0</Version>` +
    `<TimeCreated SystemTime='2024-03-01T10:00:00.1234567Z'/><EventRecordID>${recordId}</EventRecordID><Correlation/>` +
    "<Channel>Security</Channel><Computer>N1.corp.example</Computer></System>" +
    "<EventData><Data Name='A'>an Event of 'x' = \"y\" &lt;EventID>7031&lt;/EventID></Data></EventData></Event>"
  );
}

const XML_TRICKS: readonly ((text: string) => string)[] = [
  (text) => text.replace("<EventID", "<EventID>7031</EventID><EventID"),
  (text) => text.replace("<System>", "<System><EventID>7031</EventID></System><System>"),
  (text) => text.replace("<System>", "<!-- <System><EventID>1</EventID></System> --><System>"),
  (text) => text.replace(/>\d+<\/EventID>/, ">&#55;031</EventID>"),
  (text) => text.replace(/>\d+<\/EventID>/, "> 7031 </EventID>"),
  (text) => text.replace(/>\d+<\/EventID>/, "><![CDATA[7031]]></EventID>"),
  (text) => text.replace("<Data Name='A'>", "<Data Name='</Event>'>"),
  (text) => text.replace("<Data Name='A'>", `<Data Name='></Event><Event xmlns='>`),
  (text) => text.replace("an Event", "<![CDATA[</Event>]]>"),
  (text) => text.replace("an Event", "<!-- </Event> -->"),
  (text) => text.replace("</Event>", ""),
  (text) => text.replace("</EventData></Event>", ""),
  (text) => text.slice(0, 150),
  (text) => text.replaceAll("<", "&lt;"),
  (text) => text.replaceAll("Event", "e:Event"),
  (text) => `<Events>${text}${text}</Events>`,
  (text) => `${text} and more`,
  (text) => `Log Name: System\nSource: P\nEvent ID: 7031\nEvent Xml:\n${text}`,
  (text) => text.replaceAll("'", '"'),
  (text) => text.replace("Name='P'", "Name='&#80;'"),
];
const plainXml = parts.map(element);
const trickyXml = fc.tuple(plainXml, fc.constantFrom(...XML_TRICKS)).map(([text, trick]) => trick(text));
const xmlInput = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: plainXml },
        { weight: 3, arbitrary: trickyXml },
        { weight: 1, arbitrary: plain },
        { weight: 1, arbitrary: other },
      ),
      fc.constantFrom("\n", "", "\r\n", " "),
    ),
    { maxLength: 8 },
  )
  .map((records) => records.map((pair) => pair.join("")).join(""));

describe("events of XML left out before they are framed", () => {
  test("nothing wanted is among them, however it is written and cut", () => {
    fc.assert(
      fc.property(xmlInput, sizes, (text, cut) => {
        expect(wantedOf(read(text, cut, selection))).toEqual(expect.arrayContaining(wantedOf(read(text, cut))));
      }),
      { numRuns: 600 },
    );
  });

  test("with what is read they are all there is, and they show their log, numbers and times", () => {
    const texts = [1, 2, 3].map((recordId) => element({ id: 4624, code: 1, recordId }));
    const { items, passed } = read(
      `${texts.join("")}${element({ id: WANTED, code: 1, recordId: 4 })}`,
      [900],
      selection,
    );
    expect(items.map(({ event }) => event?.eventId)).toEqual([WANTED]);
    expect(countOf(passed)).toBe(3);
    const at = Date.UTC(2024, 2, 1, 10, 0, 0, 123);
    expect(passed.at(0)).toMatchObject({
      computer: "N1.corp.example",
      channel: "Security",
      firstAt: at,
      firstRecordId: 1,
    });
  });
});

test("the compiled kernel is that of its source", () => {
  const source = readFileSync(new URL("../kernel/json-lines.ts", import.meta.url), "utf8");
  expect(hash("sha256", source), "run `npm run kernel -w packages/formats`").toBe(JSON_LINES_SOURCE_SHA256);
});
