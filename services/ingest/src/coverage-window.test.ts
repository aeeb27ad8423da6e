import type { Coverage, HostId } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CoverageWindow, STRETCHES_MAX } from "./coverage-window.ts";

const host = "hv11" as HostId;
const SECOND = 1_000;

/** One record of a log. */
function record(n: { at: number; recordId?: number; channel?: string }): Coverage {
  const { at, recordId, channel = "System" } = n;
  const ids = recordId === undefined ? {} : { firstRecordId: recordId, lastRecordId: recordId };
  return { host, channel, from: at, to: at, count: 1, ...ids };
}

function noted(ids: readonly number[]): readonly Coverage[] {
  const window = new CoverageWindow();
  for (const id of ids) window.note(record({ at: id * SECOND, recordId: id }));
  return window.rest();
}

test("an unbroken run in any order, with repeats, is one summary with an exact count", () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 }),
      fc.array(fc.integer({ min: 1, max: 7 })),
      (ids, again) => {
        expect(noted([...ids, ...again])).toEqual([
          { host, channel: "System", from: SECOND, to: 7 * SECOND, count: 7, firstRecordId: 1, lastRecordId: 7 },
        ]);
      },
    ),
  );
});

test("a summary never claims a record that did not arrive", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (ids) => {
      const arrived = new Set(ids);
      const claimed = new Set<number>();
      for (const { count, firstRecordId = 0, lastRecordId = -1 } of noted(ids)) {
        const span = lastRecordId - firstRecordId + 1;
        expect(count).toBeLessThanOrEqual(span);
        if (count < span) continue;
        for (let id = firstRecordId; id <= lastRecordId; id += 1) claimed.add(id);
      }
      for (const id of claimed) expect(arrived.has(id), `${id}`).toBe(true);
    }),
  );
});

test("how many runs of one log are kept apart is bounded; a joined one admits its hole", () => {
  const ids = Array.from({ length: STRETCHES_MAX + 1 }, (_, n) => n * 10);
  const summaries = noted(ids);
  expect(summaries).toHaveLength(STRETCHES_MAX);
  expect(summaries.filter(({ count }) => count > 1)).toMatchObject([{ count: 2, firstRecordId: 0, lastRecordId: 10 }]);
});

test("a log that was cleared and counts anew is not joined with what it was", () => {
  const window = new CoverageWindow();
  window.note(record({ at: 0, recordId: 1 }));
  window.note(record({ at: 10 * SECOND, recordId: 2 }));
  window.note(record({ at: 3_600 * SECOND, recordId: 1 }));
  expect(window.rest().map(({ from, to, count }) => [from / SECOND, to / SECOND, count])).toEqual([
    [0, 10, 2],
    [3_600, 3_600, 1],
  ]);
});

test("a log without record ids is one stretch of arrivals", () => {
  const window = new CoverageWindow();
  for (const at of [5, 1, 9, 1]) window.note(record({ channel: "FileLog/cluster.log", at }));
  expect(window.rest()).toEqual([{ host, channel: "FileLog/cluster.log", from: 1, to: 9, count: 4 }]);
});

test("channels differ by name but not by case, and hosts are kept apart", () => {
  const window = new CoverageWindow();
  window.note(record({ at: 1, recordId: 1 }));
  window.note(record({ channel: "SYSTEM", at: 2, recordId: 2 }));
  window.note({ ...record({ at: 3, recordId: 3 }), host: "hv12" as HostId });
  expect(window.rest().map(({ host: of, count }) => [of, count])).toEqual([
    ["hv11", 2],
    ["hv12", 1],
  ]);
});

test("what could not be stored is given back and joins what came since", () => {
  const window = new CoverageWindow();
  window.note(record({ at: 1, recordId: 1 }));
  const summaries = window.due(0);
  window.note(record({ at: 2, recordId: 2 }));
  window.giveBack(summaries);
  expect(window.rest()).toMatchObject([{ count: 2, firstRecordId: 1, lastRecordId: 2 }]);
});

test("a log that fell silent is forgotten after a minute", () => {
  const window = new CoverageWindow();
  window.note(record({ at: 1, recordId: 1 }));
  expect(window.due(0)).toHaveLength(1);
  expect(window.logs).toBe(1);
  expect(window.due(60_000)).toEqual([]);
  expect(window.logs).toBe(0);
});
