import fc from "fast-check";
import { expect, test } from "vitest";
import { GelfFramer } from "./gelf-framing.ts";

function framed(chunks: readonly (string | Uint8Array)[], messageMaxBytes = 1_000) {
  const framer = new GelfFramer(messageMaxBytes);
  let sizeMax = 0;
  const all = chunks.flatMap((chunk) => {
    const messages = framer.push(Buffer.from(chunk));
    sizeMax = Math.max(sizeMax, framer.size);
    return messages;
  });
  all.push(...framer.end());
  return { texts: all.map(({ bytes }) => Buffer.from(bytes).toString()), cuts: all.map(({ isCut }) => isCut), sizeMax };
}

const A = '{"short_message":"a { \\" [ ","host":"n1"}';
const PRETTY = '{\n  "short_message": "b",\n  "_x": {\n    "y": 1\n  }\n}';

test("messages end with NUL, or with LF where the object is complete", () => {
  expect(framed([`${A}\0${PRETTY}\0${A}\0`]).texts).toEqual([A, PRETTY, A]);
  expect(framed([`${A}\n${PRETTY}\r\n\n${A}`]).texts.map((text) => text.trim())).toEqual([A, PRETTY, A]);
});

test("an object that was cut off costs none after it", () => {
  expect(framed([`{"short_message":"a\n${A}\n`]).texts).toEqual(['{"short_message":"a', A]);
  expect(framed([`{"a":{"b":1\n${A}\n`]).texts).toEqual(['{"a":{"b":1', A]);
});

test("B34 a message above the limit is cut, and the next one is whole", () => {
  const long = `{"short_message":"${"m".repeat(5_000)}"}`;
  for (const chunks of [[`${long}\0${A}\0`], [long.slice(0, 3_000), `${long.slice(3_000)}\0${A}\0`]]) {
    const seen = framed(chunks);
    expect([seen.texts, seen.cuts]).toEqual([
      [long.slice(0, 1_000), A],
      [true, false],
    ]);
  }
});

test("where a stream is parted into chunks changes no message, and no more is held than a message and a chunk", () => {
  const piece = fc.constantFrom(A, PRETTY, "\0", "\n", "{", "}", '"', "\\", "x", " ");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(500), { maxLength: 10 }), (pieces, cuts) => {
      const whole = Buffer.from(pieces.join(""));
      const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const parted = framed(places.slice(1).map((end, i) => whole.subarray(places[i], end)));
      expect(parted.texts).toEqual(framed([whole]).texts);
      expect(
        framed(
          Array.from(whole, (byte) => Uint8Array.of(byte)),
          50,
        ).sizeMax,
      ).toBeLessThanOrEqual(51);
    }),
  );
});
