import type { Action, Incident } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { historyOf } from "./history.ts";

const now = fixture("cluster-hang-9e");
const at = (day: string, change: Partial<Incident> = {}): Incident => ({
  ...now,
  id: day.replaceAll("-", "").padStart(64, "0") as Incident["id"],
  startedAt: `${day}T02:00:00.000Z`,
  ...change,
});
const none = (): readonly Action[] => [];

test("counts the same story on the same machine within 30 days", () => {
  const known = [now, at("2026-03-10"), at("2026-03-01"), at("2026-01-01"), at("2026-03-20")];
  expect(historyOf(now, known, none)).toEqual({ times: 3, days: 30, lastAt: "2026-03-10T02:00:00.000Z" });
});

test("another playbook, another machine and what a wider incident explains do not count", () => {
  const known = [
    at("2026-03-10", { playbook: "csv-paused" }),
    at("2026-03-11", { scope: [{ kind: "host", id: "hv12.contoso.com", role: "victim" }] }),
    at("2026-03-12", { parent: now.id }),
  ];
  expect(historyOf(now, known, none)).toBeUndefined();
});

test("says how people closed the last one", () => {
  const last = at("2026-03-10");
  const act = (n: number, kind: Action["kind"], note: string): Action => ({
    id: String(n).repeat(64),
    kind,
    incident: last.id,
    at: n,
    who: "ada",
    note,
  });
  const acts = [act(2, "resolve", "backup agent leak"), act(1, "note", "looking"), act(3, "note", "done")];
  expect(historyOf(now, [last], () => acts)?.lastOutcome).toBe("backup agent leak");
});
