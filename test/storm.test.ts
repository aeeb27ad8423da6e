/** Many more hosts than an incident shows stop in the same minute: one page, every host attached to it. */
import { createOffline, createRuleMatcher } from "@culprit/correlator";
import { foldHost, type HostId, MINUTE_MS, namedData, type WindowsEvent } from "@culprit/model";
import { expect, test } from "vitest";
import { KNOWLEDGE_DIR, loadKnowledge } from "../packages/cli/src/knowledge-files.ts";
import { pagedIncidents } from "../packages/cli/src/timeline.ts";

const START = Date.parse("2026-03-10T02:00:00Z");
const HOSTS = 150;

function record(n: number, provider: string, eventId: number, at: number, data: Record<string, string>): WindowsEvent {
  const computer = `node${n}.contoso.example`;
  const plain = { channel: "System", level: 1, timeQuality: "event" } as const;
  const host = foldHost(computer) as HostId;
  return { ...plain, provider, computer, host, eventId, timeCreated: at, data: namedData(Object.entries(data)) };
}

test("hosts that all lose power make one page, however many they are", async () => {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  const { program, tables } = knowledge;
  const chain = createOffline({ program, tables, matcher: createRuleMatcher(knowledge) });
  for (let n = 0; n < HOSTS; n += 1) {
    const boot = START + 4 * MINUTE_MS + n * 100;
    const stop = { BugcheckCode: "0", PowerButtonTimestamp: "0", SleepInProgress: "0" };
    chain.event(record(n, "Microsoft-Windows-Kernel-General", 12, boot, {}), boot + 6_000);
    chain.event(record(n, "Microsoft-Windows-Kernel-Power", 41, boot + 4_000, stop), boot + 6_000);
  }
  const paged = pagedIncidents(chain.finish());
  expect(paged.map(({ playbook, children }) => [playbook, children.length])).toEqual([["fleet-power-loss", HOSTS]]);
});
