import { expect, test } from "vitest";
import { jsonValues } from "./json-values.ts";

async function valuesOf(text: string) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text);
  }
  const failures: number[] = [];
  const values: unknown[] = [];
  for await (const { value } of jsonValues(chunks(), (line) => failures.push(line))) values.push(value);
  return { values, failures };
}

test("one value a line, blank lines and broken ones between", async () => {
  expect(await valuesOf('\ufeff{"a":1}\r\n\n{"a":\n[2]\n')).toEqual({ values: [{ a: 1 }, [2]], failures: [3] });
});

test("one value over many lines", async () => {
  const value = [{ a: 1, b: "x\u2028y" }, { a: 2 }];
  expect(await valuesOf(`${JSON.stringify(value, undefined, 2)}\n`)).toEqual({ values: [value], failures: [] });
});

test("a broken first line costs no other", async () => {
  expect(await valuesOf('{"a":\n{"a":2}\n{"a":3}')).toEqual({ values: [{ a: 2 }, { a: 3 }], failures: [1] });
});

test("integers keep their digits, other numbers are as they are", async () => {
  const text = '{"a":9232379236109516800,"b":-9007199254740993,"c":1.5e20,"d":1234567890123456.5}';
  const { values } = await valuesOf(text);
  expect(values).toEqual([{ a: 9232379236109516800n, b: -9007199254740993n, c: 1.5e20, d: 1234567890123456.5 }]);
});
