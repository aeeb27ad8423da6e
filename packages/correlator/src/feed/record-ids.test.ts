import { HOUR_MS, MINUTE_MS } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  GAP_MIN,
  type IdFinding,
  type IdRun,
  type LogIds,
  noteIds,
  REPORT_RUN,
  settleIds,
  startLog,
} from "./record-ids.ts";

const T = Date.parse("2026-03-10T02:00:00Z");

/** A record every second. */
function run(first: number, last = first, more: Partial<IdRun> = {}): IdRun {
  return { first, last, from: T + first * 1_000, to: T + last * 1_000, isWhole: true, heardMs: last * 1_000, ...more };
}

function logOf([first, ...rest]: readonly IdRun[]): LogIds {
  const log = startLog(first as IdRun);
  for (const one of rest) noteIds(log, one);
  return log;
}

function settled(runs: readonly IdRun[]): readonly IdFinding[] {
  return settleIds(logOf(runs), Number.POSITIVE_INFINITY);
}

test("F37 a gap in a log that was whole is told once late records had their time", () => {
  const log = logOf([run(1, REPORT_RUN), run(REPORT_RUN + 51, REPORT_RUN + 60)]);
  expect(settleIds(log, REPORT_RUN * 1_000 + HOUR_MS)).toEqual([]);
  expect(settleIds(log, REPORT_RUN * 1_000 + 4 * HOUR_MS)).toEqual([
    { kind: "gap", first: 501, last: 550, from: T + 500_000, to: T + 551_000 },
  ]);
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toEqual([]);
});

test("what comes late fills its gap", () => {
  const late = run(REPORT_RUN + 1, REPORT_RUN + 50);
  expect(settled([run(1, REPORT_RUN), run(REPORT_RUN + 51, REPORT_RUN + 60), late])).toEqual([]);
});

test("a forwarder that selects makes no gaps, however many records it leaves out", () => {
  const selected = Array.from({ length: 2_000 }, (_, i) => run(1 + i * 50));
  expect(settled(selected)).toEqual([]);
  // Even where it sends whole stretches now and then.
  expect(settled(Array.from({ length: 60 }, (_, i) => run(1 + i * 400, i * 400 + 300)))).toEqual([]);
});

test("a selection that leaves out few records makes gaps too small to tell", () => {
  expect(settled([run(1, 5_000), run(5_001 + GAP_MIN - 1, 9_000)])).toEqual([]);
});

test("after a gap it takes twice as long until a log counts as whole again", () => {
  const log = logOf([run(1, 600), run(700, 1_400), run(1_500, 2_000)]);
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toMatchObject([{ kind: "gap", first: 601 }]);
  noteIds(log, run(2_001, 3_000));
  noteIds(log, run(3_100, 3_200));
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toEqual([]);
});

test("a summary with holes says that the log is not whole", () => {
  expect(settled([run(1, 800), run(801, 2_000, { isWhole: false }), run(3_000, 3_100)])).toEqual([]);
});

const anew = (first: number, last: number): IdRun =>
  run(first, last, { from: T + 90_000_000, to: T + 90_000_000 + last });

test("F37 lower ids with later times are a log that began anew", () => {
  expect(settled([run(1, 800), anew(1, 3)])).toEqual([{ kind: "anew", before: 800, after: 1, at: T + 90_000_000 }]);
  expect(settled([run(1, 800), anew(1, 2)])).toEqual([]);
});

test("a fresh start waits for the record that shows it is none, and goes on counting from there", () => {
  const log = logOf([run(1, 800), anew(1, 3)]);
  expect(settleIds(log, 3_000 + 10 * MINUTE_MS)).toEqual([]);
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toHaveLength(1);
  noteIds(log, anew(4, 5));
  expect(log.top).toBe(5);
  // What comes late of the time before is not a gap of the time after.
  noteIds(log, run(801, 805));
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toEqual([]);
});

test("a sender that counts from one with each start is told once", () => {
  const log = logOf([run(1, 800)]);
  const found = [1, 2, 3].flatMap((day) => {
    noteIds(log, run(1, 3, { from: T + day * 90_000_000, to: T + day * 90_000_000 + 3 }));
    return settleIds(log, Number.POSITIVE_INFINITY);
  });
  expect(found).toHaveLength(1);
});

test("two machines of one name never begin anew", () => {
  const runs = Array.from({ length: 40 }, (_, i) => {
    const at = { from: T + i * MINUTE_MS, to: T + i * MINUTE_MS, heardMs: i * MINUTE_MS };
    return i % 2 === 0 ? run(100 + i, 100 + i, at) : run(90_000 + i, 90_000 + i, at);
  });
  expect(settled(runs).filter(({ kind }) => kind === "anew")).toEqual([]);
});

test("a clock that was set back is neither a gap nor a fresh start", () => {
  const back = (first: number, last: number): IdRun => run(first, last, { from: T - HOUR_MS, to: T - HOUR_MS + last });
  expect(settled([run(1, 800), back(801, 900), run(750, 800), back(801, 900), run(901, 1_000)])).toEqual([]);
});

test("ids that lead up to the first that came are of before, when a clock was set back", () => {
  const before = run(116, 290, { from: T + 90_000_000, to: T + 91_000_000 });
  expect(settled([run(291, 310), before])).toEqual([]);
});

test("a stretch with a wrong time that fills its gap is not a fresh start", () => {
  const wrong = run(501, 520, { from: T + 900_000_000, to: T + 900_000_020 });
  const log = logOf([run(1, 500), run(521, 900)]);
  settleIds(log, Number.POSITIVE_INFINITY);
  noteIds(log, wrong);
  expect(settleIds(log, Number.POSITIVE_INFINITY)).toEqual([]);
});

test("any order within the wait, and any repeats, end with the same findings", () => {
  // The first to come need not be the first: the run may begin a little later.
  const lost = fc.integer({ min: 600, max: 900 });
  fc.assert(
    fc.property(lost, fc.integer({ min: 0, max: 60 }), fc.infiniteStream(fc.nat(999)), (from, size, random) => {
      const whole = Array.from({ length: 1_000 }, (_, i) => i + 1).filter((id) => id < from || id >= from + size);
      // Each record is moved by up to fifteen places and every tenth comes twice.
      const moved = whole
        .flatMap((id) => (id % 10 === 0 ? [id, id] : [id]))
        .map((id) => ({ id, at: id + ((random.next().value ?? 0) % 16) }))
        .sort((a, b) => a.at - b.at);
      const found = settled(moved.map(({ id }) => run(id)));
      expect(found.map(({ kind }) => kind)).toEqual(size >= GAP_MIN ? ["gap"] : []);
      expect(found).toEqual(settled(whole.map((id) => run(id))));
    }),
    { numRuns: 60 },
  );
});
