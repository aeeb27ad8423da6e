import { foldHost, type HostId, namedData, positionalData, type WindowsEvent } from "@culprit/model";
import { compileKnowledge, NO_TABLES } from "@culprit/rules";
import { expect, test } from "vitest";
import { createMatchStage, type KeyedInput, type MatchStage } from "./match-stage.ts";
import { createRuleMatcher } from "./rule-matcher.ts";
import { emptyTopology, type Topology } from "./topology.ts";

const T = Date.parse("2026-03-10T02:00:00Z");

const DETECTIONS = `title: Node removed
name: removed
logsource: { product: windows }
detection:
  event: { Provider_Name: Microsoft-Windows-FailoverClustering, EventID: 1135 }
  condition: event
x-culprit:
  say: 'removed'
  bind: { node: [NodeName, { field: Message, pattern: "Knoten '(?P<node>[^']+)'" }] }
  subject: node
  hosts: [node]
  facts: [{ kind: peer-of, from: '{computer}', to: '{node}' }]
---
title: Crash
name: crash
logsource: { product: windows }
detection:
  event: { Decoded.Bugcheck: '0x9E' }
  condition: event
x-culprit: { say: 'crash', bind: { code: Decoded.Bugcheck, timeout: Decoded.Arg2 } }
---
title: Nobody asks for this
name: idle
logsource: { product: windows }
detection:
  event: { EventID: 1135 }
  condition: event
x-culprit: { say: 'idle' }
`;
const PLAYBOOK = `playbook: 1
id: p
version: 1
title: t
severity: high
layer: cluster
at: cluster
signals: { removed: { rule: removed }, crash: { rule: crash } }
open: { when: removed or crash }
collect: { before: 1h, after: 1h }
causes: [{ id: c, title: c, summary: c, prior: 0.4, evidence: [{ signal: crash, for: weak }], actions: [a] }]
unknown: { prior: 0.6 }
`;

function stage(topology: Topology = emptyTopology()): MatchStage {
  const { knowledge } = compileKnowledge({
    detections: [{ file: "d", text: DETECTIONS }],
    playbooks: [{ file: "p", text: PLAYBOOK }],
  });
  return createMatchStage({
    program: knowledge.program,
    matcher: createRuleMatcher(knowledge),
    tables: NO_TABLES,
    topology,
  });
}

let recordId = 0;
function event(
  computer: string,
  provider: string,
  eventId: number,
  data: Record<string, string> | string[],
  message?: string,
): WindowsEvent {
  recordId += 1;
  return {
    provider,
    channel: "System",
    computer,
    host: foldHost(computer) as HostId,
    eventId,
    level: 2,
    timeCreated: T + recordId,
    timeQuality: "event",
    recordId: String(recordId),
    data: Array.isArray(data) ? positionalData(data) : namedData(Object.entries(data)),
    ...(message === undefined ? {} : { message }),
  };
}

function signals(inputs: readonly KeyedInput[]): Extract<KeyedInput, { kind: "signal" }>[] {
  return inputs.filter((input) => input.kind === "signal");
}

const CLUSTERING = "Microsoft-Windows-FailoverClustering";

test("an event about another machine names it as subject, and both learn that they are peers", () => {
  const found = signals(stage().event(event("HV12.contoso.com", CLUSTERING, 1135, { NodeName: "HV11" }), T));
  expect(found.map(({ key }) => key)).toEqual(["host:hv12", "host:hv11", "cluster:cluster of hv11"]);
  expect(found[0]?.signal).toMatchObject({
    rule: "removed",
    host: "hv12.contoso.com",
    subject: "hv11",
    bindings: { node: "HV11" },
  });
});

test("a value that the data lack is read from the message, in the language of the detection's pattern", () => {
  const [found] = signals(
    stage().event(event("HV12.contoso.com", CLUSTERING, 1135, {}, "Der Knoten 'HV11' wurde entfernt."), T),
  );
  expect(found?.signal.bindings).toEqual({ node: "HV11" });
});

test("codes are read as numbers from decimal and hex, whatever the text around them", () => {
  const decimal = event("hv11", "Microsoft-Windows-Kernel-Power", 41, {
    BugcheckCode: "158",
    BugcheckParameter1: "0x1",
    BugcheckParameter2: "0x3c",
    BugcheckParameter3: "0x0",
    BugcheckParameter4: "0x0",
  });
  const text = event("hv11", "BugCheck", 1001, ["0x0000009e (0x0000000000000001, 0x000000000000003c, 0x0, 0x0)"]);
  const german = event(
    "hv11",
    "Microsoft-Windows-WER-SystemErrorReporting",
    1001,
    [],
    "Fehlercode: 0x0000009E (0x1; 0x3C; 0x0; 0x0).",
  );
  for (const one of [decimal, text, german]) {
    expect(signals(stage().event(one, T))[0]?.signal.bindings).toEqual({ code: "0x9E", timeout: "0x3C" });
  }
  const unreadable = event("hv11", "Microsoft-Windows-WER-SystemErrorReporting", 1001, ["0x0000009e"]);
  expect(signals(stage().event(unreadable, T))).toEqual([]);
});

test("F45 a fact learned later sends earlier signals again, to the wider key too, with the same id", () => {
  const matching = stage();
  const crash = event("hv11.contoso.com", "Microsoft-Windows-Kernel-Power", 41, {
    BugcheckCode: "158",
    BugcheckParameter1: "0x1",
    BugcheckParameter2: "0x3c",
    BugcheckParameter3: "0x0",
    BugcheckParameter4: "0x0",
  });
  const [first] = signals(matching.event(crash, T));
  expect(first?.key).toBe("host:hv11");
  const again = signals(
    matching.event(event("hv12.contoso.com", CLUSTERING, 1135, { NodeName: "HV11" }), T + 1),
  ).filter(({ signal }) => signal.rule === "crash");
  expect(again.map(({ key }) => key).sort()).toEqual(["cluster:cluster of hv11", "host:hv11"]);
  expect(new Set(again.map(({ signal }) => signal.id))).toEqual(new Set([first?.signal.id]));
});

