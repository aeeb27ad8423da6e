import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runPreview } from "./preview.ts";

const dir = mkdtempSync(join(tmpdir(), "culprit-preview-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const at = "2026-03-17T02:00:04.000Z";
const lists = { for: [], against: [], missing: [], actions: [], references: [] };
const incident = {
  id: "ab".repeat(32),
  revision: 1,
  playbook: "disk",
  playbookVersion: 1,
  programHash: "",
  title: "HV11 lost a disk",
  severity: "high",
  status: "closed",
  verdict: "confirmed",
  settled: true,
  scope: [],
  startedAt: at,
  detectedAt: at,
  updatedAt: at,
  causes: [{ id: "disk", title: "The disk is broken", summary: "", share: 1, points: 20, ...lists }],
  notCauses: [],
  facts: [],
  timeline: [],
  unknown: [],
  children: [],
  occurrences: 1,
  first: at,
  last: at,
};
const config = file(
  "culprit.yaml",
  `notify:
  timeZone: Europe/Oslo
  targets:
    - { name: pager, kind: terminal, template: { title: "Ring Anna: {{ page.title }}", body: "since {{ incident.startedAt | local }}" } }
    - { name: mail, kind: terminal }
`,
);

async function preview(fileOrId: string, more: Partial<Parameters<typeof runPreview>[1]> = {}): Promise<string> {
  const said: string[] = [];
  const options = { config, format: "text", console: "http://127.0.0.1:9", ...more } as const;
  expect(await runPreview(fileOrId, options, (text) => void said.push(text))).toBe(0);
  return said.join("\n");
}

test("a file is shown as a target would get it, in its own words or the usual ones", async () => {
  const path = file("incident.json", JSON.stringify(incident));
  const own = await preview(path, { target: "pager" });
  expect(own).toContain("RESOLVED  Ring Anna: HV11 lost a disk");
  expect(own).toContain("since 17 Mar 2026 03:00:04 Oslo (02:00 UTC)");
  expect(await preview(path, { target: "mail" })).toContain("PROBABLE CAUSE   The disk is broken");
  expect(await preview(path, { format: "short" })).toBe(
    "RESOLVED HV11 lost a disk\nCause: The disk is broken 100 % confirmed\nDo first: No safe first step is known for this; look at the evidence before changing anything",
  );
  expect(await preview(path, { format: "html" })).toContain("<h1");
  expect(await preview(path, { format: "markdown" })).toContain("## RESOLVED: HV11 lost a disk");
});

test("an id is asked for at the console", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.end(JSON.stringify(incident));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const console = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await preview("abab", { console })).toContain("HV11 lost a disk");
  } finally {
    server.closeAllConnections();
    server.close();
  }
  expect(asked).toEqual(["/api/v1/incidents/abab"]);
});

test("a target that is not there, and an incident that cannot be had, are named", async () => {
  await expect(preview("abab", { target: "pagr" })).rejects.toMatchObject({ code: "preview.no-target" });
  await expect(preview("abab")).rejects.toMatchObject({ code: "console.no-answer" });
  await expect(preview(join(dir, "nowhere"))).rejects.toMatchObject({ code: "incident.unreadable" });
});
