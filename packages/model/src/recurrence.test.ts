import { expect, test } from "vitest";
import type { Action } from "./action.ts";
import type { Incident } from "./incident.ts";
import { recurrenceOf, recurrenceText } from "./recurrence.ts";

const cause = (id: string, title: string): Incident["causes"][number] => {
  return {
    id,
    title,
    summary: "",
    share: 0.5,
    points: 0,
    for: [],
    against: [],
    missing: [],
    actions: [],
    references: [],
  };
};
const at = (day: string, change: Partial<Incident> = {}): Incident => ({
  id: day.replaceAll("-", "").padStart(64, "0") as Incident["id"],
  revision: 1,
  playbook: "cluster-hang-9e",
  playbookVersion: 1,
  programHash: "",
  title: "HV11 was stopped",
  severity: "critical",
  status: "closed",
  verdict: "likely",
  settled: true,
  scope: [{ kind: "host", id: "hv11.contoso.com", role: "victim" }],
  startedAt: `${day}T02:00:00.000Z`,
  detectedAt: `${day}T02:00:00.000Z`,
  updatedAt: `${day}T02:00:00.000Z`,
  causes: [cause("pool", "Non-paged pool exhausted"), cause("storage", "Storage stalled")],
  notCauses: [],
  facts: [],
  timeline: [],
  unknown: [],
  children: [],
  occurrences: 1,
  first: `${day}T02:00:00.000Z`,
  last: `${day}T02:00:00.000Z`,
  ...change,
});
const now = at("2026-03-17");
const none = (): readonly Action[] => [];

test("counts the same story on the same machine within 30 days", () => {
  const known = [now, at("2026-03-10"), at("2026-03-01"), at("2026-01-01"), at("2026-03-20")];
  const lastAt = "2026-03-10T02:00:00.000Z";
  expect(recurrenceOf(now, known, none)).toEqual({ times: 3, days: 30, last: at("2026-03-10").id, lastAt });
});

test("another playbook, another machine and what a wider incident explains do not count", () => {
  const known = [
    at("2026-03-10", { playbook: "csv-paused" }),
    at("2026-03-11", { scope: [{ kind: "host", id: "hv12.contoso.com", role: "victim" }] }),
    at("2026-03-12", { parent: now.id }),
  ];
  expect(recurrenceOf(now, known, none)).toBeUndefined();
});

test("says how people closed the last one, and the cause that was confirmed last, be it of an earlier one", () => {
  const last = at("2026-03-10");
  const earlier = at("2026-03-02");
  const act = (n: number, incident: Incident) => {
    return { id: String(n).repeat(64), incident: incident.id, at: n, who: "ada" };
  };
  const acts: readonly Action[] = [
    { kind: "resolve", ...act(2, last), note: "backup agent leak" },
    { kind: "note", ...act(1, last), note: "looking" },
    { kind: "note", ...act(3, last), note: "done" },
    { kind: "confirm-cause", ...act(4, earlier), cause: "storage" },
  ];
  const found = recurrenceOf(now, [last, earlier], (id) => acts.filter(({ incident }) => incident === id));
  expect(found).toMatchObject({ lastOutcome: "backup agent leak", lastCause: "Storage stalled" });
  expect(found === undefined ? "" : recurrenceText(found, "10 Mar")).toBe(
    '3rd time in 30 days; last time on 10 Mar, last cause confirmed: Storage stalled, closed as "backup agent leak"',
  );
});

test("times are counted as people say them", () => {
  const text = (times: number) => recurrenceText({ times, days: 30, last: now.id, lastAt: now.startedAt }, "");
  expect([2, 3, 4, 11, 12, 13, 21, 22].map((times) => text(times).split(" ")[0])).toEqual([
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "22nd",
  ]);
});
