/**
 * The public regression samples through `culprit match`, log sources respected. Each file is named after the rule it is a
 * sample of; the rules here are our own and ask for what the descriptions of those say.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runMatch } from "./match.ts";

const SAMPLES = fileURLToPath(new URL("../../../../../shared/corpora/SigmaHQ-regression", import.meta.url));
const here = existsSync(SAMPLES);
if (!here) console.log("left out: regression samples of public rules (../shared/corpora is not here)");

/** An important scheduled task is switched off: as Security, and as the task scheduler itself tells it; logs are cleared. */
const RULES = {
  "7595ba94-cf3b-4471-aa03-4f6baa9e5fad": {
    service: "security",
    detection: `
    task: { EventID: [4699, 4701], TaskName|contains: '\\SystemRestore\\' }
    machine: { EventID: 4699, SubjectUserName|endswith: $ }
    condition: task and not machine`,
  },
  "9e3cb244-bdb8-4632-8c90-6079c8f4f16d": {
    service: "taskscheduler",
    detection: `
    task: { EventID: [141, 142], TaskName|contains: '\\SystemRestore\\' }
    account: { UserName|contains: AUTHORI }
    condition: task and not 1 of acc*`,
  },
  "d4f1a2b3-7c8e-4d5f-b6a9-1e0c2d3f4e5b": {
    service: "wmi",
    detection: `
    call: { EventID: 5858, Operation|contains|all: [win32_nteventlogfile, ClearEventLog] }
    condition: call`,
  },
} as const;

test.runIf(here).each(["evtx", "json"])(
  "each sample (%s) is matched by its own rule and no other",
  async (extension) => {
    const dir = await mkdtemp(join(tmpdir(), "samples-"));
    try {
      for (const [id, { service, detection }] of Object.entries(RULES)) {
        const logsource = `logsource: { product: windows, service: ${service} }`;
        await writeFile(join(dir, `${id}.yml`), `title: ${service}\nid: ${id}\n${logsource}\ndetection:${detection}\n`);
      }
      const lines: string[] = [];
      const ids = Object.keys(RULES);
      const code = await runMatch(
        ids.map((id) => join(SAMPLES, `${id}.${extension}`)),
        { rules: [dir], routing: true, timezone: "UTC" },
        (text) => lines.push(text),
        () => undefined,
      );
      expect(code).toBe(0);
      expect(lines.map((line) => [JSON.parse(line).id, JSON.parse(line).event])).toEqual(ids.map((id, i) => [id, i]));
    } finally {
      await rm(dir, { recursive: true });
    }
  },
);
