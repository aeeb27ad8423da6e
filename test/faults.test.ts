/** Faults that no single package shows alone; which tests show the others stands in docs/faults.md. */
import { createOffline, createRuleMatcher } from "@culprit/correlator";
import { Arrival, DeadLetter, Fact, foldHost, type Incident, namedData, type WindowsEvent } from "@culprit/model";
import { expect, test } from "vitest";
import type { z } from "zod";
import { KNOWLEDGE_DIR, loadKnowledge } from "../packages/cli/src/knowledge-files.ts";
import { readInput } from "../services/correlate/src/input.ts";
import { essence } from "./essence.test-support.ts";
import { BAD_INPUTS, FAULTS } from "./generated/faults.ts";
import { testsById } from "./generated/faults-page.ts";

test("every fault and every bad input has a test that bears its id, or a reason", () => {
  const tests = testsById();
  const open = [...FAULTS, ...BAD_INPUTS].filter(({ id, instead }) => instead === undefined && !tests.has(id));
  expect(open.map(({ id, what }) => `${id} ${what}`)).toEqual([]);
});

const START = Date.parse("2026-03-10T02:00:00Z");
const YEAR_MS = 365 * 86_400_000;

function event(computer: string, recordId: number, timeCreated: number, eventId: number): WindowsEvent {
  const host = foldHost(computer);
  if (host === undefined) throw new RangeError(computer);
  const data = {
    BugcheckCode: "158",
    BugcheckParameter1: "0x1",
    BugcheckParameter2: "0x3c",
    BugcheckParameter3: "0xa",
  };
  return {
    provider: eventId === 41 ? "Microsoft-Windows-Kernel-Power" : "Microsoft-Windows-Kernel-General",
    channel: "System",
    computer,
    host,
    eventId,
    level: 1,
    timeCreated,
    timeQuality: "event",
    recordId: String(recordId),
    data: namedData(Object.entries(eventId === 41 ? data : { MajorVersion: "10" })),
  };
}

test("F32 a host whose clock jumps by years changes nothing for another", async () => {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  const parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
  const incidentsOf = (jumps: readonly number[]): Incident[] => {
    const chain = createOffline(parts);
    for (let n = 0; n < 6; n += 1) {
      const at = START + n * 60_000;
      const jump = jumps[n];
      if (jump !== undefined) chain.event(event("ap07.contoso.example", 900 + n, at + jump, n % 2 === 0 ? 12 : 41), at);
      if (n === 2) chain.event(event("hv11.contoso.example", 12, at, 12), at);
      if (n === 3) chain.event(event("hv11.contoso.example", 13, at, 41), at);
    }
    return chain.finish().filter(({ scope }) => scope.some(({ id }) => id === "hv11.contoso.example"));
  };
  const alone = incidentsOf([]);
  expect(alone.map(({ playbook }) => playbook)).toContain("cluster-hang-9e");
  const beside = incidentsOf([10 * YEAR_MS, -YEAR_MS, 0, 3 * YEAR_MS, -20 * YEAR_MS, 0]);
  expect(essence(beside)).toEqual(essence(alone));
});

const ID = "a".repeat(64);

/** A value of each topic as one version writes it, and who reads it. */
const WRITTEN: readonly (readonly [topic: string, read: z.ZodType | ((value: unknown) => unknown), value: object])[] = [
  [
    "events",
    Arrival,
    { kind: "event", id: ID, receivedAt: 1, receiver: "r", format: "f", event: event("a.example", 1, 1, 12) },
  ],
  ["signals", readInput, { kind: "blind", key: "host a", host: "a", blind: { from: 1, to: 2 } }],
  ["topology", Fact, { kind: "runs-on", from: "vm", to: "hv", source: "learned" }],
  [
    "dead-letters",
    DeadLetter,
    { stage: "ingest", reason: "a.b", detail: "d", at: 1, encoding: "utf8", original: "x", size: 1 },
  ],
];

test.each(WRITTEN)(
  "F42 what a newer version adds to a value of %s is passed over by an older one",
  (_, read, value) => {
    const parse = (given: unknown): unknown => (typeof read === "function" ? read(given) : read.parse(given));
    const known = parse(value);
    expect(known).toBeDefined();
    const newer = JSON.parse(JSON.stringify(value), (_key, held: unknown) =>
      typeof held === "object" && held !== null && !Array.isArray(held) ? { ...held, addedLater: { a: 1 } } : held,
    ) as unknown;
    expect(parse(newer)).toEqual(known);
  },
);
