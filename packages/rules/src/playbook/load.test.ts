import { expect, test } from "vitest";
import { diagnosticText } from "./diagnostic.ts";
import { compileKnowledge } from "./knowledge.ts";

const DETECTIONS = `title: Disk failed
name: disk_failed
logsource: { product: windows }
detection:
  event: { EventID: 7 }
  condition: event
x-culprit:
  say: 'the disk {disk} failed'
  bind: { disk: DeviceName, code: { field: Decoded.Text, pattern: 'code (?P<code>[0-9]+)' } }
---
title: Disk slow
name: disk_slow
logsource: { product: windows }
detection:
  event: { EventID: 153 }
  condition: event
x-culprit: { say: 'the disk was slow' }
`;

const GOOD = `playbook: 1
id: disk-trouble
version: 1
title: 'Disk trouble on {host}'
severity: high
layer: storage
signals:
  failed: { rule: disk_failed }
  slow:   { rule: disk_slow }
open: { when: failed }
collect: { before: 30m, after: 10m }
causes:
  - { id: worn, title: Worn, summary: 'It is worn.', prior: 0.4, evidence: [{ signal: slow, for: strong }], actions: [Replace] }
  - { id: cable, title: Cable, summary: 'It is loose.', prior: 0.2, evidence: [{ signal: failed, for: weak, atLeast: 3 }], actions: [Reseat] }
unknown: { prior: 0.4 }
`;

function findings(playbook: string, detections = DETECTIONS): string[] {
  return compileKnowledge({
    detections: [{ file: "d.yaml", text: detections }],
    playbooks: [{ file: "p.yaml", text: playbook }],
  }).diagnostics.map(diagnosticText);
}

/** The good playbook with one line changed. */
function changed(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`no '${from}'`);
  return GOOD.replace(from, to);
}

test("a sound playbook has no findings", () => {
  expect(findings(GOOD)).toEqual([]);
});

test("a correlation is said not to run, and is no detection to a playbook", () => {
  const many = `---
title: Many disks
name: many
correlation: { type: event_count, rules: [disk_failed], group-by: [Computer], timespan: 5m, condition: { gte: 3 } }
`;
  expect(findings(GOOD, DETECTIONS + many).join()).toContain('correlation "Many disks" is checked and not run');
  const asked = findings(changed("failed: { rule: disk_failed }", "failed: { rule: many }"), DETECTIONS + many);
  expect(asked.some((finding) => finding.includes("error") && finding.includes("many"))).toBe(true);
});

