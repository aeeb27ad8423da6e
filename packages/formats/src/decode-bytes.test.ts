import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder, decodeBytes } from "./decode-bytes.ts";
import { exportEvent } from "./event-export.ts";
import { decodeAll, eventOf, RECEIVED_AT, reasonsOf, SCM_7031_XML } from "./test-support.ts";

const options = { zone: "utc", receivedAt: RECEIVED_AT };
const DOCUMENT = JSON.stringify({
  "@timestamp": "2024-03-01T10:00:00Z",
  winlog: {
    event_id: "7",
    provider_name: "Pröv",
    channel: "C",
    computer_name: "n1",
    event_data: { a: 'ü{[\\"}', b: "</Event>" },
  },
});
const LABELLED = "Log Name: System\nSource: VSS\nEvent ID: 8194\nComputer: n1\nDescription:\nfirst\n\nsecond";
const PIECES = [
  DOCUMENT,
  `${DOCUMENT}${DOCUMENT}`,
  JSON.stringify(JSON.parse(DOCUMENT), undefined, 2),
  `[${DOCUMENT},\n${DOCUMENT}]`,
  SCM_7031_XML,
  `<Events>${SCM_7031_XML}${SCM_7031_XML}</Events>`,
  SCM_7031_XML.slice(0, 400),
  LABELLED,
  `${LABELLED}\nEvent Xml:\n${SCM_7031_XML}`,
  "00001344.0000043c::2024/03/01-12:54:42.832 WARN  [JPM] x",
  "plain text",
  '{"unknown": 1}',
  "{ brace",
  "<13>Mar  1 10:00:00 n1 x: y",
  "",
];

/** Cuts bytes at the places given. */
function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.slice(places[i], end));
}

describe("an input in pieces", () => {
  test("chunks of any size give the same items at the same offsets", () => {
    const inputs = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(inputs, fc.array(fc.nat(), { maxLength: 40 }), (pieces, cuts) => {
        const bytes = new TextEncoder().encode(pieces.join("\n"));
        expect([...decodeBytes(chunksOf(bytes, cuts), options)]).toEqual([...decodeBytes(bytes, options)]);
      }),
      { numRuns: 300 },
    );
  });

  test("a record of a live stream comes out with its last byte", () => {
    const decoder = createDecoder(options);
    const bytes = new TextEncoder().encode(`${DOCUMENT}\n${SCM_7031_XML}\n`);
    const came: number[] = [];
    bytes.forEach((_, i) => {
      if ([...decoder.push(bytes.subarray(i, i + 1))].length > 0) came.push(i);
    });
    const first = new TextEncoder().encode(DOCUMENT).length;
    expect(came).toEqual([first - 1, bytes.length - 2]);
  });

  test("a record's offset is where it stands in the input", () => {
    const text = `\n\n${DOCUMENT}\nplain\n${SCM_7031_XML}\n${LABELLED}`;
    const bytes = new TextEncoder().encode(text);
    const found = decodeAll(text).map((item) =>
      new TextDecoder().decode(bytes.subarray(item.source.offset, item.source.offset + 5)),
    );
    expect(found).toEqual([DOCUMENT.slice(0, 5), "plain", "<Even", "Log N"]);
  });
});

describe("mixed and unknown input", () => {
  test("each record is recognised on its own", () => {
    const text = `${DOCUMENT}\n${SCM_7031_XML}\n${DOCUMENT}\n${LABELLED}\n`;
    expect(decodeAll(text).map((item) => item.source.format)).toEqual([
      "winlogbeat",
      "event-xml",
      "winlogbeat",
      "labelled-text",
    ]);
  });
  test("what nobody knows is one failure with its text, whatever is around it", () => {
    const items = decodeAll(`${DOCUMENT}\none\ntwo\n{"a":1}\n${DOCUMENT}`);
    expect(items.map((item) => item.failure?.reason)).toEqual([
      undefined,
      "format.unknown",
      "format.unknown",
      undefined,
    ]);
    expect(items[1]?.failure && new TextDecoder().decode(items[1].record)).toBe("one\ntwo");
  });
  test("an input that is empty or blank gives nothing", () => {
    expect(decodeAll("")).toEqual([]);
    expect(decodeAll(" \r\n\r\n ")).toEqual([]);
  });
  test("compressed input is refused once", () => {
    expect(reasonsOf(new Uint8Array([0x1f, 0x8b, 8, 0, ...new Array(200).fill(7)]))).toEqual(["format.compressed"]);
  });
  test("a record above the limit is a failure, and the next line is read", () => {
    const long = `{"winlog":{"event_id":"1","x":"${"y".repeat(5000)}"}}`;
    const items = decodeAll(`${long}\n${DOCUMENT}\n`, { recordMaxBytes: 2000 });
    expect(items.map((item) => item.failure?.reason ?? item.event?.eventId)).toEqual(["record.too-long", 7]);
  });
});

