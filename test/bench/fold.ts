/**
 * `step` alone: signals a second through the fold with 10,000 open windows, and a storm of 5,000 hosts that stop within five
 * minutes, which must end as one incident, with the memory it takes.
 */
import { createMatchStage, createRuleMatcher, emptyState, emptyTopology, type Input, step } from "@culprit/correlator";
import {
  type Coverage,
  foldHost,
  type Incident,
  MINUTE_MS,
  namedData,
  positionalData,
  SECOND_MS,
  type WindowsEvent,
} from "@culprit/model";
import { KNOWLEDGE_DIR, loadKnowledge } from "../../packages/cli/src/knowledge-files.ts";
import { pagedIncidents } from "../../packages/cli/src/timeline.ts";
import type { BenchFigure, BenchResult } from "./evtx.ts";

const START = Date.parse("2026-03-10T02:00:00Z");
const WINDOWS = 10_000;
const SIGNALS = 100_000;
const STORM_HOSTS = 5_000;

function event(
  computer: string,
  at: number,
  provider: string,
  eventId: number,
  data: Record<string, string> | string[],
  recordId: number,
): WindowsEvent {
  const host = foldHost(computer);
  if (host === undefined) throw new RangeError(computer);
  return {
    provider,
    channel: "System",
    computer,
    host,
    eventId,
    level: 2,
    timeCreated: at,
    timeQuality: "event",
    recordId: String(recordId),
    data: Array.isArray(data) ? positionalData(data) : namedData(Object.entries(data)),
  };
}

export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  const { program } = knowledge;
  const matcher = createRuleMatcher(knowledge);
  const stage = () => createMatchStage({ program, matcher, tables: knowledge.tables, topology: emptyTopology() });
  const figures: BenchFigure[] = [];
  const tell = (figure: BenchFigure): void => {
    figures.push(figure);
    print(`  ${figure.name}: ${Math.round(figure.value).toLocaleString("en")} ${figure.unit}`);
  };

  // A window that stays open on each host: one retried request in a quarter of an hour is no incident, one in two minutes is.
  for (const [what, everyMs] of [
    ["windows", 15 * MINUTE_MS],
    ["incidents", 100 * SECOND_MS],
  ] as const) {
    const { perSecond, keys } = steady(stage(), program, everyMs);
    tell({
      name: `signals folded with ${keys.toLocaleString("en")} open ${what}`,
      value: perSecond,
      unit: "records/s",
    });
  }

  storm(stage(), program, tell, print);
  return { bench: "fold", figures, leftOut: [] };
}

/** Every host has the same signal again and again; a tick comes with each ten seconds, as the match stage gives it. */
function steady(
  stage: ReturnType<typeof createMatchStage>,
  program: Parameters<typeof step>[2],
  everyMs: number,
): { readonly perSecond: number; readonly keys: number } {
  const atOf = (n: number): number => START + Math.floor((n * everyMs) / WINDOWS);
  const inputs = Array.from({ length: SIGNALS }, (_, n): readonly Input[] => {
    const data = ["\\Device\\Harddisk1\\DR1", "0x99", "1"];
    return stage
      .event(event(`srv${n % WINDOWS}.contoso.example`, atOf(n), "disk", 153, data, n), atOf(n))
      .filter(({ kind }) => kind === "signal");
  });
  const state = emptyState();
  let nextTick = START;
  const start = performance.now();
  inputs.forEach((signals, n) => {
    if (atOf(n) >= nextTick) {
      step(state, { kind: "tick", at: atOf(n) }, program);
      nextTick = atOf(n) + 10 * SECOND_MS;
    }
    for (const signal of signals) step(state, signal, program);
  });
  step(state, { kind: "tick", at: nextTick }, program);
  const perSecond = inputs.reduce((sum, signals) => sum + signals.length, 0) / ((performance.now() - start) / 1000);
  return { perSecond, keys: state.keys.size };
}

/** Hosts that all stop without a clean shutdown and come back, within five minutes. */
function storm(
  stage: ReturnType<typeof createMatchStage>,
  program: Parameters<typeof step>[2],
  tell: (figure: BenchFigure) => void,
  print: (line: string) => void,
): void {
  const state = emptyState();
  const last = new Map<string, Incident>();
  const began = performance.now();
  const take = (inputs: readonly Input[]): Input[] => {
    const sent: Input[] = [];
    for (const input of inputs) {
      for (const output of step(state, input, program)) {
        if (output.kind === "send") sent.push(output.input);
        else last.set(output.incident.id, output.incident);
      }
    }
    return sent;
  };
  const tick = (at: number): void => {
    take(stage.flush());
    let sent = take([{ kind: "tick", at }]);
    while (sent.length > 0) sent = [...take(sent), ...take([{ kind: "tick", at }])];
  };
  let signals = 0;
  for (let n = 0; n < STORM_HOSTS; n += 1) {
    const computer = `node${n}.contoso.example`;
    const down = START + Math.round((n * MINUTE_MS) / STORM_HOSTS);
    const boot = down + 4 * MINUTE_MS;
    const before: Coverage = {
      host: event(computer, down, "x", 1, {}, 1).host,
      channel: "System",
      from: down - 1_000,
      to: down - 1_000,
      count: 1,
      firstRecordId: 1,
      lastRecordId: 1,
    };
    take(stage.coverage(before, down));
    for (const one of [
      event(computer, boot, "Microsoft-Windows-Kernel-General", 12, {}, 2),
      event(
        computer,
        boot + 4_000,
        "Microsoft-Windows-Kernel-Power",
        41,
        { BugcheckCode: "0", PowerButtonTimestamp: "0", SleepInProgress: "0" },
        3,
      ),
    ]) {
      const inputs = stage.event(one, boot + 6_000);
      signals += inputs.filter(({ kind }) => kind === "signal").length;
      take(inputs);
    }
    if (n % 100 === 99) tick(boot + 6_000);
  }
  for (let minute = 5; minute < 30; minute += 1) tick(START + minute * MINUTE_MS);
  const paged = pagedIncidents([...last.values()]);
  tell({
    name: `signals folded in a storm of ${STORM_HOSTS.toLocaleString("en")} hosts`,
    value: signals / ((performance.now() - began) / 1000),
    unit: "records/s",
  });
  tell({ name: "resident memory after it", value: process.memoryUsage().rss / 1e6, unit: "MB" });
  print(
    `  the storm pages ${paged.length} time(s): ${paged
      .slice(0, 2)
      .map(({ playbook, children }) => `${playbook} with ${children.length} children`)
      .join("; ")}`,
  );
}