test.each([
  [
    "a misspelt key",
    "severity: high",
    "severty: high",
    "p.yaml:5: error: the file: unknown key 'severty' (fix: did you mean 'severity'?)",
  ],
  ["a severity that is none", "severity: high", "severity: grave", "p.yaml:5: error: severity:"],
  [
    "a detection that is not there",
    "rule: disk_slow",
    "rule: disk_slwo",
    "p.yaml:9: error: no detection 'disk_slwo' (fix: did you mean 'disk_slow'?)",
  ],
  [
    "a signal that is not there",
    "signal: slow",
    "signal: slwo",
    "p.yaml:13: error: no signal 'slwo' (fix: did you mean 'slow'?)",
  ],
  [
    "a condition that does not parse",
    "open: { when: failed }",
    "open: { when: 'failed and' }",
    "p.yaml:10: error: 'failed and': expected the name of a signal at column 11",
  ],
  [
    "priors that do not sum to one",
    "prior: 0.4, evidence",
    "prior: 0.3, evidence",
    "p.yaml:12: error: priors and unknown.prior sum to 0.900, not 1",
  ],
  [
    "a window outside of what is collected",
    "signal: slow, for",
    "signal: slow, within: [-2h, 0m], for",
    "p.yaml:13: error: the window lies outside 'collect'",
  ],
  [
    "a binding that the detection does not have",
    "failed: { rule: disk_failed }",
    "failed: { rule: disk_failed, where: { dsk: '1' } }",
    "p.yaml:8: error: detection 'disk_failed' binds no 'dsk' (fix: it binds: disk, code)",
  ],
  [
    "a role that is none",
    "slow:   { rule: disk_slow }",
    "slow:   { rule: disk_slow, on: neighbour }",
    "p.yaml:9: error: 'neighbour' is neither a role nor a variable",
  ],
  [
    "evidence both for and against",
    "signal: slow, for: strong",
    "signal: slow, for: strong, against: weak",
    "p.yaml:13: error: evidence is 'for' or 'against', not both",
  ],
  [
    "evidence that says nothing",
    "signal: slow, for: strong",
    "signal: slow",
    "p.yaml:13: error: evidence without 'for', 'against', 'missing' or 'ask' says nothing",
  ],
  [
    "a condition on a variable that nothing gives",
    "slow:   { rule: disk_slow }",
    "slow:   { rule: disk_failed, where: { disk: { same: volume } } }",
    "p.yaml:9: error: nothing gives the variable 'volume'",
  ],
  [
    "a condition on a cause that the incidents do not have",
    "slow:   { rule: disk_slow }",
    "slow:   { incident: [disk-trouble], where: { cause: [worm] } }",
    "p.yaml:9: error: none of these incidents has the cause 'worm' (fix: worn)",
  ],
  [
    "a condition on a binding that the incidents do not have",
    "slow:   { rule: disk_slow }",
    "slow:   { incident: [disk-trouble], where: { dsk: C } }",
    "p.yaml:9: error: none of these incidents binds 'dsk' (fix: disk)",
  ],
  [
    "a window of zero",
    "open: { when: failed }",
    "open: { when: failed, merge: 0m }",
    "p.yaml:10: error: open.merge: a duration above zero",
  ],
  [
    "a duration that is none",
    "before: 30m",
    "before: soon",
    "p.yaml:11: error: collect.before: a duration such as 90s, -15m, 6h or 30d",
  ],
  ["two keys alike", "version: 1", "version: 1\nversion: 2", "p.yaml:4: error: Map keys must be unique"],
])("%s is refused with its line and the likely fix", (_what, from, to, message) => {
  expect(findings(changed(from, to)).join("\n")).toContain(message);
});

test("two causes that no evidence can tell apart are named", () => {
  const twins = changed(
    "evidence: [{ signal: failed, for: weak, atLeast: 3 }]",
    "evidence: [{ signal: slow, for: strong }]",
  );
  expect(findings(twins).join("\n")).toContain("no evidence can tell 'cable' from 'worn'");
});

test("an unverified cause may weigh no more than weak", () => {
  const bold = changed("prior: 0.4, evidence", "prior: 0.4, confidence: unverified, evidence");
  expect(findings(bold).join("\n")).toContain("a cause marked unverified weighs at most weak");
});

const TABLE = `
table:
  inputs: { F: failed, S: slow }
  rows:
    - { if: { F: yes, S: yes }, cause: worn, for: strong }
    - { if: { F: yes, S: no }, cause: cable, for: strong }
    - { if: { F: no, S: yes }, cause: worn, for: weak }
`;

test("a truth table with a missing row is refused", () => {
  expect(findings(GOOD + TABLE).join("\n")).toContain("1 of 4 combinations have no row");
  expect(findings(`${GOOD}${TABLE}    - { if: { F: no, S: no }, cause: cable, for: weak }\n`)).toEqual([]);
});

test("an alias bomb and a file of unusual size are refused without being expanded", () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c]\n`;
  expect(findings(bomb).join("\n")).toContain("p.yaml:1: error:");
  expect(findings(`# ${"x".repeat(300_000)}\n${GOOD}`).join("\n")).toContain("a playbook has at most");
});

test("a detection whose x-culprit cannot be read is named, and the playbook that needs it left out", () => {
  const broken = DETECTIONS.replace("say: 'the disk was slow'", "sya: 'the disk was slow'");
  expect(findings(GOOD, broken).join("\n")).toMatch(/d\.yaml:\d+: error: disk_slow: x-culprit/);
});

test("a playbook with an error leaves the others standing", () => {
  const { knowledge } = compileKnowledge({
    detections: [{ file: "d.yaml", text: DETECTIONS }],
    playbooks: [
      { file: "p.yaml", text: GOOD },
      { file: "q.yaml", text: changed("id: disk-trouble", "id: Disk Trouble") },
    ],
  });
  expect([...knowledge.program.playbooks.keys()]).toEqual(["disk-trouble"]);
});
