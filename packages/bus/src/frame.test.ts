import fc from "fast-check";
import { expect, test } from "vitest";
import { checksumOf, decodeMessages, encodeMessages, MESSAGE_MAX_BYTES } from "./frame.ts";

const PLACE = { topic: "events", partition: 2, firstOffset: 40 };

const outgoing = fc.record({
  topic: fc.constant("events"),
  key: fc.string({ unit: "grapheme" }),
  value: fc.oneof(fc.jsonValue(), fc.constant(null)),
  headers: fc.dictionary(fc.string(), fc.string()),
});

test("messages come back from a body as they were, with offsets from where it belongs", () => {
  fc.assert(
    fc.property(fc.array(outgoing, { maxLength: 8 }), (messages) => {
      const decoded = decodeMessages(encodeMessages(messages, 17), PLACE);
      expect(decoded.map(({ key, headers }) => ({ key, headers: { ...headers } }))).toEqual(
        messages.map(({ key, headers }) => ({ key, headers: { ...headers } })),
      );
      expect(decoded.map(({ value }) => JSON.stringify(value))).toEqual(
        messages.map(({ value }) => JSON.stringify(value)),
      );
      expect(decoded.map(({ offset }) => offset)).toEqual(messages.map((_, i) => 40 + i));
      expect(decoded.every(({ at, topic, partition }) => at === 17 && topic === "events" && partition === 2)).toBe(
        true,
      );
    }),
  );
});

test("a byte order mark at the start of a key or text is kept", () => {
  const [message] = decodeMessages(encodeMessages([{ topic: "events", key: "\ufeffk", value: "\ufeffv" }], 0), PLACE);
  expect([message?.key, message?.value]).toEqual(["\ufeffk", "\ufeffv"]);
});

test("a body cut anywhere is never decoded", () => {
  const body = encodeMessages([{ topic: "events", key: "hv11", value: { a: "text" }, headers: { h: "1" } }], 0);
  for (let length = 0; length < body.length; length += 1) {
    expect(() => decodeMessages(body.slice(0, length), PLACE), `${length}`).toThrow();
  }
});

test("the checksum covers the body and its place", () => {
  const body = encodeMessages([{ topic: "events", key: "k", value: 1 }], 0);
  const sum = checksumOf(body, PLACE);
  expect(checksumOf(body, { ...PLACE, firstOffset: 41 })).not.toBe(sum);
  expect(checksumOf(body, { ...PLACE, partition: 3 })).not.toBe(sum);
  for (let i = 0; i < body.length; i += 1) {
    const changed = body.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(checksumOf(changed, PLACE)).not.toBe(sum);
  }
});

test("a message above the limit is refused", () => {
  const value = "x".repeat(MESSAGE_MAX_BYTES);
  expect(() => encodeMessages([{ topic: "events", key: "", value }], 0)).toThrow(
    expect.objectContaining({ code: "bus.too-large", retriable: false }),
  );
});

test("a body of a later version is refused as such", () => {
  const body = encodeMessages([{ topic: "events", key: "", value: 1 }], 0);
  body[0] = 2;
  expect(() => decodeMessages(body, PLACE)).toThrow(expect.objectContaining({ code: "bus.newer-frame" }));
});
