/** What reading a chunk gives, for each part of its format. One file, however long: all of it stands on the same templates and writer. */
import { describe, expect, test } from "vitest";
import { type EvtxItem, type ReadOptions, readChunk } from "./chunk.ts";
import type { EventRecord } from "./record.ts";
import { dataTemplate, eventTemplate, serviceEvent, systemValues } from "./testing/events.ts";
import {
  BASE_TIME,
  ChunkWriter,
  element,
  NULL_VALUE,
  type SpecNode,
  substitution,
  type TemplateSpec,
  token,
  type ValueSpec,
  value,
} from "./testing/writer.ts";

const SERVICE = eventTemplate("Service Control Manager", substitution(17, true));
const PARAMETERS = dataTemplate("param1", "param2");

function recordsOf(items: readonly EvtxItem[]): EventRecord[] {
  return items.flatMap((item) => (item.ok ? [item.record] : []));
}

function reasonsOf(items: readonly EvtxItem[]): string[] {
  return items.flatMap((item) => (item.ok ? [] : [item.failure.reason]));
}

/** The one record of a chunk that holds nothing else. */
function readOne(template: TemplateSpec, values: readonly ValueSpec[], options: ReadOptions = {}): EventRecord {
  const writer = new ChunkWriter();
  writer.record({ template, values });
  const { items } = readChunk(writer.finish(), 4_096, options);
  const [record] = recordsOf(items);
  if (record === undefined) throw new Error(JSON.stringify(items));
  return record;
}

/** Data of an event whose body is `body`, with the values from 17 on. */
function dataOf(body: SpecNode, ...values: readonly ValueSpec[]): [string, string][] {
  const { data } = readOne(eventTemplate("Test", body), systemValues({}, ...values));
  return data.values.map((text, i) => [data.names[i] ?? "", text]);
}

function eventData(...fields: readonly SpecNode[]): SpecNode {
  return element("EventData", {}, ...fields);
}

describe("a record", () => {
  test("gives every field of System and its data", () => {
    const writer = new ChunkWriter();
    const offset = writer.record(serviceEvent(SERVICE, PARAMETERS, { recordId: 58_637n }));
    const { items } = readChunk(writer.finish(), 4_096);
    const [record] = recordsOf(items);
    expect({ ...record, source: undefined }).toEqual({
      offset: 4_096 + offset,
      storedId: "58637",
      storedAt: Date.parse("2024-03-01T10:00:00.123Z"),
      provider: "Service Control Manager",
      eventSourceName: undefined,
      guid: undefined,
      eventId: 7_036,
      qualifiers: 16_384,
      version: 0,
      level: 4,
      task: 0,
      opcode: 0,
      keywords: "0x8080000000000000",
      timeCreated: Date.parse("2024-03-01T10:00:00.123Z"),
      timeText: "2024-03-01T10:00:00.1234567Z",
      recordId: "58637",
      activityId: undefined,
      relatedActivityId: undefined,
      processId: 620,
      threadId: 1_796,
      channel: "System",
      computer: "hv11.contoso.com",
      userId: "S-1-5-18",
      section: "EventData",
      dataElement: undefined,
      data: { names: ["param1", "param2"], values: ["Windows Update", "running"] },
      message: undefined,
      isRecovered: false,
      source: undefined,
    });
  });

  test("shares names and templates with the records before it", () => {
    const writer = new ChunkWriter();
    for (const state of ["running", "stopped", "paused"]) {
      writer.record(serviceEvent(SERVICE, PARAMETERS, { values: ["Windows Update", state] }));
    }
    const records = recordsOf(readChunk(writer.finish(), 0).items);
    expect(records.map((record) => record.data.values[1])).toEqual(["running", "stopped", "paused"]);
  });

  test("keeps the id of its origin beside its id in the file", () => {
    const writer = new ChunkWriter();
    writer.record({ id: 9n, template: SERVICE, values: systemValues({ recordId: 2_590_526n }, NULL_VALUE) });
    const [record] = recordsOf(readChunk(writer.finish(), 0).items);
    expect([record?.storedId, record?.recordId]).toEqual(["9", "2590526"]);
  });

  test("without a time or an id of its own takes those of its frame", () => {
    const values = systemValues({}, NULL_VALUE);
    values[6] = NULL_VALUE;
    values[10] = NULL_VALUE;
    const record = readOne(SERVICE, values);
    expect([record.timeText, record.recordId]).toEqual(["2024-03-01T10:00:00.1234567Z", "1"]);
  });

  test("with a 32-bit event id gives id and qualifiers apart", () => {
    const values = systemValues({}, NULL_VALUE);
    values[3] = value.uint32(0xc000_1b77);
    values[4] = NULL_VALUE;
    const record = readOne(SERVICE, values);
    expect([record.eventId, record.qualifiers]).toEqual([7_031, 0xc000]);
  });

  test("of a classic source without a provider's name goes by its source name", () => {
    const root = [element("Event", {}, element("System", {}, element("Provider", { EventSourceName: "BugCheck" })))];
    const record = readOne({ root }, []);
    expect([record.provider, record.eventSourceName, record.eventId, record.section]).toEqual([
      "BugCheck",
      "BugCheck",
      0,
      "none",
    ]);
  });

  test("that a collector rendered keeps its message", () => {
    const body = element("RenderingInfo", { Culture: "en-US" }, element("Message", {}, "It stopped."));
    expect(readOne(eventTemplate("Test", body), systemValues()).message).toBe("It stopped.");
  });

  test("of binary XML without any template is read", () => {
    const writer = new ChunkWriter();
    writer.recordOf(1n, BASE_TIME, (w) => {
      w.raw(Uint8Array.of(0x0f, 1, 1, 0));
      w.nodes([element("Event", {}, element("System", {}, element("Channel", {}, "System")))], false);
      w.raw(Uint8Array.of(0));
    });
    expect(recordsOf(readChunk(writer.finish(), 0).items).map((record) => record.channel)).toEqual(["System"]);
  });
});

