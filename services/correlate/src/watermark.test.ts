import fc from "fast-check";
import { expect, test } from "vitest";
import { SourceClock, type SourceTime } from "./source-clock.ts";
import { SOURCE_SILENT_MS, Watermark } from "./watermark.ts";

const NOTHING = Number.NEGATIVE_INFINITY;

function time(source: string, at: number | undefined, since: number, through: number): SourceTime {
  return { source, ...(at === undefined ? {} : { at }), since, through };
}

test("a source that is quiet holds nobody up, however old its last record", () => {
  const watermark = new Watermark(["a", "b", "c"], undefined);
  watermark.hear([time("a", 500_000, 900_001, 900_000)], 900_100);
  watermark.hear([time("b", 200_000, 700_001, 899_000), time("c", undefined, 901_000, 901_000)], 901_000);
  expect(watermark.at).toBe(200_000);
  watermark.hear([time("b", 200_000, 700_001, 900_001)], 902_000);
  expect(watermark.at).toBe(500_000);
});

test("F36 a source that has more to read is waited for", () => {
  const watermark = new Watermark(["a", "b"], undefined);
  for (let now = 900_000; now < 1_200_000; now += 1_000) {
    watermark.hear([time("a", now, now, now), time("b", 300_000, 400_001, 400_000)], now);
  }
  expect(watermark.at).toBe(300_000);
});

test("of several that are behind each other by turns the one that all have passed counts", () => {
  const watermark = new Watermark(["a", "b", "c"], undefined);
  watermark.hear([time("a", 100, 1_000, 1_000), time("b", 400, 1_300, 1_300), time("c", 10, 200, 1_200)], 1_300);
  expect(watermark.at).toBe(100);
  watermark.hear([time("c", 10, 200, 1_300), time("a", 100, 1_000, 1_300)], 1_400);
  expect(watermark.at).toBe(400);
});

test("nothing is known before every source was heard of; one that nobody owns is not waited for longer than its time", () => {
  const watermark = new Watermark(["a", "b"], undefined);
  const hearUntil = (from: number, to: number): void => {
    for (let now = from; now <= to; now += 1_000) watermark.hear([time("a", now, now, now)], now);
  };
  hearUntil(0, SOURCE_SILENT_MS);
  expect(watermark.at).toBe(NOTHING);
  hearUntil(SOURCE_SILENT_MS, SOURCE_SILENT_MS + 1_000);
  expect(watermark.at).toBe(SOURCE_SILENT_MS + 1_000);
});

test("after everybody was away nobody counts as silent", () => {
  const watermark = new Watermark(["a", "b"], undefined);
  watermark.hear([time("a", 1_000, 1_000, 1_000), time("b", 900, 1_000, 1_000)], 1_000);
  const later = 1_000 + 10 * SOURCE_SILENT_MS;
  watermark.hear([time("a", later, later, later)], later);
  expect(watermark.at).toBe(1_000);
});

test("what is stored goes on where it was, and knows only the sources there are", () => {
  const watermark = new Watermark(["a", "b"], undefined);
  watermark.hear([time("a", 700, 1_001, 1_000), time("b", 600, 1_001, 1_500)], 1_500);
  const stored: unknown = JSON.parse(JSON.stringify(watermark.stored));
  expect(new Watermark(["a", "b"], stored).at).toBe(700);
  const fewer = new Watermark(["b"], stored);
  fewer.hear([time("a", 9_000, 1_600, 1_600), time("b", 800, 1_600, 1_600)], 1_600);
  expect(fewer.at).toBe(800);
  for (const other of [null, 7, "x", [{ source: "a", at: 5, idleMs: 0 }], { sources: [null, { time: 4 }] }]) {
    expect(new Watermark(["a"], other).at).toBe(NOTHING);
  }
});

interface Taken {
  readonly source: number;
  readonly takenAt: number;
  readonly arrivedAt: number;
}

const SOURCES = 3;
const moves = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("take" as const), source: fc.nat(SOURCES - 1), ageMs: fc.nat(60_000) }),
    fc.record({ kind: fc.constant("read" as const), source: fc.nat(SOURCES - 1) }),
    fc.record({ kind: fc.constant("tell" as const), source: fc.nat(SOURCES - 1) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(5_000) }),
  ),
  { maxLength: 120 },
);

test("time never passes a record that is still to be read, unless it had passed it when the log took it", () => {
  fc.assert(
    fc.property(moves, (script) => {
      let now = 1_000_000;
      const log: Taken[] = [];
      const names = Array.from({ length: SOURCES }, (_, n) => `s${n}`);
      const clocks = names.map((name) => new SourceClock(name, undefined));
      const read = names.map(() => 0);
      const watermark = new Watermark(names, undefined);
      const unread = (source: number): readonly Taken[] =>
        log.filter((taken) => taken.source === source).slice(read[source]);
      for (const move of script) {
        switch (move.kind) {
          case "take":
            now += 1;
            log.push({ source: move.source, takenAt: now, arrivedAt: now - move.ageMs });
            break;
          case "read": {
            const next = unread(move.source)[0];
            if (next === undefined) break;
            clocks[move.source]?.read(next.takenAt, next.arrivedAt);
            read[move.source] = (read[move.source] ?? 0) + 1;
            break;
          }
          case "tell": {
            const told = clocks[move.source]?.now(unread(move.source).length === 0 ? now : undefined, now);
            if (told !== undefined) watermark.hear([told], now);
            break;
          }
          case "wait":
            now += move.ms;
        }
        for (const one of names.flatMap((_, source) => unread(source))) {
          const before = log.filter(({ takenAt }) => takenAt < one.takenAt);
          const passed = before.map(({ takenAt, arrivedAt }) => arrivedAt + (one.takenAt - takenAt));
          expect(watermark.at).toBeLessThanOrEqual(Math.max(one.arrivedAt, ...passed));
        }
      }
    }),
    { numRuns: 300 },
  );
});
