import { createHash } from "node:crypto";
import { IngestConfig } from "@culprit/ingest";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runToken } from "./token.ts";

test("a token is printed with a line for the config that knows its hash, and each is another", () => {
  const made = [0, 1].map(() => {
    const lines: string[] = [];
    expect(runToken('a: "b"', (line) => lines.push(line))).toBe(0);
    const [token = "", entry = ""] = lines.map((line) => line.slice("config  ".length));
    expect(token).toMatch(/^[\w-]{43}$/);
    const { tokens } = IngestConfig.parse({ tokens: parse(entry) });
    expect(tokens).toMatchObject([{ name: 'a: "b"', sha256: createHash("sha256").update(token).digest("hex") }]);
    return token;
  });
  expect(new Set(made).size).toBe(2);
});