describe("event data", () => {
  test("of a classic source are unnamed, one for each string of the array, empty ones too", () => {
    const body = eventData(element("Data", {}, substitution(17)), element("Binary", {}, substitution(18)));
    expect(dataOf(body, value.texts("10.00.", "", "Free"), value.binary(0xe1, 7))).toEqual([
      ["", "10.00."],
      ["", ""],
      ["", "Free"],
      ["Binary", "E107"],
    ]);
  });

  test("have no Binary when it is empty", () => {
    const body = eventData(element("Data", {}, substitution(17)), element("Binary", {}, substitution(18)));
    expect(dataOf(body, value.texts("x"), value.binary())).toEqual([["", "x"]]);
  });

  test("of an array without items are one empty value", () => {
    expect(dataOf(eventData(element("Data", { Name: "list" }, substitution(17))), value.texts())).toEqual([
      ["list", ""],
    ]);
  });

  test("keep repeated, empty and dangerous names", () => {
    const names = ["a", "a", "", "__proto__"];
    const fields = names.map((name, i) => element("Data", { Name: name }, substitution(17 + i)));
    expect(dataOf(eventData(...fields), ...names.map((_, i) => value.uint8(i)))).toEqual([
      ["a", "0"],
      ["a", "1"],
      ["", "2"],
      ["__proto__", "3"],
    ]);
  });

  test("leave out an optional value that is null, and keep one that is not optional", () => {
    const fields = [
      element("Data", { Name: "optional" }, substitution(17, true)),
      element("Data", { Name: "plain" }, substitution(17)),
      element("Data", { Name: "last" }, substitution(18)),
    ];
    expect(dataOf(eventData(...fields), NULL_VALUE, value.text("x"))).toEqual([
      ["plain", ""],
      ["last", "x"],
    ]);
  });

  test("put text, references, sections and values of one element together", () => {
    const field = element(
      "Data",
      { Name: "mixed" },
      "a ",
      token.entity("amp"),
      token.character(0x263a),
      token.cdata("<b>"),
      substitution(17),
    );
    expect(dataOf(eventData(field), value.uint16(7))).toEqual([["mixed", "a &☺<b>7"]]);
  });

  test("of complex data go by its name", () => {
    expect(dataOf(eventData(element("ComplexData", { Name: "IdleState" }, substitution(17))), value.binary(1))).toEqual(
      [["IdleState", "01"]],
    );
  });

  test("in a fragment without a template are read", () => {
    const body = substitution(17, true);
    const fragment = value.fragment(eventData(element("Data", { Name: "a" }, "1"), element("Data", {}, "2")));
    expect(dataOf(body, fragment)).toEqual([
      ["a", "1"],
      ["", "2"],
    ]);
  });

  test("in a template inside a template are read", () => {
    expect(dataOf(token.instance(dataTemplate("x"), [value.text("deep")]))).toEqual([["x", "deep"]]);
  });

  test("that a template asks for and an instance lacks are empty", () => {
    expect(dataOf(eventData(element("Data", { Name: "missing" }, substitution(200))))).toEqual([["missing", ""]]);
  });
});

