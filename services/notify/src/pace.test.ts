import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";
import { Breaker } from "./breaker.ts";
import { Rate } from "./rate.ts";

describe("the wait before the next try", () => {
  test("is what the target asked for, and at most a second more", () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.nat(100_000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, asked, random) => {
          const wait = backoffMs(attempt + 1, asked, random);
          expect(wait).toBeGreaterThanOrEqual(asked);
          expect(wait).toBeLessThanOrEqual(asked + 1_000);
        },
      ),
    );
  });

  test("else grows to a quarter of an hour, with full jitter, and is never nothing", () => {
    expect(backoffMs(1, undefined, 0.999)).toBeLessThan(2_000);
    expect(backoffMs(4, undefined, 0.5)).toBe(8_000);
    expect(backoffMs(500, undefined, 0.999)).toBeLessThanOrEqual(900_000);
    expect(backoffMs(1, undefined, 0)).toBe(100);
  });
});

describe("the breaker", () => {
  test("opens after five failures in a row, lets one try after the pause, and doubles the pause", () => {
    const breaker = new Breaker();
    for (let n = 0; n < 4; n += 1) breaker.failed(0);
    expect([breaker.isOpen, breaker.waitMs(0)]).toEqual([false, 0]);
    breaker.failed(0);
    expect([breaker.isOpen, breaker.waitMs(0)]).toEqual([true, 30_000]);
    expect(breaker.waitMs(30_000)).toBe(0);
    breaker.failed(30_000);
    expect(breaker.waitMs(30_000)).toBe(60_000);
    for (let n = 0; n < 50; n += 1) breaker.failed(100_000);
    expect(breaker.waitMs(100_000)).toBe(300_000);
    breaker.succeeded();
    expect([breaker.isOpen, breaker.waitMs(100_000)]).toEqual([false, 0]);
  });
});

describe("the rate", () => {
  test("never lets more through than the burst and the rate together, whatever the clock does", () => {
    const steps = fc.array(fc.integer({ min: -60_000, max: 60_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 120 }),
        (moves, burst, perMinute) => {
          const rate = new Rate({ burst, perMinute }, 0);
          let now = 0;
          let latest = 0;
          let sent = 0;
          for (const move of moves) {
            now += move;
            latest = Math.max(latest, now);
            if (rate.waitMs(now) > 0) continue;
            rate.take(now);
            sent += 1;
          }
          expect(sent).toBeLessThanOrEqual(burst + (latest * perMinute) / 60_000 + 1e-6);
        },
      ),
    );
  });

  test("says how long to wait", () => {
    const rate = new Rate({ burst: 1, perMinute: 6 }, 0);
    rate.take(0);
    expect(rate.waitMs(0)).toBe(10_000);
    expect(rate.waitMs(10_000)).toBe(0);
  });
});
