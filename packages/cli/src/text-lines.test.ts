import { expect, test } from "vitest";
import { textLines } from "./text-lines.ts";

async function linesOf(text: string, size: number): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  }
  const lines: string[] = [];
  for await (const line of textLines(chunks())) lines.push(line);
  return lines;
}

test("lines end at a line feed and at nothing else, wherever the bytes are cut", async () => {
  const text = 'a\r\n\nü\u2028b\u2029c\rd 😀\n"last"';
  for (const size of [1, 2, 3, 100])
    expect(await linesOf(text, size)).toEqual(["a", "", "ü\u2028b\u2029c\rd 😀", '"last"']);
  expect(await linesOf("", 1)).toEqual([]);
  expect(await linesOf("x\n", 1)).toEqual(["x"]);
});