describe("user data", () => {
  const fields = [
    element("Name", {}, substitution(0)),
    element("Object", { type: "CRL", constant: substitution(1) }),
    element("Action", {}, element("Result", { value: substitution(1) }), element("Text", {}, "done")),
  ];
  const values = [value.text("VM1"), value.uint8(2)];
  const expected = {
    section: "UserData",
    dataElement: "VmlEventLog",
    data: {
      names: ["Name", "Object.type", "Object.constant", "Action.Result.value", "Action.Text"],
      values: ["VM1", "CRL", "2", "2", "done"],
    },
  };

  test("are named by their elements, nested ones with dots, attributes too", () => {
    const inner = { root: [element("UserData", {}, element("VmlEventLog", { xmlns: "urn:x" }, ...fields))] };
    const template = eventTemplate("Test", substitution(17, true));
    expect(readOne(template, systemValues({}, value.nested(inner, values)))).toMatchObject(expected);
  });

  test("whose element stands in the event's own template are the same", () => {
    const inner = { root: [element("VmlEventLog", {}, ...fields)] };
    const template = eventTemplate("Test", element("UserData", {}, substitution(17, true)));
    expect(readOne(template, systemValues({}, value.nested(inner, values)))).toMatchObject(expected);
  });

  test("that are only text are one unnamed value", () => {
    const template = eventTemplate("Test", element("UserData", {}, element("Note", {}, "plain")));
    expect(readOne(template, systemValues())).toMatchObject({
      dataElement: "Note",
      data: { names: [""], values: ["plain"] },
    });
  });
});

describe("other sections", () => {
  test("give what did not fit the manifest", () => {
    const body = element(
      "ProcessingErrorData",
      {},
      element("ErrorCode", {}, "15005"),
      element("DataItemName", {}, "param1"),
      element("EventPayload", {}, substitution(17)),
    );
    expect(readOne(eventTemplate("Test", body), systemValues({}, value.binary(0xab)))).toMatchObject({
      section: "ProcessingErrorData",
      data: { names: ["ErrorCode", "DataItemName", "EventPayload"], values: ["15005", "param1", "AB"] },
    });
  });

  test("give bytes as Binary", () => {
    const body = element("BinaryEventData", {}, substitution(17));
    expect(readOne(eventTemplate("Test", body), systemValues({}, value.binary(0xab, 1)))).toMatchObject({
      section: "BinaryEventData",
      data: { names: ["Binary"], values: ["AB01"] },
    });
  });
});

