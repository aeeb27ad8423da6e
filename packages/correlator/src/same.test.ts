import fc from "fast-check";
import { expect, test } from "vitest";
import { isSame } from "./same.ts";

test("plain data is the same when its JSON is, whatever the order of names", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(isSame(a, structuredClone(a))).toBe(true);
      expect(isSame(a, b)).toBe(canonical(a) === canonical(b));
    }),
  );
  expect(isSame({ a: 1, b: [2, { c: 3 }] }, { b: [2, { c: 3 }], a: 1 })).toBe(true);
  expect(isSame({ a: [] }, { a: {} })).toBe(false);
  expect(isSame({ a: undefined }, { b: undefined })).toBe(false);
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, one) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? `object ${canonical(Object.entries(one).sort(([x], [y]) => (x < y ? -1 : 1)))}`
      : Object.is(one, -0)
        ? 0
        : one,
  );
}
