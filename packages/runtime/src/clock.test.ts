import { expect, test } from "vitest";
import { repeat, settableClock, systemClock } from "./clock.ts";

test("a settable clock wakes sleepers in the order of their deadlines, at their time", async () => {
  const clock = settableClock(1_000);
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  const all = [sleeper("b", 20), sleeper("a", 10), sleeper("c", 500)];
  await clock.advance(100);
  expect(woken).toEqual([
    ["a", 1_010],
    ["b", 1_020],
  ]);
  expect([clock.now(), clock.elapsed(), clock.sleepers]).toEqual([1_100, 100, 1]);
  expect(clock.firstDueMs).toBe(400);
  await clock.advance(400);
  await Promise.all(all);
  expect(woken.at(-1)).toEqual(["c", 1_500]);
  expect(clock.firstDueMs).toBeUndefined();
});

test("F33 stepping the wall clock back moves no deadline", async () => {
  const clock = settableClock(10_000_000);
  const slept = clock.sleep(50);
  clock.setWall(0);
  expect(clock.now()).toBe(0);
  await clock.advance(50);
  expect(await slept).toBe(true);
  expect([clock.now(), clock.elapsed()]).toEqual([50, 50]);
});

test.each([
  ["settable", settableClock(0)],
  ["system", systemClock],
] as const)("an aborted sleep on the %s clock ends at once and says so", async (_, clock) => {
  const stop = new AbortController();
  const slept = clock.sleep(60_000, stop.signal);
  stop.abort();
  expect(await slept).toBe(false);
  expect(await clock.sleep(60_000, stop.signal)).toBe(false);
});

test("work is repeated until stopped", async () => {
  const clock = settableClock(0);
  const stop = new AbortController();
  const at: number[] = [];
  const running = repeat({ clock, everyMs: 10, signal: stop.signal, work: () => void at.push(clock.now()) });
  await clock.advance(35);
  stop.abort();
  await running;
  expect(at).toEqual([10, 20, 30]);
});
