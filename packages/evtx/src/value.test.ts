import { expect, test } from "vitest";
import { ChunkData } from "./chunk-data.ts";
import { arrayTexts, valueText } from "./value.ts";

function read(type: number, ...bytes: number[]): string {
  return valueText(new ChunkData(Uint8Array.from(bytes), 0, "windows-1252"), type, 0, bytes.length);
}

function readArray(type: number, ...bytes: number[]): string[] {
  return arrayTexts(new ChunkData(Uint8Array.from(bytes), 0, "windows-1252"), type, 0, bytes.length);
}

const FF8 = [255, 255, 255, 255, 255, 255, 255, 255] as const;

test.each([
  ["a string", 0x01, [0x48, 0, 0xe9, 0], "Hé"],
  ["a string with its NUL", 0x01, [0x48, 0, 0, 0], "H"],
  ["a string with more behind its NUL", 0x01, [0x48, 0, 0, 0, 0x49, 0], "H"],
  ["an odd byte behind a string", 0x01, [0x48, 0, 0x49], "H"],
  ["an ANSI string", 0x02, [0x48, 0xe4, 0], "Hä"],
  ["a signed byte", 0x03, [0x80], "-128"],
  ["an unsigned byte", 0x04, [0x80], "128"],
  ["a signed word", 0x05, [0xff, 0xff], "-1"],
  ["an unsigned word", 0x06, [0xff, 0xff], "65535"],
  ["a signed integer", 0x07, [0, 0, 0, 0x80], "-2147483648"],
  ["an unsigned integer", 0x08, [0, 0, 0, 0x80], "2147483648"],
  ["a signed long", 0x09, FF8, "-1"],
  ["an unsigned long", 0x0a, FF8, "18446744073709551615"],
  ["an unsigned long of 53 bits", 0x0a, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], "9007199254740991"],
  ["a float", 0x0b, [0xcd, 0xcc, 0xcc, 0x3d], "0.1"],
  ["a double", 0x0c, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], "1.5"],
  ["a false", 0x0d, [0, 0, 0, 0], "false"],
  ["a true", 0x0d, [2, 0, 0, 0], "true"],
  ["bytes", 0x0e, [0xde, 0xad, 0x01], "DEAD01"],
  [
    "a GUID",
    0x0f,
    [0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 0x03, 0x28, 0xc3, 0x0d],
    "{54849625-5478-4994-a5ba-3e3b0328c30d}",
  ],
  ["a size of 32 bits", 0x10, [0xe7, 3, 0, 0], "0x3e7"],
  ["a size of 64 bits", 0x10, [0xe7, 3, 0, 0, 0, 0, 0, 0], "0x3e7"],
  ["a FILETIME", 0x11, [0, 0, 0, 0, 0, 0, 0, 0], "1601-01-01T00:00:00.0000000Z"],
  ["a SID", 0x13, [1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0], "S-1-5-32-544"],
  ["a SID of a large authority", 0x13, [1, 0, 1, 0, 0, 0, 0, 0], "S-1-0x010000000000"],
  ["a cut SID", 0x13, [1, 5, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0], "S-1-5-18"],
  ["a hex integer", 0x14, [0xc2, 0, 0, 0xc0], "0xc00000c2"],
  ["a hex long", 0x15, [0, 0, 0, 0, 0, 0, 0x20, 0x80], "0x8020000000000000"],
  ["a value of the wrong size", 0x08, [1, 2, 3], "010203"],
  ["a value of an unknown type", 0x55, [1, 2, 3], "010203"],
  ["no bytes at all", 0x08, [], ""],
] as const)("%s is shown as Windows shows it", (_, type, bytes, expected) => {
  expect(read(type, ...bytes)).toBe(expected);
});

test("an array of strings ends each item with a NUL and keeps empty ones", () => {
  expect(readArray(0x01, 0x41, 0, 0, 0, 0, 0, 0x42, 0)).toEqual(["A", "", "B"]);
  expect(readArray(0x02, 0x41, 0, 0, 0x42)).toEqual(["A", "", "B"]);
});

test("an array of numbers gives an item for each, and the rest as hex", () => {
  expect(readArray(0x06, 1, 0, 2, 0, 3)).toEqual(["1", "2", "03"]);
  expect(readArray(0x0d, 1, 0, 0, 0, 0, 0, 0, 0)).toEqual(["true", "false"]);
});

test("an array of SIDs is split by the length that each one states", () => {
  const system = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
  const everyone = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
  expect(readArray(0x13, ...system, ...everyone)).toEqual(["S-1-5-18", "S-1-1-0"]);
});
