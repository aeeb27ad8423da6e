import fc from "fast-check";
import { expect, test } from "vitest";
import { agoText, durationText } from "./duration-text.ts";
import { maskSecrets } from "./mask-secrets.ts";
import { cut, plainLine } from "./plain-line.ts";

test("B23 whatever goes in, one line without a hidden character comes out", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(plainLine(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u);
    }),
  );
});

test("text that people wrote stays as it is, in any script", () => {
  for (const text of ["Übung 3", "служба остановлена", "サービス", "C:\\Windows\\MEMORY.DMP", "a\u0301"]) {
    expect(plainLine(text)).toBe(text);
  }
});

test("cutting says that it cut, and never leaves half a character", () => {
  expect(cut("short", 5)).toBe("short");
  expect(cut("longer", 5)).toBe("long…");
  expect(cut("ab💾cd", 4)).toBe("ab…");
});

test.each([
  ["net use /user:x password=Tr0ub4dor", "Tr0ub4dor"],
  ["Pwd: 'hunter2'", "hunter2"],
  ['{"client_secret": "abc123"}', "abc123"],
  ["Authorization: Bearer eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9"],
  ["https://user:s3cret@host/", "s3cret"],
  ["key 2B87N-8KFHP-DKV6R-Y2C8J-PKCKT was used", "PKCKT"],
  ["SharedAccessKey=abc/def+ghi=", "abc/def"],
])("B54 %s loses its secret", (text, secret) => {
  expect(maskSecrets(text)).not.toContain(secret);
  expect(maskSecrets(text)).toContain("***");
});

test("B54 masking takes time in proportion to the text", () => {
  const text = `${"password".repeat(20_000)} ${"a:".repeat(20_000)} ${"AAAAA-".repeat(20_000)}`;
  const before = performance.now();
  maskSecrets(text);
  expect(performance.now() - before).toBeLessThan(2_000);
});

test.each([
  [0, "less than a second"],
  [192_000, "3 min 12 s"],
  [840_000, "14 min"],
  [7_500_000, "2 h 5 min"],
  [90_061_000, "1 d 1 h"],
  [-45_000, "45 s"],
  [59_600, "1 min"],
])("%i ms are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test("how long ago loses the seconds once they no longer matter", () => {
  expect(agoText(0)).toBe("just now");
  expect(agoText(192_000)).toBe("3 min 12 s ago");
  expect(agoText(716_000)).toBe("12 min ago");
});
