import fc from "fast-check";
import { expect, test } from "vitest";
import { DEAD_LETTER_MAX_BYTES, DeadLetter, deadLetter, originalOf } from "./dead-letter.ts";

const why = { stage: "ingest", failure: { reason: "xml.doctype", detail: "DOCTYPE is refused", offset: 3 }, at: 1_000 };

test("any bytes come back from a dead letter as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const letter = DeadLetter.parse(JSON.parse(JSON.stringify(deadLetter(bytes, why))));
      expect(originalOf(letter)).toEqual(Uint8Array.from(bytes));
      expect(letter.size).toBe(bytes.length);
    }),
  );
});

test("a long original is clipped, its whole size is told, and a cut character does not make it binary", () => {
  const bytes = new TextEncoder().encode(`a${"é".repeat(DEAD_LETTER_MAX_BYTES)}`);
  const letter = deadLetter(bytes, why);
  expect(letter.encoding).toBe("utf8");
  expect(letter.size).toBe(bytes.length);
  expect(originalOf(letter).length).toBe(DEAD_LETTER_MAX_BYTES - 1);
});

test("bytes that are no UTF-8 are kept as base64", () => {
  const letter = deadLetter(Uint8Array.of(0xff, 0x00, 0x41), why);
  expect(letter).toMatchObject({ encoding: "base64", original: "/wBB", offset: 3, reason: "xml.doctype" });
});
