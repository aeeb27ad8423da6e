import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

test("the check value of the standard comes out", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});

test("any bytes give what zlib gives, in one piece or in two", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (a, b) => {
      const whole = Uint8Array.of(...a, ...b);
      expect(crc32(whole)).toBe(zlibCrc32(whole));
      expect(crc32(b, crc32(a))).toBe(crc32(whole));
    }),
  );
});
