import fc from "fast-check";
import { expect, test } from "vitest";
import { bugcheckText, readBugcheck, readDecimalCodes, readStatusCodes, statusText } from "./codes.ts";

const PARAMETERS = "0xffffe001a2b3c4d0, 0x00000000000004b0, 0x0000000000000005, 0x0000000000000000";

test.each([
  [
    "English",
    `The computer has rebooted from a bugcheck.  The bugcheck was: 0x0000009e (${PARAMETERS}). A dump was saved`,
  ],
  [
    "German",
    `Der Computer wurde nach einem schwerwiegenden Fehler neu gestartet. Der Fehlercode war: 0x0000009e (${PARAMETERS}).`,
  ],
  ["Chinese", `计算机已经从检测错误后重新启动。检测错误: 0x0000009e (${PARAMETERS})。`],
  ["marks and other separators", `\u200e0x9E ( ${PARAMETERS.replaceAll(",", " ;")} )`],
])("B30 a bugcheck text in %s is read", (_, text) => {
  const code = readBugcheck(text);
  expect(code?.code).toBe(0x9e);
  expect(code?.parameters).toEqual([0xffffe001a2b3c4d0n, 0x4b0n, 5n, 0n]);
});

test.each([
  ["thousands marks", "The bugcheck was: 0x0000.009e (0x0, 0x0, 0x0, 0x0)"],
  ["thousands marks in decimal", "Bugcheck 4.160 (0x0, 0x0, 0x0, 0x0)"],
  ["a parameter too few", "0x0000009e (0x0, 0x0, 0x0)"],
  ["a code of nine digits", "0x00000009e (0x0, 0x0, 0x0, 0x0)"],
  ["no code", "Der Computer wurde neu gestartet."],
])("B30 a bugcheck text with %s is unreadable, never a wrong code", (_, text) => {
  expect(readBugcheck(text)).toBeUndefined();
});

test("B30 any code comes back from any text around it", () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffffffff }), fc.string(), fc.string(), (code, before, after) => {
      const padded = code.toString(16).padStart(8, "0");
      expect(readBugcheck(`${before} 0x${padded} (${PARAMETERS})${after}`)?.code).toBe(code);
    }),
  );
});

test("codes are shown as Windows shows them, and dates and GUIDs are no status codes", () => {
  expect([bugcheckText(0x9e), statusText(0x800423f3), statusText(-2147212301)]).toEqual([
    "0x9E",
    "0x800423F3",
    "0x800423F3",
  ]);
  const text = "hr = 0x800423f3, C0000005; 20240301 and 80042301-0000-4000-8000-c00000000000, 0x800423F3 again";
  expect(readStatusCodes(text)).toEqual([0x800423f3, 0xc0000005]);
});

test("decimal numbers are codes where they have a sign, wrap a Win32 error or are known", () => {
  const known = (code: number): boolean => code === 0x80780021;
  expect(readDecimalCodes("error -2147024784 and %%2147942405; code 2155348001.", known).map(statusText)).toEqual([
    "0x80070070",
    "0x80070005",
  ]);
  expect(readDecimalCodes("failed with code '2155348001'", known).map(statusText)).toEqual(["0x80780021"]);
});

test("sizes, dates, versions and parts of longer words are no decimal codes", () => {
  const sizes = "3221225472 of 2147483648 bytes, 10.2147942405, S-1-5-21-2147942405, 1700000000, -1, x2147942405";
  expect(readDecimalCodes(sizes, () => false)).toEqual([]);
});

test("no text makes reading decimal codes fail, and each code found is of error severity", () => {
  fc.assert(
    fc.property(fc.string(), fc.bigInt(), (text, number) => {
      for (const code of readDecimalCodes(`${text} ${number}`, () => true)) expect(code >>> 31).toBe(1);
    }),
  );
});
