/** `docs/faults.md`: which tests show each fault and bad input, found by their titles. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BAD_INPUTS, FAULTS, type Fault } from "./faults.ts";
import { cell, table } from "./markdown.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A title begins with the ids of what it shows: `F5 F6 one correlate killed …`. */
const TITLE = /["'`]((?:[BFP]\d{1,2} )+)[^"'`\n]{4}/g;
const HELPER = /[/\\](?:generated|bench|fuzz)[/\\]/;

/** Id -> files with tests that bear it, by path. */
export function testsById(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const path of testFiles()) {
    const text = readFileSync(join(ROOT, path), "utf8");
    const ids = new Set([...text.matchAll(TITLE)].flatMap(([, ids = ""]) => ids.trim().split(" ")));
    for (const id of ids) found.set(id, [...(found.get(id) ?? []), path]);
  }
  return found;
}

function testFiles(): string[] {
  const inTest = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !HELPER.test(path));
  const beside = ["packages", "services"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
      .filter((path) => /\/src\/.*\.(?:test|contract)\.ts$/.test(path) && !path.includes("node_modules")),
  );
  return [...inTest, ...beside].sort();
}

/** The page. */
export function faultsPage(): string {
  const tests = testsById();
  const rows = (faults: readonly Fault[]): string[][] =>
    faults.map(({ id, what, instead }) => {
      const files = tests.get(id) ?? [];
      const shown = files.map((path) => `[${path.split("/").at(-1) ?? path}](../${path})`);
      return [id, cell(what), [...shown, ...(instead === undefined ? [] : [`not shown: ${cell(instead)}`])].join(", ")];
    });
  return `# Faults and bad inputs

Written by \`npm run docs\` from the titles of the tests, which begin with these ids. What has no test has its reason here.

## What breaks around us

${table(["id", "fault", "shown by"], rows(FAULTS))}

## What is sent that should not be

${table(["id", "input", "shown by"], rows(BAD_INPUTS))}
`;
}
