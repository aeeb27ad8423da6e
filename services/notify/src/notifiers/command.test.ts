import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hostile } from "../fixtures.ts";
import { command } from "./command.ts";
import { Driver } from "./test-kit.ts";

const dir = mkdtempSync(join(tmpdir(), "culprit-command-"));
afterAll(() => rmSync(dir, { recursive: true }));
const node = (script: string): Driver => new Driver(command, { program: process.execPath, args: ["-e", script] });

test("gets the notification on its input, and neither arguments nor environment of ours", async () => {
  const out = join(dir, "out.json");
  const text = '"; touch /tmp/x; $(id) `id`';
  const script = `const input = require("fs").readFileSync(0, "utf8");
    require("fs").writeFileSync(${JSON.stringify(out)}, JSON.stringify({ input: JSON.parse(input), args: process.argv.slice(1), env: process.env }));`;
  expect(await node(script).send("trigger", { incident: hostile(text) })).toMatchObject({ result: "ok" });
  const { input, args, env } = JSON.parse(readFileSync(out, "utf8"));
  expect(input).toMatchObject({ action: "trigger", incident: { title: text } });
  expect(args).toEqual([]);
  expect(Object.keys(env).filter((name) => name !== "PATH" && name !== "LANG")).toEqual([]);
});

test.each([
  [0, "ok"],
  [75, "later"],
  [65, "never"],
  [77, "auth"],
  [1, "later"],
])("exit code %i means %s", async (code, result) => {
  const told = await node(`console.error("why"); process.exitCode = ${code}`).send("trigger");
  expect(told.result).toBe(result);
  expect(told.result === "ok" ? "why" : told.detail).toContain("why");
});

test("one that never ends is ended, one that is not there needs a person", async () => {
  expect(await node("setInterval(() => {}, 1000)").send("trigger", {}, 300)).toMatchObject({ result: "later" });
  const missing = new Driver(command, { program: join(dir, "missing") });
  expect(await missing.send("trigger")).toMatchObject({ result: "auth", detail: expect.stringContaining("ENOENT") });
});

test("a program is named by its whole path", () => {
  expect(command.options.safeParse({ program: "page.sh" }).success).toBe(false);
});
