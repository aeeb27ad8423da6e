import fc from "fast-check";
import { expect, test } from "vitest";
import { fileTimeMs, fileTimeText, readStamp, systemTimeText } from "./time.ts";

const EPOCH_STEPS = 116_444_736_000_000_000n;

function halves(steps: bigint): [number, number] {
  return [Number(steps & 0xffff_ffffn), Number(steps >> 32n)];
}

test("a stamp keeps its seven digits", () => {
  const steps = 133_537_608_001_234_567n;
  expect(fileTimeText(...halves(steps))).toBe("2024-03-01T10:00:00.1234567Z");
  expect(fileTimeMs(...halves(steps))).toBe(Date.parse("2024-03-01T10:00:00.123Z"));
});

test("zero is the first instant of 1601", () => {
  expect(fileTimeText(0, 0)).toBe("1601-01-01T00:00:00.0000000Z");
  expect(fileTimeMs(0, 0)).toBe(Date.parse("1601-01-01T00:00:00Z"));
});

test("the largest stamp is still a text and a number", () => {
  expect(fileTimeText(0xffff_ffff, 0xffff_ffff)).toBe("+060056-05-28T05:36:10.9551615Z");
  expect(Number.isSafeInteger(fileTimeMs(0xffff_ffff, 0xffff_ffff))).toBe(true);
});

test("any stamp up to the year 9999 agrees with exact arithmetic and reads back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2_650_467_743_999_999_999n }), (steps) => {
      const [low, high] = halves(steps);
      const exactMs = Number((steps - EPOCH_STEPS - (((steps % 10_000n) + 10_000n) % 10_000n)) / 10_000n);
      const iso = new Date(exactMs).toISOString();
      const expected = `${iso.slice(0, -1)}${String(steps % 10_000n).padStart(4, "0")}Z`;
      expect(fileTimeMs(low, high)).toBe(exactMs);
      expect(fileTimeText(low, high)).toBe(expected);
      expect(readStamp(expected)).toEqual({ ms: exactMs, text: expected });
    }),
  );
});

test("stamps as text are read with any number of digits, and nothing else is", () => {
  expect(readStamp("2013-06-13T00:26:20.184797500Z")).toEqual({
    ms: Date.parse("2013-06-13T00:26:20.184Z"),
    text: "2013-06-13T00:26:20.1847975Z",
  });
  expect(readStamp("2013-06-13T00:26:20Z")?.text).toBe("2013-06-13T00:26:20.0000000Z");
  expect(readStamp("yesterday")).toBeUndefined();
  expect(readStamp("2013-13-41T00:26:20Z")).toBeUndefined();
});

test("a SYSTEMTIME is shown to the millisecond, without its day of the week", () => {
  const view = new DataView(new ArrayBuffer(16));
  for (const [i, field] of [2012, 4, 5, 6, 17, 45, 3, 7].entries()) view.setUint16(i * 2, field, true);
  expect(systemTimeText(view, 0)).toBe("2012-04-06T17:45:03.007Z");
});