describe("a selection", () => {
  function mixed(): Uint8Array {
    const writer = new ChunkWriter();
    for (const [i, eventId] of [7_036, 7_031, 7_036, 7_040].entries()) {
      writer.record(serviceEvent(SERVICE, PARAMETERS, { eventId, recordId: BigInt(i + 1) }));
    }
    return writer.finish();
  }

  test("decodes what it names and counts the rest by kind, with first and last", () => {
    const { items, skipped } = readChunk(mixed(), 0, { select: (_, eventId) => eventId === 7_031 });
    expect(recordsOf(items).map((record) => record.eventId)).toEqual([7_031]);
    const at = Date.parse("2024-03-01T10:00:00.123Z");
    const kind = { provider: "Service Control Manager", channel: "System", computer: "hv11.contoso.com" };
    expect(skipped).toEqual([
      { ...kind, eventId: 7_036, count: 2, firstId: "1", lastId: "3", firstAt: at, lastAt: at },
      { ...kind, eventId: 7_040, count: 1, firstId: "4", lastId: "4", firstAt: at, lastAt: at },
    ]);
  });

  test("is asked with provider, id and channel", () => {
    const asked: unknown[] = [];
    readChunk(mixed(), 0, {
      select: (...kind) => {
        asked.push(kind);
        return true;
      },
    });
    expect(asked).toContainEqual(["Service Control Manager", 7_031, "System"]);
  });

  test("also judges records that only the plain way can read", () => {
    const writer = new ChunkWriter();
    writer.recordOf(1n, BASE_TIME, (w) => {
      w.nodes([element("Event", {}, element("System", {}, element("EventID", {}, "41")))], false);
      w.raw(Uint8Array.of(0));
    });
    const chunk = writer.finish();
    expect(readChunk(chunk, 0, { select: () => false })).toMatchObject({
      items: [],
      skipped: [{ eventId: 41, count: 1 }],
    });
    expect(recordsOf(readChunk(chunk, 0, { select: (_, id) => id === 41 }).items)).toHaveLength(1);
  });
});

describe("a damaged chunk", () => {
  function three(): { chunk: Uint8Array; offsets: number[] } {
    const writer = new ChunkWriter();
    const offsets = [1n, 2n, 3n].map((recordId) => writer.record(serviceEvent(SERVICE, PARAMETERS, { recordId })));
    return { chunk: writer.finish(), offsets };
  }

  test("with a wrong checksum is told and read", () => {
    const { chunk } = three();
    new DataView(chunk.buffer).setUint32(52, 1, true);
    const { items } = readChunk(chunk, 8_192);
    expect(items[0]).toMatchObject({ ok: false, failure: { reason: "evtx.chunk-checksum", offset: 8_192 } });
    expect(recordsOf(items)).toHaveLength(3);
    expect(reasonsOf(readChunk(chunk, 0, { crc32: false }).items)).toEqual([]);
  });

  test("is read up to a broken record, and behind it when recovery is asked for", () => {
    const { chunk, offsets } = three();
    const broken = offsets[1] ?? 0;
    new DataView(chunk.buffer).setUint32(broken + 4, 0, true);
    const plain = readChunk(chunk, 0, { crc32: false }).items;
    expect(recordsOf(plain).map((record) => record.storedId)).toEqual(["1"]);
    expect(plain[1]).toMatchObject({ failure: { reason: "evtx.record-frame", offset: broken } });
    const recovered = recordsOf(readChunk(chunk, 0, { crc32: false, recover: true }).items);
    expect(recovered.map((record) => [record.storedId, record.isRecovered])).toEqual([
      ["1", false],
      ["3", true],
    ]);
  });

  test("loses one record to broken binary XML and keeps the others", () => {
    const { chunk, offsets } = three();
    chunk[(offsets[1] ?? 0) + 24 + 4] = 0x7e;
    const { items } = readChunk(chunk, 0, { crc32: false });
    expect(items.map((item) => item.ok)).toEqual([true, false, true]);
    expect(reasonsOf(items)).toEqual(["evtx.binxml"]);
  });

  test("that the file cuts is told; recovery gives its whole records", () => {
    const { chunk, offsets } = three();
    const cut = chunk.subarray(0, (offsets[2] ?? 0) + 10);
    expect(reasonsOf(readChunk(cut, 0).items)).toEqual(["evtx.cut-chunk"]);
    expect(recordsOf(readChunk(cut, 0, { recover: true }).items).map((record) => record.storedId)).toEqual(["1", "2"]);
  });

  test("without its signature is no chunk", () => {
    expect(reasonsOf(readChunk(new Uint8Array(65_536).fill(7), 0).items)).toEqual(["evtx.chunk-magic"]);
  });

  test("whose old records lie behind the free space does not give them", () => {
    const { chunk, offsets } = three();
    new DataView(chunk.buffer).setUint32(48, offsets[2] ?? 0, true);
    expect(recordsOf(readChunk(chunk, 0, { crc32: false }).items)).toHaveLength(2);
  });
});

