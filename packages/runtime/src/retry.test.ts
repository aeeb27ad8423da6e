import { Fault } from "@culprit/model";
import { expect, test } from "vitest";
import { settableClock } from "./clock.ts";
import { retry } from "./retry.ts";

const busy = new Fault("bus.busy", "busy", { retriable: true });

async function run(outcomes: readonly unknown[], options: Partial<Parameters<typeof retry>[1]> = {}) {
  const clock = settableClock(0);
  const pauses: number[] = [];
  let calls = 0;
  const work = async (attempt: number) => {
    expect(attempt).toBe(calls);
    const outcome = outcomes[Math.min(calls, outcomes.length - 1)];
    calls += 1;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const done = retry(work, { clock, random: () => 1, onRetry: (_, __, ms) => pauses.push(ms), ...options });
  const settled = Promise.allSettled([done]);
  await clock.advance(1_000_000);
  const [result] = await settled;
  return { calls, pauses, result };
}

test("a retriable fault is tried again with growing pauses until it works", async () => {
  const { calls, pauses, result } = await run([busy, busy, busy, "done"]);
  expect([calls, pauses, result]).toEqual([4, [50, 100, 200], { status: "fulfilled", value: "done" }]);
});

test("pauses are bounded, jittered by up to half, and tries run out", async () => {
  const { calls, pauses, result } = await run([busy], { retryCountMax: 3, maxMs: 120, random: () => 0 });
  expect([calls, pauses, result]).toEqual([4, [25, 50, 60], { status: "rejected", reason: busy }]);
});

test.each([new Fault("bus.closed", "closed"), new TypeError("bug")])("%s is not tried again", async (error) => {
  const { calls, result } = await run([error]);
  expect([calls, result]).toEqual([1, { status: "rejected", reason: error }]);
});

test("an aborted signal ends the pause with the fault that caused it", async () => {
  const stop = new AbortController();
  const { calls, result } = await run([busy], {
    retryCountMax: Number.POSITIVE_INFINITY,
    signal: stop.signal,
    onRetry: (_, attempt) => attempt === 2 && stop.abort(),
  });
  expect([calls, result]).toEqual([3, { status: "rejected", reason: busy }]);
});
