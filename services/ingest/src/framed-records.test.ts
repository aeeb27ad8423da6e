import { decodeBytes } from "@culprit/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type FramedRecord, type Reading, readingsOf } from "./framed-records.ts";
import { eventXml, snare, winlogbeat } from "./test-kit.ts";

const ZONE = { zone: "UTC", receivedAt: Date.UTC(2024, 2, 1, 12) };
const record = (text: string, more: Omit<FramedRecord, "bytes"> = {}): FramedRecord => ({
  bytes: Buffer.from(text),
  ...more,
});

function idsOf(readings: Iterable<Omit<Reading, "isFramed"> & { readonly isFramed: boolean }>): unknown[] {
  return [...readings].flatMap(({ bytes, isFramed }) =>
    [...decodeBytes(bytes, { ...ZONE, framed: isFramed })].map(
      ({ event }) => event?.recordId ?? event?.message ?? "failed",
    ),
  );
}

test("JSON lines of one host are read together, everything else one by one", () => {
  const json = [1, 2, 3].map((n) => record(winlogbeat(n), { host: "n1" }));
  const others = [record(winlogbeat(4), { host: "n2" }), record(snare(5)), record(winlogbeat(6), { marks: ["cut"] })];
  const readings = [...readingsOf([...json, ...others])];
  expect(readings.map(({ isFramed, host }) => [isFramed, host])).toEqual([
    [false, "n1"],
    [true, "n2"],
    [true, undefined],
    [true, undefined],
  ]);
  expect(idsOf(readings)).toHaveLength(6);
});

const anyRecord = fc.oneof(
  fc.nat(99).map((n) => winlogbeat(n)),
  fc.nat(59).map((n) => eventXml(n)),
  fc.nat(59).map((n) => snare(n)),
  fc.constantFrom(
    '{"a":{"b":1}',
    '{"a":"}',
    '{"}',
    "{}",
    '{"a":1}{"b":2}',
    "}",
    '{"a":1}\n{"b"',
    '{ "x":1}',
    '{"a":[1}',
    '{"a":"\\"}',
  ),
);

test("what is read together is read as it is alone, whatever its neighbours leave open", () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 12 }), (texts) => {
      const records = texts.map((text) => record(text));
      expect(idsOf(readingsOf(records))).toEqual(idsOf(records.map((one) => ({ ...one, isFramed: true }))));
    }),
    { numRuns: 200 },
  );
});
