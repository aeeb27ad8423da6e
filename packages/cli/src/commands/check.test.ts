import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXIT } from "../exit-code.ts";
import { runCheck } from "./check.ts";
import { runTest } from "./test.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "culprit-check-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function check(files: Readonly<Record<string, string>>): Promise<{ code: number; lines: string[] }> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const lines: string[] = [];
  const code = await runCheck(join(dir, "culprit.yaml"), (line) => lines.push(line.replaceAll(dir, "")));
  return { code, lines };
}

test("a config's wrong key is an error with its line, and the key that was meant", async () => {
  expect(await check({ "culprit.yaml": "ingest:\n  prot: 1\n" })).toEqual({
    code: EXIT.usage,
    lines: ['/culprit.yaml:2:3 ingest.prot: there is no such key; did you mean "port"?', "1 errors, 0 warnings"],
  });
});

test("the topology file that a config names is checked, each fact with its line", async () => {
  const config = `correlate: { topology: ${JSON.stringify(join(dir, "facts.yaml"))} }\n`;
  const wrong = "facts:\n  - { kind: runs-on, from: vm1, to: hv1 }\n  - { kind: runs, from: vm2, to: hv1 }\n";
  const { code, lines } = await check({ "culprit.yaml": config, "facts.yaml": wrong });
  expect(code).toBe(EXIT.usage);
  expect(lines[0]).toMatch(/^correlate\.topology: \/facts\.yaml:3:7 facts\.1\.kind: .* \(read "runs"\)$/);
  const right = await check({ "culprit.yaml": config, "facts.yaml": wrong.replace("runs,", "runs-on,") });
  expect(right.code).toBe(EXIT.done);
  expect(right.lines.at(-1)).toContain("topology /facts.yaml with 2 facts; 0 errors");
});

test("a CSV topology says which of its lines is wrong", async () => {
  const config = `correlate: { topology: ${JSON.stringify(join(dir, "facts.csv"))} }\n`;
  const { lines } = await check({
    "culprit.yaml": config,
    "facts.csv": "kind,from,to,validFrom\r\nruns-on,vm1,hv1,\r\nruns-on,vm2,hv1,yesterday\r\n",
  });
  expect(lines[0]).toBe("correlate.topology: /facts.csv:3 validFrom: an ISO 8601 instant");
});

test("a folder of playbooks that a config names is checked with ours, and a file that is not there is said", async () => {
  const { code, lines } = await check({ "culprit.yaml": "correlate: { playbooks: /nowhere/at/all }\n" });
  expect(code).toBe(EXIT.usage);
  expect(lines[0]).toBe("correlate.playbooks: cannot read /nowhere/at/all");
  await expect(runCheck("/nowhere/culprit.yaml", () => {})).rejects.toMatchObject({ code: "config.unreadable" });
});

test("a folder of one's own is checked and played beside ours", async () => {
  const own = join(dir, "own");
  for (const folder of ["detections", "playbooks"]) await mkdir(join(own, folder), { recursive: true });
  const detection = {
    title: "The spool folder is full",
    name: "own_spool_full",
    logsource: { product: "windows", service: "application" },
    detection: { selection: { Provider_Name: "ContosoSpool", EventID: 77 }, condition: "selection" },
    "x-culprit": { say: "the spool folder was full" },
  };
  await writeFile(join(own, "detections", "spool.yaml"), JSON.stringify(detection));
  const lines: string[] = [];
  expect(await runCheck(own, (line) => lines.push(line))).toBe(EXIT.done);
  expect(lines.at(-1)).toMatch(/^\d{2,} playbooks, .*; 0 errors/);
  expect(await runTest(own, (line) => lines.push(line))).toBe(EXIT.done);
  expect(lines.at(-1)).toBe("0 timelines as expected, 0 not");
});
