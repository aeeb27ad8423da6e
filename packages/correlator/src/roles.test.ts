import type { Fact, Incident } from "@culprit/model";
import { foldHost, type HostId, NO_DATA, type WindowsEvent } from "@culprit/model";
import { compileKnowledge, NO_TABLES } from "@culprit/rules";
import { expect, test } from "vitest";
import { createOffline } from "./offline.ts";
import { createRuleMatcher } from "./rule-matcher.ts";

const T = Date.parse("2026-03-10T02:00:00Z");
const DETECTION = (name: string, id: number): string =>
  `title: ${name}\nname: ${name}\nlogsource: { product: windows }\ndetection:\n  event: { EventID: ${id} }\n  condition: event\nx-culprit: { say: '${name}', channel: System }\n`;
const PLAYBOOK = `playbook: 1
id: member
version: 1
title: t
severity: high
layer: os
at: domain
signals:
  skew: { rule: skew }
  pdc: { rule: source, on: pdc }
  dcs: { rule: source, on: controllers }
open: { when: skew }
collect: { before: 1h, after: 1h }
causes:
  - { id: pdc, title: c, summary: c, prior: 0.3, evidence: [{ signal: pdc, for: strong, text: 'its PDC emulator' }], actions: [a] }
  - { id: dc, title: c, summary: c, prior: 0.3, evidence: [{ signal: dcs, for: moderate, text: 'a controller' }], actions: [a] }
unknown: { prior: 0.4 }
`;

function incidentsOf(facts: readonly Fact[], source: string): readonly Incident[] {
  const { knowledge, diagnostics } = compileKnowledge({
    detections: [{ file: "d", text: `${DETECTION("skew", 1)}---\n${DETECTION("source", 2)}` }],
    playbooks: [{ file: "p", text: PLAYBOOK }],
  });
  expect(diagnostics).toEqual([]);
  const matcher = createRuleMatcher(knowledge);
  const chain = createOffline({ program: knowledge.program, matcher, tables: NO_TABLES, facts });
  chain.event(record(source, 2, 1), T);
  chain.event(record("web1.contoso.com", 1, 2), T + 1_000);
  return chain.finish();
}

function record(computer: string, eventId: number, id: number): WindowsEvent {
  const host = foldHost(computer) as HostId;
  const plain = { provider: "Acme", channel: "System", level: 2, timeQuality: "event", data: NO_DATA } as const;
  return { ...plain, computer, host, eventId, timeCreated: T, recordId: String(id) };
}

const fact = (kind: Fact["kind"], from: string, to: string): Fact => ({ kind, from, to, source: "file" });

test("a playbook asks for what the PDC emulator or the controllers of the host's domain logged", () => {
  const facts = [
    fact("pdc-emulator-of", "dc1.contoso.com", "contoso.com"),
    fact("domain-controller-of", "dc2.contoso.com", "CONTOSO"),
    fact("pdc-emulator-of", "dc9.adatum.com", "adatum.com"),
  ];
  const first = (source: string) => incidentsOf(facts, source)[0]?.causes[0]?.id;
  expect(first("dc1.contoso.com")).toBe("pdc");
  expect(first("dc2.contoso.com")).toBe("dc");
  expect(first("dc9.adatum.com")).toBe("unknown");
  expect(first("web2.contoso.com")).toBe("unknown");
});
