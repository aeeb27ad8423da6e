import { expect, test } from "vitest";
import { AttemptLimit } from "./attempt-limit.ts";
import { settableClock } from "./clock.ts";

test("after so many wrong attempts a name waits for the rest of its minute, others do not", async () => {
  const clock = settableClock(0);
  const limit = new AttemptLimit(2, clock);
  limit.wrong("a");
  expect(limit.waitSeconds("a")).toBe(0);
  await clock.advance(20_000);
  limit.wrong("a");
  expect([limit.waitSeconds("a"), limit.waitSeconds("b")]).toEqual([40, 0]);
  await clock.advance(40_000);
  expect(limit.waitSeconds("a")).toBe(0);
  limit.wrong("a");
  expect(limit.waitSeconds("a")).toBe(0);
});

test("remembers no more than ten thousand names, the oldest go first", () => {
  const limit = new AttemptLimit(1, settableClock(0));
  for (let n = 0; n <= 10_000; n += 1) limit.wrong(String(n));
  expect([limit.waitSeconds("0"), limit.waitSeconds("1")]).toEqual([0, 60]);
});
