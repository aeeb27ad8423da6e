import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Knowledge } from "@culprit/rules";
import { createMetrics, silentLogger } from "@culprit/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { Config } from "./config.ts";
import { reloadKnowledge } from "./knowledge-reload.ts";
import { configuredKnowledge } from "./service-parts.ts";

const DETECTION = `title: The spool folder is full
name: own_spool_full
logsource: { product: windows, service: application }
detection:
  selection: { Provider_Name: ContosoSpool, EventID: 77 }
  condition: selection
x-culprit: { say: the spool folder was full }
`;

test("F40 a folder of one's own is read again when it changes; with an error in it the old knowledge stays", async () => {
  const dir = await mkdtemp(join(tmpdir(), "culprit-own-"));
  await mkdir(join(dir, "detections"));
  const file = join(dir, "detections", "spool.yaml");
  const config = Config.parse({ correlate: { playbooks: dir } });
  const metrics = createMetrics();
  const seen: Knowledge[] = [];
  const reload = reloadKnowledge({
    config,
    loaded: await configuredKnowledge(config),
    logger: silentLogger,
    metrics,
    onKnowledge: (knowledge) => seen.push(knowledge),
  });
  onTestFinished(async () => {
    await reload.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const within = { timeout: 60_000, interval: 50 };

  await writeFile(file, DETECTION);
  await vi.waitUntil(() => seen.length === 1, within);
  expect(seen[0]?.program.detections.has("own_spool_full")).toBe(true);

  await writeFile(file, DETECTION.replace("EventID: 77", "EventID|nonsense: 77"));
  await vi.waitUntil(() => reload.health().state === "degraded", within);
  expect(reload.health().reasons[0]).toMatch(/the old one stays: .*spool\.yaml:\d+.*nonsense/s);
  expect(seen).toHaveLength(1);

  await writeFile(file, DETECTION.replace("was full", "was full again"));
  await vi.waitUntil(() => seen.length === 2, within);
  expect(reload.health().state).toBe("ok");
});
