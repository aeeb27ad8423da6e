import { type Coverage, foldHost, type HostId } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addBlind,
  addCoverage,
  type CoverageMap,
  covers,
  emptyCoverage,
  lastActivityBefore,
  lastSeen,
} from "./coverage.ts";

const host = foldHost("HV11.contoso.com") as HostId;

function record(at: number, recordId?: number): Coverage {
  return {
    host,
    channel: "System",
    from: at,
    to: at,
    count: 1,
    ...(recordId === undefined ? {} : { firstRecordId: recordId, lastRecordId: recordId }),
  };
}

function mapOf(all: readonly Coverage[]): CoverageMap {
  const map = emptyCoverage();
  for (const one of all) addCoverage(map, one);
  return map;
}

test("records with consecutive ids cover the time between them, whatever its length", () => {
  const map = mapOf([record(1_000, 7), record(500_000_000, 8)]);
  expect(covers(map, "hv11", "system", 1_000, 500_000_000)).toBe(true);
});

test("a missing record id leaves the time around it unproven", () => {
  const map = mapOf([record(1_000, 7), record(3_000, 9)]);
  expect(covers(map, "hv11", "System", 1_000, 3_000)).toBe(false);
  addCoverage(map, record(2_000, 8));
  expect(covers(map, "hv11", "System", 1_000, 3_000)).toBe(true);
});

test("a summary with fewer records than its ids span proves its two ends only", () => {
  const map = mapOf([{ host, channel: "System", from: 0, to: 9_000, count: 3, firstRecordId: 1, lastRecordId: 9 }]);
  expect(covers(map, "hv11", "System", 0, 9_000)).toBe(false);
});

test("nothing is proven before the first record, after the last, or in another log", () => {
  const map = mapOf([record(1_000, 1), record(2_000, 2)]);
  expect(covers(map, "hv11", "System", 999, 2_000)).toBe(false);
  expect(covers(map, "hv11", "System", 1_000, 2_001)).toBe(false);
  expect(covers(map, "hv11", "Application", 1_000, 2_000)).toBe(false);
  expect(covers(map, "hv12", "System", 1_000, 2_000)).toBe(false);
  expect(lastSeen(map, "hv11", "System")).toBe(2_000);
});

test("a log without record ids is one stretch unless it is silent for a day", () => {
  const day = 86_400_000;
  const map = mapOf([record(0), record(day - 1), record(3 * day)]);
  expect(covers(map, "hv11", "System", 0, day - 1)).toBe(true);
  expect(covers(map, "hv11", "System", day, 3 * day)).toBe(false);
});

test("the last sign of life is the last record of any log before a moment", () => {
  const map = mapOf([record(1_000, 1), record(5_000, 2), { ...record(4_000), channel: "Application" }]);
  expect(lastActivityBefore(map, "hv11.contoso.com", 5_000)).toBe(4_000);
  expect(lastActivityBefore(map, "hv11", 1_000)).toBeUndefined();
});

test("a log that has begun anew proves nothing of the time between its old records and its new ones", () => {
  const [before, after] = [0, 900_000_000];
  const map = mapOf([1, 2, 3, 4].flatMap((id) => [record(before + id * 1_000, id), record(after + id * 1_000, id)]));
  addCoverage(map, record(after + 5_000, 5));
  expect(covers(map, "hv11", "System", before + 1_000, before + 4_000)).toBe(true);
  expect(covers(map, "hv11", "System", after + 1_000, after + 5_000)).toBe(true);
  expect(covers(map, "hv11", "System", before + 1_000, after + 5_000)).toBe(false);
});

test("while a host was silent that used to send, only record ids prove that nothing is missing", () => {
  const map = mapOf([record(1_000), record(9_000_000)]);
  const withIds = mapOf([record(1_000, 1), record(9_000_000, 2)]);
  addBlind(withIds, host, { from: 1_000, to: 9_000_000 });
  expect(covers(withIds, "hv11", "System", 500_000, 600_000)).toBe(true);
  addBlind(map, host, { from: 1_000, to: 9_000_000 });
  addBlind(map, host, { from: 1_000, to: 9_000_000 });
  expect(covers(map, "hv11", "System", 500_000, 600_000)).toBe(false);
  expect(map.blind.get("hv11")).toHaveLength(1);
});

test("any order of arrival proves the same", () => {
  const records = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(
      records.chain((ids) => fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length }))),
      ([ids, shuffled]) => {
        const of = (list: readonly number[]): CoverageMap => mapOf(list.map((id) => record(id * 1_000, id)));
        expect(of(shuffled)).toEqual(of(ids.toSorted((a, b) => a - b)));
      },
    ),
  );
});
