import { expect, test } from "vitest";
import { jsonSource } from "./index.ts";

test("lists hold their values in order, at any depth; maps hold none", () => {
  const source = jsonSource({ A: [1, ["x", [null]], { B: 2 }], M: { B: 3 }, E: [] });
  expect(source.get("A")).toEqual([1, "x", null]);
  expect(source.get("A.B")).toBe(2);
  expect(source.get("M")).toEqual([]);
  expect(source.get("E")).toEqual([]);
  expect(source.get("M.C")).toBeUndefined();
  expect(source.texts()).toEqual(["1", "x", "2", "3"]);
});

test("no depth or width of an event is too much", () => {
  let deep: unknown = { x: "needle" };
  for (let i = 0; i < 50_000; i += 1) deep = [deep];
  const source = jsonSource({ V: deep, W: [...Array<number>(300_000).fill(0), "last"] });
  expect(source.get("V.x")).toBe("needle");
  expect(source.get("V")).toEqual([]);
  expect((source.get("W") as unknown[]).at(-1)).toBe("last");
  expect(source.texts()).toHaveLength(100_000);
  expect(source.texts()[0]).toBe("needle");
});