test("what is remembered can be handed to the next owner, who then sends it again", () => {
  const before = stage();
  before.event(
    event("hv11.contoso.com", "Microsoft-Windows-Kernel-Power", 41, {
      BugcheckCode: "158",
      BugcheckParameter1: "0x1",
      BugcheckParameter2: "0x3c",
      BugcheckParameter3: "0x0",
      BugcheckParameter4: "0x0",
    }),
    T,
  );
  const { added } = before.remembered();
  expect(before.remembered()).toEqual({ added: [], removed: [] });
  const { knowledge } = compileKnowledge({
    detections: [{ file: "d", text: DETECTIONS }],
    playbooks: [{ file: "p", text: PLAYBOOK }],
  });
  const after = createMatchStage({
    program: knowledge.program,
    matcher: createRuleMatcher(knowledge),
    tables: NO_TABLES,
    topology: emptyTopology(),
    remembered: JSON.parse(JSON.stringify(added)),
  });
  const again = signals(after.event(event("hv12.contoso.com", CLUSTERING, 1135, { NodeName: "HV11" }), T + 1));
  expect(again.some(({ key, signal }) => key.startsWith("cluster:") && signal.rule === "crash")).toBe(true);
});

test("records that follow on each other are told as one stretch; a gap begins another", () => {
  const matching = stage();
  const records = [1, 2, 3, 7, 8].map((id) => ({ ...event("web1", "x", 9, {}), recordId: String(id) }));
  const during = records.flatMap((one) => [...matching.event(one, T)]);
  const told = [...during, ...matching.flush()].filter(({ kind }) => kind === "coverage");
  expect(
    told.map((input) =>
      input.kind === "coverage"
        ? [input.coverage.firstRecordId, input.coverage.lastRecordId, input.coverage.count]
        : [],
    ),
  ).toEqual([
    [1, 3, 3],
    [7, 8, 2],
  ]);
  expect(matching.flush()).toEqual([]);
});

test("a rule that no playbook asks for makes no signal", () => {
  const found = signals(stage().event(event("hv12", CLUSTERING, 1135, { NodeName: "HV11" }), T));
  expect(new Set(found.map(({ signal }) => signal.rule))).toEqual(new Set(["removed"]));
});

test("a full name learned late reaches those who called the machine by its short name, and no other signal is sent", () => {
  const matching = stage();
  matching.event(event("HV12", CLUSTERING, 1135, { NodeName: "HV11" }), T);
  matching.event(event("HV15", CLUSTERING, 1135, { NodeName: "HV16" }), T);
  const again = signals(matching.event(event("HV11.contoso.com", "Acme", 7, []), T));
  expect(new Set(again.map(({ signal }) => signal.host))).toEqual(new Set(["hv12"]));
  expect(again[0]?.signal).toMatchObject({ subject: "hv11.contoso.com" });
  expect(again[0]?.signal.hosts.map(({ host }) => host)).toEqual(["hv12", "hv11.contoso.com"]);
  expect(signals(matching.event(event("HV11.contoso.com", "Acme", 7, []), T))).toEqual([]);
});

test("a second machine of the same short name takes back what the first one answered to", () => {
  const matching = stage();
  matching.event(event("HV12", CLUSTERING, 1135, { NodeName: "HV11" }), T);
  matching.event(event("HV11.contoso.com", "Acme", 7, []), T);
  const again = signals(matching.event(event("HV11.adatum.com", "Acme", 7, []), T));
  expect(again[0]?.signal).toMatchObject({ subject: "hv11" });
});

const FEED_DETECTION = `title: Gap
name: gap
logsource: { product: windows }
detection:
  event: { Provider_Name: Culprit, Channel: Culprit/Feed, EventID: 3 }
  condition: event
x-culprit: { say: 'gap', channel: Culprit/Feed, bind: { missing: Missing } }
`;

function feedStage(): MatchStage {
  const { knowledge } = compileKnowledge({
    detections: [{ file: "d", text: FEED_DETECTION }],
    playbooks: [
      {
        file: "p",
        text: PLAYBOOK.replace("removed: { rule: removed }, crash: { rule: crash }", "crash: { rule: gap }").replace(
          "removed or ",
          "",
        ),
      },
    ],
  });
  return createMatchStage({
    program: knowledge.program,
    matcher: createRuleMatcher(knowledge),
    tables: NO_TABLES,
    topology: emptyTopology(),
  });
}

test("what the feed lost is a signal like any other, at the time of the record after the gap", () => {
  const matching = feedStage();
  for (let id = 1; id <= 600; id += 1) {
    if (id > 550 && id < 580) continue;
    matching.event(
      { ...event("FS1", "Acme", 7, []), recordId: String(id), timeCreated: T + id * 1_000 },
      T + id * 1_000,
    );
  }
  expect(signals(matching.flush())).toEqual([]);
  expect(signals(matching.finish())).toMatchObject([
    { key: "host:fs1", signal: { rule: "gap", host: "fs1", bindings: { missing: "29" }, at: T + 580_000 } },
  ]);
});

test("a record from outside that bears our own name makes no signal", () => {
  const forged = { ...event("FS1", "Culprit", 3, { Missing: "9" }), channel: "culprit/feed" };
  expect(signals(feedStage().event(forged, T))).toEqual([]);
});