describe("records that the transport has framed", () => {
  const forged = "Log Name: System\nSource: VSS\nEvent ID: 1\nComputer: other";
  const cef = "<13>Mar  1 10:00:00 n1 CEF:0|Microsoft|Microsoft Windows||P:4776|name|Low| externalId=4776 msg=first";
  test.each([
    ["CEF", cef],
    [
      "Snare",
      "<13>Mar  1 10:00:00 n1 MSWinEventLog\t1\tSystem\t1\tFri Mar 01 10:00:00 2024\t4776\tP\tN/A\tN/A\tError\tn1\tNone\t\tfirst",
    ],
    ["labels", LABELLED.replace("8194", "4776")],
  ])("%s: a line that looks like a second record is text of the first", (_name, text) => {
    const second = `${text}\n${cef.replaceAll("4776", "9999")}\n${forged}\n<Event><System/></Event>`;
    expect(decodeAll(second, { framed: true }).map((item) => item.event?.eventId)).toEqual([4776]);
  });
  test("what a record carries is one record, too", () => {
    const carried = JSON.stringify({ time: 1, host: "n1", event: `${cef}\n${forged}` });
    expect(decodeAll(carried).map((item) => item.event?.eventId)).toEqual([4776]);
  });
  test("JSON and XML are read as ever, and unknown text is a failure", () => {
    expect(decodeAll(`${DOCUMENT}\n${DOCUMENT}`, { framed: true })).toHaveLength(2);
    expect(eventOf(SCM_7031_XML, { framed: true }).eventId).toBe(7031);
    expect(reasonsOf("hello\nworld", { framed: true })).toEqual(["format.unknown"]);
    expect(reasonsOf("x".repeat(3000), { framed: true, recordMaxBytes: 2000 })).toEqual(["record.too-long"]);
  });
});

describe("selection", () => {
  test("records that cannot be wanted are passed over, and told", () => {
    let told = 0;
    const selection = { wants: (_provider: unknown, _channel: unknown, eventId: number) => eventId === 7031 };
    const items = decodeAll(`${DOCUMENT}\n${SCM_7031_XML}\n${DOCUMENT}`, {
      selection,
      onPassedOver: ({ count }) => {
        told += count;
      },
    });
    expect(items.map((item) => item.event?.eventId)).toEqual([7031]);
    expect(told).toBe(2);
  });
  test("what is wanted is never passed over, however its keys are written", () => {
    const hide = fc.constantFrom(
      (s: string) => s,
      (s: string) => s.replace('"event_id"', '"event\\u005fid"'),
      (s: string) => s.replace('"event_id":"7"', '"event_id" : 7'),
      (s: string) => s.replace('"event_id":"7"', '"event_id":"9","event_id":"7"'),
      (s: string) => s.replace('"event_data":{', '"event_data":{"event_id":"9","code":5,"m":"\\"event_id\\":\\"9\\"",'),
      (s: string) => s.replace('"winlog"', '"code":9,"winlog"'),
      (s: string) => JSON.stringify({ event: JSON.parse(s), time: 1, code: 9 }),
    );
    const selection = { wants: (_provider: unknown, _channel: unknown, eventId: number) => eventId === 7 };
    fc.assert(
      fc.property(fc.array(hide, { maxLength: 3 }), (tricks) => {
        const text = tricks.reduce((held, trick) => trick(held), DOCUMENT);
        const wanted = decodeAll(text).filter((item) => item.event?.eventId === 7).length;
        expect(decodeAll(text, { selection }).filter((item) => item.event?.eventId === 7)).toHaveLength(wanted);
      }),
    );
  });
});

describe("any input", () => {
  test("bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(Array.isArray(decodeAll(bytes))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
  test("mutated records never throw, and every event has a host and an id", () => {
    const piece = fc.constantFrom(...PIECES.filter((text) => text !== ""));
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 6 }), fc.string({ maxLength: 6 }));
    fc.assert(
      fc.property(piece, fc.array(mutation, { maxLength: 6 }), (text, mutations) => {
        let changed = text;
        for (const [place, removed, added] of mutations) {
          const at = place % (changed.length + 1);
          changed = changed.slice(0, at) + added + changed.slice(at + removed);
        }
        for (const item of decodeAll(changed)) {
          if (item.event === undefined) continue;
          expect(item.event.host.length).toBeGreaterThan(0);
          expect(Number.isInteger(item.event.eventId) && Number.isInteger(item.event.timeCreated)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("an exported event has the shape of the contract", () => {
  const source = { path: "a.xml", format: "event-xml", offset: 0 };
  expect(exportEvent(eventOf(SCM_7031_XML), source)).toEqual({
    host: "n1.corp.example",
    computer: "N1.corp.example",
    channel: "System",
    provider: "Service Control Manager",
    eventId: 7031,
    qualifiers: 49152,
    level: 2,
    time: "2024-03-01T10:00:00.123Z",
    recordId: "4711",
    data: Object.assign(Object.create(null), {
      param1: "Cluster Service",
      param2: "1",
      Binary: "43006C00750073005300760063000000",
      ServiceKeyName: "ClusSvc",
    }),
    message: "The Cluster Service service terminated unexpectedly.\nTwice.",
    source,
  });
});
