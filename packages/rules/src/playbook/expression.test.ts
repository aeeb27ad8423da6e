import { expect, test } from "vitest";
import { aliasesOf, parseExpression, positiveAliasesOf } from "./expression.ts";

function parsed(text: string) {
  const result = parseExpression(text);
  if (!result.ok) throw new Error(`${text}: ${result.expected} at ${result.at}`);
  return result.expression;
}

test("'and' binds closer than 'or', 'not' closer than both", () => {
  expect(parsed("a or not b and c")).toEqual({
    kind: "or",
    all: [
      { kind: "seen", alias: "a" },
      {
        kind: "and",
        all: [
          { kind: "not", of: { kind: "seen", alias: "b" } },
          { kind: "seen", alias: "c" },
        ],
      },
    ],
  });
});

test("counts take a span and a comparison", () => {
  expect(parsed("count(retry, 10m) >= 3")).toEqual({
    kind: "count",
    of: { kind: "signals", alias: "retry" },
    spanMs: 600_000,
    op: ">=",
    n: 3,
  });
  expect(parsed("distinct(removed.node) == 1")).toEqual({
    kind: "count",
    of: { kind: "values", alias: "removed", binding: "node" },
    spanMs: undefined,
    op: "==",
    n: 1,
  });
  expect(parsed("hosts(lost) > 2")).toMatchObject({ of: { kind: "hosts", alias: "lost" } });
});

test("the names of signals are found, and those under 'not' told apart", () => {
  const expression = parsed("(a or count(b) > 1) and not c and after(d, e)");
  expect(aliasesOf(expression)).toEqual(["a", "b", "c", "d", "e"]);
  expect(positiveAliasesOf(expression)).toEqual(["a", "b", "d", "e"]);
});

test.each([
  ["", 0],
  ["a and", 5],
  ["a b", 2],
  ["(a", 2],
  ["count(a) >= ", 12],
  ["count(a, soon) >= 3", 9],
  ["distinct(a) >= 2", 9],
  ["count(a.b) >= 2", 6],
  ["seen(a)", 0],
  ["not not", 7],
  ["a & b", 2],
])("%j is refused with the place of the mistake", (text, at) => {
  const result = parseExpression(text);
  expect(result).toMatchObject({ ok: false, at });
});
