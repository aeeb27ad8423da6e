import fc from "fast-check";
import { expect, test } from "vitest";
import { committedRecords, messageOf, recordOf } from "./kafka-record.ts";
import type { FetchedPartition, FetchedRecord } from "./kafka-wire.ts";
import { partitionOf } from "./partition.ts";

const LIMITS = { partitions: 4, messageMaxBytes: 1_000 };
const PLACE = { topic: "t", partition: 0 };

function fetched(over: Partial<FetchedRecord> & { offset: number }): FetchedRecord {
  return {
    key: Buffer.from("k"),
    value: Buffer.from("1"),
    at: 5,
    headers: {},
    producerId: "-1",
    inTransaction: false,
    isControl: false,
    ...over,
  };
}

const marker = (offset: number, producerId: string, kind: "abort" | "commit"): FetchedRecord =>
  fetched({ offset, producerId, isControl: true, key: Buffer.from([0, 0, 0, kind === "abort" ? 0 : 1]) });
const inTransaction = (offset: number, producerId: string, key = "k"): FetchedRecord =>
  fetched({ offset, producerId, inTransaction: true, key: Buffer.from(key) });

function answer(records: FetchedRecord[], aborted: FetchedPartition["aborted"] = []): FetchedPartition {
  return { partition: 0, stableEnd: 100, aborted, records };
}

test("what goes in comes out: keys, values of any JSON, headers", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (key, value) => {
      const record = recordOf({ topic: "t", key, value, headers: { a: "1" } }, { ...LIMITS, messageMaxBytes: 1e9 });
      expect(record.partition).toBe(partitionOf(key, LIMITS.partitions));
      const back = messageOf({ ...fetched({ offset: 7 }), ...record }, PLACE);
      expect(back).toEqual({
        ...PLACE,
        offset: 7,
        at: 5,
        key,
        value: JSON.parse(JSON.stringify(value)),
        headers: { a: "1" },
      });
    }),
  );
});

test("bytes stay bytes, and what says it is JSON and is not is bytes too", () => {
  const bytes = Uint8Array.of(0, 255);
  const record = recordOf({ topic: "t", key: "", value: bytes }, LIMITS);
  expect(messageOf({ ...fetched({ offset: 0 }), ...record }, PLACE)).toMatchObject({ value: bytes, headers: {} });
  expect(messageOf(fetched({ offset: 0, value: Buffer.from("{oops") }), PLACE).value).toEqual(
    new Uint8Array(Buffer.from("{oops")),
  );
});

test("a message above the limit is refused, and so is a partition that is not there", () => {
  const large = { topic: "t", key: "", value: "x".repeat(1_000) };
  expect(() => recordOf(large, LIMITS)).toThrow(expect.objectContaining({ code: "bus.too-large" }));
  for (const partition of [-1, 4, 0.5]) {
    const nowhere = { topic: "t", key: "", value: 1, partition };
    expect(() => recordOf(nowhere, LIMITS)).toThrow(expect.objectContaining({ code: "bus.unknown-topic" }));
  }
});

test("records of an aborted transaction are not seen, those around and after it are", () => {
  const records = [
    fetched({ offset: 10 }),
    inTransaction(11, "7"),
    inTransaction(12, "8"),
    marker(13, "7", "abort"),
    marker(14, "8", "commit"),
    inTransaction(15, "7"),
    marker(16, "7", "commit"),
  ];
  const seen = committedRecords(answer(records, [{ producerId: "7", firstOffset: 11 }]), 10);
  expect(seen.records.map(({ offset }) => offset)).toEqual([10, 12, 15]);
  expect(seen.next).toBe(17);
});

test("two transactions that began before the first record of the answer are both kept apart", () => {
  const records = [inTransaction(20, "1"), inTransaction(21, "2"), inTransaction(22, "3")];
  const aborted = [
    { producerId: "2", firstOffset: 12 },
    { producerId: "1", firstOffset: 11 },
  ];
  expect(committedRecords(answer(records, aborted), 20).records.map(({ offset }) => offset)).toEqual([22]);
});

test("a key that looks like the marker of an abort ends no transaction", () => {
  const records = [inTransaction(1, "7"), inTransaction(2, "7", "\0\0\0\0"), inTransaction(3, "7")];
  expect(committedRecords(answer(records, [{ producerId: "7", firstOffset: 1 }]), 1).records).toEqual([]);
});

test("what lies before the position was seen already, and markers move the position on", () => {
  const records = [fetched({ offset: 3 }), fetched({ offset: 4 }), marker(5, "7", "commit")];
  const seen = committedRecords(answer(records), 4);
  expect(seen.records.map(({ offset }) => offset)).toEqual([4]);
  expect(seen.next).toBe(6);
  expect(committedRecords(answer([]), 4)).toEqual({ records: [], next: 4 });
});
