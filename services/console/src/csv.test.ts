import fc from "fast-check";
import { expect, test } from "vitest";
import { csvCell, csvText } from "./csv.ts";

test.each([
  ["=1+1"],
  ["+1"],
  ["-1"],
  ["@SUM(A1)"],
  ["\t=1"],
  ["\r=1"],
  ["  =cmd|' /C calc'!A0"],
  ["\n\n=1"],
  ["\u200b=1"],
  ["＝1"],
  ["\tplain"],
])("B49 a cell of %j is quoted as text", (text) => {
  expect(csvCell(text)).toBe(`"'${text.replaceAll('"', '""')}"`);
});

test("a cell of ordinary text stays as it is", () => {
  for (const text of ["", "HV11 crashed", "a=b", "12-3", "ü"]) expect(csvCell(text)).toBe(`"${text}"`);
});

test("B49 whatever goes in, no cell begins a formula and every row has its cells", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 20 }), { minLength: 1, maxLength: 5 }), (cells) => {
      const read = readRow(csvText([cells]));
      expect(read).toHaveLength(cells.length);
      read.forEach((cell, index) => {
        expect(cell.replace(/^'/, "")).toBe(cells[index]?.replace(/^'/, ""));
        expect(cell).not.toMatch(/^\s*[=+\-@]/);
      });
    }),
  );
});

/** Reads one row of quoted cells, as RFC 4180 has it. */
function readRow(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"(?:,|\r\n$)/g)].map((match) => (match[1] ?? "").replaceAll('""', '"'));
}