describe("hostile binary XML", () => {
  test("a template that names itself ends as a failure", () => {
    const writer = new ChunkWriter();
    const loop: TemplateSpec = { root: [element("Event", {}, { write: (w) => w.instance(loop, []) })] };
    writer.record({ template: loop, values: [] });
    expect(reasonsOf(readChunk(writer.finish(), 0).items)).toEqual(["evtx.limit"]);
  });

  test("elements without end inside each other end as a failure", () => {
    let deep: SpecNode = "x";
    for (let i = 0; i < 100; i += 1) deep = element("a", {}, deep);
    const writer = new ChunkWriter();
    writer.record({ template: { root: [deep] }, values: [] });
    expect(reasonsOf(readChunk(writer.finish(), 0).items)).toEqual(["evtx.limit"]);
  });

  test.each([
    ["in event data", eventData],
    ["in mixed content", (...nodes: readonly SpecNode[]) => element("x", {}, "text", ...nodes)],
  ])("a value asked for a thousand times ends as a failure %s", (_, wrap) => {
    const fields = Array.from({ length: 1_000 }, () => element("Data", {}, substitution(17)));
    const writer = new ChunkWriter();
    const template = eventTemplate("Test", wrap(...fields));
    writer.record({ template, values: systemValues({}, value.text("x".repeat(5_000))) });
    expect(reasonsOf(readChunk(writer.finish(), 0).items)).toEqual(["evtx.limit"]);
  });

  test("hundreds of records with a thousand fields each are read up to the limit of a chunk, and no further", () => {
    const writer = new ChunkWriter();
    const fields = Array.from({ length: 1_500 }, () => element("Data", {}, substitution(0)));
    const template = { root: [element("Event", {}, element("System", {}), eventData(...fields))] };
    for (let i = 0; i < 600; i += 1) writer.record({ template, values: [] });
    const { items } = readChunk(writer.finish(), 0);
    expect(items).toHaveLength(600);
    expect(recordsOf(items)).toHaveLength(266);
    expect(new Set(reasonsOf(items))).toEqual(new Set(["evtx.limit"]));
  });

  test("one array asked for a thousand times ends as a failure", () => {
    const fields = Array.from({ length: 1_000 }, () => element("Data", {}, substitution(17)));
    const writer = new ChunkWriter();
    const items = value.raw(0x84, new Uint8Array(30_000));
    writer.record({ template: eventTemplate("Test", eventData(...fields)), values: systemValues({}, items) });
    expect(reasonsOf(readChunk(writer.finish(), 0).items)).toEqual(["evtx.limit"]);
  });

  test("a template that cannot be read is looked at once, however many records have it", () => {
    const writer = new ChunkWriter();
    const broken: TemplateSpec = { root: [{ write: (w) => w.raw(Uint8Array.of(0x1f)) }, "x".repeat(20_000)] };
    for (let i = 0; i < 200; i += 1) writer.record({ template: broken, values: [] });
    writer.record(serviceEvent(SERVICE, PARAMETERS));
    const { items } = readChunk(writer.finish(), 0);
    expect(new Set(reasonsOf(items))).toEqual(new Set(["evtx.binxml"]));
    expect(recordsOf(items)).toHaveLength(1);
  });

  test("templates nested so that each level doubles end as a failure", () => {
    const writer = new ChunkWriter();
    const double: TemplateSpec = { root: [element("a", {}, substitution(0), substitution(0))] };
    let inner: ValueSpec = value.text("x");
    for (let i = 0; i < 15; i += 1) inner = value.nested(double, [inner]);
    writer.record({ template: double, values: [inner] });
    expect(reasonsOf(readChunk(writer.finish(), 0).items)).toEqual(["evtx.limit"]);
  });
});
