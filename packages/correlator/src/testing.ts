/** For tests of the fold: a small program of two playbooks, and signals made by hand. */
import {
  contentId,
  type EpochMs,
  type EventId,
  foldHost,
  type HostId,
  type HostRelations,
  type Signal,
  type SignalId,
} from "@culprit/model";
import { compileKnowledge, type Program } from "@culprit/rules";

const detection = (name: string, id: number, extra = ""): string =>
  `title: ${name}\nname: ${name}\nlogsource: { product: windows }\ndetection:\n  event: { EventID: ${id} }\n  condition: event\nx-culprit:\n  say: '${name} happened'\n  channel: System\n${extra}`;

const DETECTIONS = [
  detection("fail", 1, "  bind: { disk: Disk }\n"),
  detection("warn", 2),
  detection("fix", 3),
  detection("crash", 4, "  time: crash\n"),
  detection("boot", 5, "  time: boot\n"),
  detection("lost", 6, "  time: lost\n  bind: { node: Node }\n  subject: node\n  hosts: [node]\n"),
].join("---\n");

const FAILURE = `
playbook: 1
id: failure
version: 1
title: 'Disk of {host} fails'
severity: high
layer: storage
signals:
  fail: { rule: fail }
  warn: { rule: warn }
  fix:  { rule: fix }
open: { when: 'count(fail, 10m) >= 2', merge: 30m }
collect: { before: 30m, after: 10m, lateness: 1h }
causes:
  - { id: worn, title: 'Worn disk', summary: 'The disk is worn.', prior: 0.3, evidence: [{ signal: warn, within: [-30m, 0m], for: strong, missing: moderate }], actions: ['Replace it'] }
  - { id: cable, title: 'Loose cable', summary: 'The cable is loose.', prior: 0.3, evidence: [{ signal: fail, within: [0m, 10m], for: weak, atLeast: 4 }], actions: ['Reseat it'] }
unknown: { prior: 0.4 }
close: { when: fix, idle: 2h, reopen: 4h }
alert: { wait: 0s }
`;

const CRASH = `
playbook: 1
id: crash
version: 1
title: '{host} crashed'
severity: critical
layer: power
signals:
  crash: { rule: crash }
open: { when: crash, merge: 10m }
collect: { before: 30m, after: 10m, lateness: 1h }
causes:
  - { id: power, title: 'Power', summary: 'Power was lost.', prior: 0.4, evidence: [{ signal: crash, within: [-10m, 10m], for: weak }], actions: ['Look'] }
unknown: { prior: 0.6 }
explains: [{ playbooks: [failure], on: scope, within: [-30m, 30m] }]
close: { idle: 2h, reopen: 4h }
alert: { wait: 0s }
`;

/** Two playbooks: a disk that fails twice in ten minutes, and a crash that explains it. */
export function smallProgram(): Program {
  const { knowledge, diagnostics } = compileKnowledge({
    detections: [{ file: "detections.yaml", text: DETECTIONS }],
    playbooks: [
      { file: "failure.yaml", text: FAILURE },
      { file: "crash.yaml", text: CRASH },
    ],
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return knowledge.program;
}

export interface SignalOptions {
  readonly bindings?: Readonly<Record<string, string>>;
  readonly subject?: string;
  readonly receivedAt?: EpochMs;
  readonly relations?: Partial<HostRelations>;
}

/** A signal of a rule, logged by a host at a time. */
export function signal(rule: string, host: string, at: EpochMs, options: SignalOptions = {}): Signal {
  const logger = foldHost(host) as HostId;
  const id = contentId(rule, host, String(at));
  return {
    id: id as SignalId,
    rule,
    event: {
      id: id as EventId,
      host: logger,
      provider: "test",
      eventId: 1,
      channel: "System",
      level: 2,
      at,
      summary: rule,
    },
    host: logger,
    ...(options.subject === undefined ? {} : { subject: options.subject }),
    bindings: { ...options.bindings },
    at,
    receivedAt: options.receivedAt ?? at,
    hosts: [{ host: logger, protectionServers: [], places: [], ...options.relations }],
  };
}
