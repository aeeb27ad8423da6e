import { describe, expect, test } from "vitest";
import { jsonSource } from "./index.ts";
import { diagnosticsOf, matchedBy, ruleText } from "./match.test-support.ts";

function detection(condition: string, names: readonly string[] = ["a", "b", "c"]): string {
  return ruleText(`${names.map((name, i) => `'${name}': { f${i}: 1 }`).join("\n")}\ncondition: ${condition}`);
}

/** Which of all combinations of three fields match, as bits: 1 for f0, 2 for f1, 4 for f2. */
function combinations(condition: string, names?: readonly string[]): number[] {
  const events = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
    jsonSource(Object.fromEntries([0, 1, 2].filter((i) => bits & (1 << i)).map((i) => [`f${i}`, 1]))),
  );
  return matchedBy(detection(condition, names), events);
}

function problem(condition: string): string {
  const [first] = diagnosticsOf(detection(condition));
  return first === undefined ? "" : `${first.severity} ${first.line}:${first.column} ${first.read}`;
}

describe("grammar", () => {
  test("not binds tighter than and, and than or", () => {
    expect(combinations("not a and b or c")).toEqual([2, 4, 5, 6, 7]);
    expect(combinations("a or b and not c")).toEqual([1, 2, 3, 5, 7]);
    expect(combinations("not not a")).toEqual([1, 3, 5, 7]);
    expect(combinations("not(a or b)")).toEqual([0, 4]);
  });

  test("operators are known in any case, identifiers by their own", () => {
    expect(combinations("a AND NOT b")).toEqual([1, 5]);
    expect(combinations("1 OF them")).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(problem("A")).toContain('"A"');
  });

  test("words that only begin like operators are identifiers", () => {
    expect(combinations("nothing or all and 1st", ["nothing", "all", "1st"])).toEqual([1, 3, 5, 6, 7]);
    expect(combinations("of and them", ["of", "them", "x"])).toEqual([3, 7]);
    expect(combinations("sel-1.x or b:2", ["sel-1.x", "b:2", "x"])).toEqual([1, 2, 3, 5, 6, 7]);
  });

  test("patterns are whole, take stars anywhere, and leave out what begins with an underscore", () => {
    expect(combinations("1 of se", ["sel", "se", "x"])).toEqual([2, 3, 6, 7]);
    expect(combinations("all of s*l*", ["sel", "sll", "s_x"])).toEqual([3, 7]);
    expect(combinations("1 of *", ["_a", "b", "_c"])).toEqual([2, 3, 6, 7]);
    expect(combinations("all of _*", ["_a", "b", "_c"])).toEqual([5, 7]);
    expect(combinations("any of b*", ["a", "b1", "b2"])).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test("a pattern that fits nothing never holds, and is said", () => {
    expect(combinations("a and not 1 of filter_*")).toEqual([1, 3, 5, 7]);
    expect(combinations("a or all of filter_*")).toEqual([1, 3, 5, 7]);
    expect(problem("a and not 1 of filter_*")).toContain('warning 8:29 "1 of filter_*"');
  });

  test.each([
    ["a and", "the end of the condition"],
    ["(a or b", "the end of the condition"],
    ["a b", '"b"'],
    ["a) or b", '")"'],
    ["2 of them", '"2"'],
    ["1 of", "the end"],
    ["a and d", '"d"'],
    ["'a | count() > 5'", '"|"'],
    ["''", "the end"],
    ["[]", "an empty list"],
    ["{ a: b }", "a map of a"],
  ])("%s is refused where it goes wrong", (condition, read) => {
    expect(problem(condition)).toContain("error");
    expect(problem(condition)).toContain(read);
  });

  test("brackets without end are refused, not run out of stack", () => {
    expect(problem(`${"(".repeat(5000)}a${")".repeat(5000)}`)).toContain("more brackets");
    expect(problem(`${"not ".repeat(5000)}a`)).toContain("more brackets");
  });
});
