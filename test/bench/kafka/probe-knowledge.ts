/** A playbook that pages at once, so that the time to a page is that of the way and not of a wait. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isoOf } from "@culprit/model";

export const PROBE_PLAYBOOK = "bench-probe";
const PROVIDER = "CulpritBench";

const DETECTION = `title: 'Bench: a probe'
name: bench_probe
logsource: { product: windows }
detection:
  event: { Provider_Name: '${PROVIDER}', EventID: 1 }
  condition: event
x-culprit:
  say: 'a probe'
  channel: 'Application'
`;

const PLAYBOOK = `playbook: 1
id: ${PROBE_PLAYBOOK}
version: 1
title: 'A probe on {host}'
severity: high
layer: service
signals:
  probe: { rule: bench_probe }
open: { when: probe, merge: 1h }
collect: { before: 1h, after: 1h }
causes:
  - id: bench
    title: 'The bench'
    summary: 'The bench sent a probe.'
    prior: 0.5
    evidence: [{ signal: probe, within: [-1h, 1h], for: strong }]
    actions: ['Nothing']
    references: ['test/bench/kafka.ts']
unknown: { prior: 0.5, title: 'Who probes', summary: 'A probe came.', actions: ['Nothing'] }
close: { idle: 1h, reopen: 1h }
alert: { wait: 0s }
`;

/** Writes the folder; answers with its path. */
export function writeProbeKnowledge(): string {
  const dir = mkdtempSync(join(tmpdir(), "culprit-bench-"));
  for (const [folder, text] of [
    ["detections", DETECTION],
    ["playbooks", PLAYBOOK],
  ] as const) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, "bench-probe.yaml"), text);
  }
  return dir;
}

/** A record that pages. */
export function probe(host: string): object {
  const at = isoOf(Date.now());
  return {
    "@timestamp": at,
    event: { code: "1", kind: "event", provider: PROVIDER, created: at },
    host: { name: host },
    log: { level: "error" },
    message: "A probe.",
    winlog: {
      channel: "Application",
      provider_name: PROVIDER,
      event_id: "1",
      record_id: 1,
      computer_name: host,
      event_data: { param1: "probe" },
    },
  };
}
