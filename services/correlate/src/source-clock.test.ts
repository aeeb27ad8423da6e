import { expect, test } from "vitest";
import { SourceClock } from "./source-clock.ts";

const IN_FLIGHT_MS = 2_000;

test("before anything is known there is nothing to tell; an empty source tells how far it was looked at", () => {
  const clock = new SourceClock("s", undefined);
  expect(clock.now(undefined, 0)).toBeUndefined();
  expect(clock.now(50_000, 0)).toEqual({ source: "s", since: 48_000, through: 48_000 });
});

test("F31 log time is the newest arrival, and runs on with the log's time while nothing comes", () => {
  const clock = new SourceClock("s", undefined);
  clock.read(100_000, 90_000);
  clock.read(101_000, 70_000);
  expect(clock.now(undefined, 0)).toEqual({ source: "s", at: 90_000, since: 100_001, through: 101_000 });
  const at = 150_000 - IN_FLIGHT_MS;
  expect(clock.now(150_000, 0)).toEqual({ source: "s", at: at - 10_000, since: at, through: at });
});

test("time does not run on while there is more to read", () => {
  const clock = new SourceClock("s", undefined);
  clock.read(100_000, 90_000);
  const at = clock.now(150_000, 50_000)?.at;
  expect([160_000, 170_000].map((elapsed) => clock.now(150_000, elapsed)?.at)).toEqual([at, at]);
});

test("a record that was delayed on its way does not turn time back", () => {
  const clock = new SourceClock("s", undefined);
  clock.read(100_000, 99_000);
  const before = clock.now(200_000, 0)?.at ?? 0;
  clock.read(300_000, 100_000);
  expect(clock.now(310_000, 110_000)?.at).toBeGreaterThanOrEqual(before);
  expect(clock.now(310_000, 110_000)?.at).toBe(310_000 - IN_FLIGHT_MS - 1_000);
});

test("F33 our wall clock steps back an hour: time goes on all the same", () => {
  const clock = new SourceClock("s", undefined);
  const start = 10_000_000;
  clock.read(start, start);
  expect(clock.now(start + 60_000, 60_000)?.at).toBe(start + 60_000 - IN_FLIGHT_MS);
  for (const elapsed of [61_000, 62_000, 63_000]) {
    const wall = start + elapsed - 3_600_000;
    clock.read(wall, wall);
    expect(clock.now(wall, elapsed)?.at).toBe(start + elapsed - IN_FLIGHT_MS);
  }
});

test("the next owner's time goes on where it was, also while nothing comes", () => {
  const first = new SourceClock("s", undefined);
  first.read(100_000, 99_000);
  const stored: unknown = JSON.parse(JSON.stringify(first.stored));
  const second = new SourceClock("s", stored);
  expect(second.newest).toBe(99_000);
  expect(second.now(162_000, 5)?.at).toBe(162_000 - IN_FLIGHT_MS - 1_000);
  for (const other of [5, null, { at: "x" }]) expect(new SourceClock("s", other).stored).toBeUndefined();
});
