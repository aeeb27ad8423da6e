import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EvtOptions, isEvt, readEvt } from "./evt.ts";
import { evtFile, evtRecord } from "./testing/evt-writer.ts";
import { toXml } from "./xml.ts";

const SAMPLE = fileURLToPath(new URL("../../../../shared/corpora/log2timeline-plaso/SysEvent.Evt", import.meta.url));
const hasSample = existsSync(SAMPLE);
if (!hasSample) console.log("left out: classic event log of the corpus (no shared corpora beside the repository)");

function numbers(bytes: Uint8Array, options?: EvtOptions): string[] {
  return Array.from(readEvt(bytes, options), (item) => (item.ok ? item.record.recordId : item.failure.reason));
}

const three = [1, 2, 3].map((number) => evtRecord({ number, strings: ["a", String(number)] }));
const size = 0x30 + three.reduce((sum, record) => sum + record.length, 0) + 0x28;

describe("a classic log", () => {
  test("gives a record's fields, its strings unnamed and its bytes as Binary", () => {
    const record = evtRecord({
      number: 1_392,
      eventId: 0xc000_1b77,
      type: 1,
      sid: [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0],
      strings: ["DHCP Client", "", "1"],
      data: [0xde, 0xad],
    });
    const [item] = readEvt(evtFile([record], { size: 1_024 }), { channel: "System" });
    expect(item).toMatchObject({
      ok: true,
      record: {
        offset: 0x30,
        storedId: "1392",
        recordId: "1392",
        provider: "Service Control Manager",
        eventSourceName: "Service Control Manager",
        eventId: 7_031,
        qualifiers: 0xc000,
        level: 2,
        keywords: "0x80000000000000",
        timeCreated: 1_311_748_907_000,
        timeText: "2011-07-27T06:41:47.0000000Z",
        channel: "System",
        computer: "HV11",
        userId: "S-1-5-18",
        section: "EventData",
        data: { names: ["", "", "", "Binary"], values: ["DHCP Client", "", "1", "DEAD"] },
      },
    });
  });

  test.each([
    [1, 2, "0x80000000000000"],
    [2, 3, "0x80000000000000"],
    [4, 4, "0x80000000000000"],
    [8, 0, "0xa0000000000000"],
    [16, 0, "0x90000000000000"],
    [0, 4, "0x80000000000000"],
  ])("of event type %i has level %i and keywords %s", (type, level, keywords) => {
    const [item] = readEvt(evtFile([evtRecord({ type })], { size: 1_024 }));
    expect(item).toMatchObject({ record: { level, keywords, section: "none" } });
  });

  test("is rendered as the XML that later Windows makes of it", () => {
    const [item] = readEvt(evtFile([evtRecord({ strings: ["a<b"], data: [1] })], { size: 1_024 }), {
      channel: "System",
    });
    if (item?.ok !== true) throw new Error("no record");
    expect(toXml(item.record)).toBe(
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
        "<Provider Name='Service Control Manager' EventSourceName='Service Control Manager'/>" +
        "<EventID Qualifiers='16384'>7036</EventID><Level>4</Level><Task>0</Task>" +
        "<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='2011-07-27T06:41:47.0000000Z'/>" +
        "<EventRecordID>1</EventRecordID><Correlation/><Execution/><Channel>System</Channel>" +
        "<Computer>HV11</Computer><Security/></System><EventData><Data>a&lt;b</Data><Binary>01</Binary></EventData></Event>",
    );
  });

  test("that has gone over its end gives the oldest first, wherever the ring is split", () => {
    for (let first = 0x30; first + 4 <= size + 100; first += 4) {
      expect([first, ...numbers(evtFile(three, { size: size + 100, first }))]).toEqual([first, "1", "2", "3"]);
    }
  });

  test("that was not closed is read to its end record, whatever its header says", () => {
    const file = evtFile(three, { size: 2_048, flags: 1 });
    const view = new DataView(file.buffer);
    view.setUint32(16, 0x30, true);
    view.setUint32(20, 0x30 + (three[0]?.length ?? 0), true);
    expect(numbers(file)).toEqual(["1", "2", "3"]);
  });

  test("without header or end record is searched for records", () => {
    const file = evtFile(three, { size: 2_048 });
    file.fill(0, 0, 0x30);
    file.fill(0, size - 0x28, size);
    expect(numbers(file)).toEqual(["evt.file-header", "1", "2", "3"]);
  });

  test("with a broken record loses that one alone", () => {
    const file = evtFile(three, { size: 2_048 });
    file[0x30 + (three[0]?.length ?? 0) + 5] = 0;
    expect(numbers(file)).toEqual(["1", "evt.record-frame", "3"]);
  });

  test("keeps old records outside of the ring to itself, unless recovery is asked for", () => {
    const file = evtFile(three, { size: 2_048 });
    file.set(evtRecord({ number: 99 }), 1_024);
    expect(numbers(file)).toEqual(["1", "2", "3"]);
    const recovered = Array.from(readEvt(file, { recover: true }), (item) => item.ok && item.record.isRecovered);
    expect(recovered).toEqual([false, false, false, true]);
  });

  test("is known by its signature", () => {
    expect(isEvt(evtFile([], { size: 0x58 }))).toBe(true);
    expect(isEvt(new Uint8Array(64))).toBe(false);
    expect(isEvt(new Uint8Array(3))).toBe(false);
    expect(numbers(new Uint8Array())).toEqual([]);
  });
});

describe("whatever the bytes", () => {
  const sound = evtFile(three, { size: size + 100, first: 200, flags: 1 });

  function exhaust(bytes: Uint8Array): void {
    for (const recover of [false, true]) {
      for (const item of readEvt(bytes, { recover })) {
        const offset = item.ok ? item.record.offset : item.failure.offset;
        expect(offset).toBeLessThan(bytes.length);
        if (item.ok) expect(toXml(item.record)).toMatch(/^<Event/);
      }
    }
  }

  test("random bytes are read without a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), exhaust));
  });

  test("a sound log with numbers changed or its end cut is read without a fault", () => {
    const likely = fc.oneof(fc.nat(1_000), fc.constantFrom(0, 0xffff_ffff, 0x7fff_ffff, 0x654c_664c));
    const change = fc.tuple(fc.nat(sound.length - 4), likely);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(sound.length), (changes, length) => {
        const file = sound.slice();
        const view = new DataView(file.buffer);
        for (const [at, n] of changes) view.setUint32(at & ~1, n, true);
        exhaust(file);
        exhaust(file.subarray(0, length));
      }),
      { numRuns: 1_000 },
    );
  });
});

test.runIf(hasSample)("the log of the corpus gives the 6,063 records that libevt finds", () => {
  const kinds = new Map<string, number>();
  for (const item of readEvt(readFileSync(SAMPLE))) {
    if (!item.ok) throw new Error(item.failure.detail);
    const kind = `${item.record.provider}/${item.record.eventId}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  expect([...kinds.values()].reduce((sum, count) => sum + count)).toBe(6_063);
  expect(kinds.get("Service Control Manager/7036")).toBe(2_487);
  expect(kinds.get("LSASRV/40961")).toBe(403);
  expect(kinds.get("NETLOGON/5719")).toBe(111);
  expect(kinds.get("atapi/9")).toBe(39);
});
