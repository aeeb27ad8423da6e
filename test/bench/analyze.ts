/**
 * `analyze` over 200,000 generated Winlogbeat records of 200 hosts, one in a hundred of which some playbook wants, against
 * `JSON.parse` of the same lines.
 */
import { createOffline, createRuleMatcher } from "@culprit/correlator";
import { createDecoder } from "@culprit/formats";
import { isoOf } from "@culprit/model";
import { knowledgeSelection } from "@culprit/rules";
import { createArrivals } from "../../packages/cli/src/arrival.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "../../packages/cli/src/knowledge-files.ts";
import type { BenchFigure, BenchResult } from "./evtx.ts";

const RECORDS = 200_000;
const HOSTS = 200;
const START = Date.parse("2026-03-10T00:00:00Z");
const CHUNK_BYTES = 1 << 18;

/** Logons mostly, service changes, and now and then a retried request or a service that did not answer. */
function record(n: number): object {
  const host = `srv${n % HOSTS}.contoso.example`;
  const at = START + n * 40;
  const base = (channel: string, provider: string, id: number, data: Record<string, string>, message: string) => ({
    "@timestamp": isoOf(at),
    event: { code: String(id), kind: "event", provider, created: isoOf(at + 2_000) },
    host: { name: host },
    log: { level: "information" },
    message,
    winlog: {
      channel,
      provider_name: provider,
      event_id: String(id),
      record_id: Math.floor(n / HOSTS) + 1,
      computer_name: host,
      api: "wineventlog",
      event_data: data,
    },
  });
  if (n % 400 === 1)
    return base(
      "System",
      "disk",
      153,
      { param1: "\\Device\\Harddisk1\\DR1", param2: "0x99", param3: "1" },
      "The IO operation at logical block address 0x99 for Disk 1 was retried.",
    );
  if (n % 400 === 2)
    return base(
      "System",
      "Service Control Manager",
      7011,
      { param1: "30000", param2: "Winmgmt" },
      "A timeout (30000 milliseconds) was reached.",
    );
  if (n % 20 === 3)
    return base(
      "System",
      "Service Control Manager",
      7040,
      { param1: "BITS", param2: "auto start", param3: "demand start" },
      "The start type was changed.",
    );
  return base(
    "Security",
    "Microsoft-Windows-Security-Auditing",
    4624,
    {
      SubjectUserSid: "S-1-5-18",
      SubjectUserName: `SRV${n % HOSTS}$`,
      TargetUserName: `user${n % 977}`,
      LogonType: "3",
      IpAddress: `10.1.${n % 250}.${n % 199}`,
      WorkstationName: "-",
    },
    "An account was successfully logged on.",
  );
}

export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const lines = Array.from({ length: RECORDS }, (_, n) => JSON.stringify(record(n)));
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);

  const parsed = seconds(() => {
    for (const line of lines) JSON.parse(line);
  });
  let incidents = 0;
  const analysed = seconds(() => {
    const matcher = createRuleMatcher(knowledge);
    const arrivals = createArrivals(matcher, knowledge.tables);
    const decoder = createDecoder({
      zone: "UTC",
      receivedAt: START,
      selection: knowledgeSelection(knowledge),
      canDoWithout: (shown) => arrivals.addUnwanted(shown),
    });
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
      for (const item of decoder.push(bytes.subarray(at, at + CHUNK_BYTES)))
        if (item.event !== undefined) arrivals.add(item.event);
    for (const item of decoder.end()) if (item.event !== undefined) arrivals.add(item.event);
    const chain = createOffline({
      program: knowledge.program,
      matcher,
      tables: knowledge.tables,
      onRevision: () => {},
    });
    arrivals.feed(chain);
    incidents = chain.finish().length;
  });
  const figures: BenchFigure[] = [
    { name: "analyze", value: RECORDS / analysed, unit: "records/s" },
    { name: "analyze", value: bytes.length / 1e6 / analysed, unit: "MB/s" },
    { name: "analyze to JSON.parse of the same lines", value: parsed / analysed, unit: "ratio" },
  ];
  for (const { name, value, unit } of figures)
    print(`  ${name}: ${value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2)} ${unit}`);
  print(`  ${incidents} incidents in ${RECORDS.toLocaleString("en")} records of ${HOSTS} hosts`);
  return { bench: "analyze", figures, leftOut: [] };
}

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
