import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runRoutesTest } from "./routes.ts";
import { runSendTest } from "./send-test.ts";

const dir = mkdtempSync(join(tmpdir(), "culprit-routes-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const config = file(
  "culprit.yaml",
  `notify:
  targets:
    - { name: pager, kind: terminal, leastSeverity: high, fallback: mail }
    - { name: mail, kind: webhook, url: "http://localhost:9/", fallbackOnly: true }
`,
);

function lines(): { readonly said: string[]; readonly print: (text: string) => void } {
  const said: string[] = [];
  return { said, print: (text) => void said.push(text) };
}

test("an incident that is described is answered target by target, with the reason", async () => {
  const { said, print } = lines();
  expect(await runRoutesTest(undefined, { config, severity: "high", host: "HV11" }, print)).toBe(0);
  expect(said).toEqual(["pager  told (terminal, else mail)", "mail   not told: fallback-only"]);
});

test("that nobody would be told is another exit code", async () => {
  const { said, print } = lines();
  expect(await runRoutesTest(undefined, { config, severity: "low" }, print)).toBe(1);
  expect(said[0]).toBe("pager  not told: severity-too-low");
});

test("a file that is no incident is named with what is wrong", async () => {
  const bad = file("bad.json", '{"id": 1}\n');
  await expect(runRoutesTest(bad, { config }, () => {})).rejects.toMatchObject({ code: "incident.unreadable" });
  await expect(runRoutesTest(undefined, { config }, () => {})).rejects.toMatchObject({ code: "routes.no-incident" });
});

test("send-test names the targets there are, and says what was wrong with one", async () => {
  await expect(runSendTest("pagr", { config }, () => {})).rejects.toThrow(
    'no target is named "pagr"; the config has pager, mail',
  );
  const { said, print } = lines();
  expect(await runSendTest("mail", { config }, print)).toBe(2);
  expect(said).toEqual([expect.stringContaining("This address may not be used")]);
});
