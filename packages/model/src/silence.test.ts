import { describe, expect, test } from "vitest";
import type { Incident } from "./incident.ts";
import { HOUR_MS, isoOf } from "./instant.ts";
import { coversIncident, Silence, SilenceMatch, silenceOf, silenceState } from "./silence.ts";

const T0 = Date.parse("2026-03-17T02:00:00.000Z");
const id = (n: number): string => String(n).padStart(64, "0");
const silence = (of: Partial<Silence> = {}): Silence =>
  Silence.parse({
    kind: "silence",
    id: id(1),
    match: { scope: ["hv11"] },
    from: T0,
    until: T0 + 2 * HOUR_MS,
    who: "ada",
    comment: "disk is changed",
    at: T0,
    ...of,
  });

type Subject = Pick<Incident, "playbook" | "severity" | "scope">;
const crash: Subject = {
  playbook: "cluster-hang-9e",
  severity: "critical",
  scope: [
    { kind: "host", id: "hv11.contoso.com", role: "victim" },
    { kind: "host", id: "hv12.contoso.com", role: "reporter" },
    { kind: "cluster", id: "CLU1", role: "cluster" },
  ],
};
const fleet: Subject = {
  playbook: "storage-path-loss",
  severity: "critical",
  scope: [
    { kind: "host", id: "hv31.contoso.com", role: "reporter" },
    { kind: "host", id: "hv32.contoso.com", role: "reporter" },
  ],
};

describe("what a silence covers", () => {
  test.each([
    ["the one machine that is affected", { scope: ["HV11"] }, crash, true],
    ["not by a machine that only reported it", { scope: ["hv12"] }, crash, false],
    ["its cluster", { scope: ["clu*"] }, crash, true],
    ["not when another machine is affected as well", { scope: ["hv31"] }, fleet, false],
    ["when all machines are named", { scope: ["hv31", "hv32.*"] }, fleet, true],
    ["its playbook", { playbooks: ["cluster-*"] }, crash, true],
    ["not another playbook", { playbooks: ["backup-*"] }, crash, false],
    ["its severity", { severities: ["critical"] }, crash, true],
    ["not when one of several things differs", { scope: ["hv11"], severities: ["low"] }, crash, false],
    ["not by host where no host is known", { scope: ["*"] }, { ...crash, scope: [] }, false],
  ] as const)("%s", (_, match, incident, covered) => {
    expect(coversIncident(SilenceMatch.parse(match), incident as Subject)).toBe(covered);
  });

  test("nothing at all cannot be asked for", () => {
    expect(SilenceMatch.safeParse({}).success).toBe(false);
    expect(SilenceMatch.safeParse({ scope: [] }).success).toBe(false);
    expect(SilenceMatch.safeParse({ surprise: ["x"] }).success).toBe(false);
  });
});

describe("when a silence holds", () => {
  test("from its beginning to just before its end, or until someone lifts it", () => {
    const one = silence();
    expect(silenceState(one, T0 - 1)).toEqual({ state: "pending", changesAt: T0 });
    expect(silenceState(one, T0)).toEqual({ state: "active", changesAt: one.until });
    expect(silenceState(one, one.until)).toEqual({ state: "ended" });
    const lifted = silence({ lifted: { at: T0 + HOUR_MS, who: "bob" } });
    expect(silenceState(lifted, T0)).toEqual({ state: "active", changesAt: T0 + HOUR_MS });
    expect(silenceState(lifted, T0 + HOUR_MS)).toEqual({ state: "ended" });
  });

  test("with hours of the week: at these hours, in the summer time of its zone", () => {
    const windows = [{ days: ["tue"], from: "02:00", to: "04:00" } as const].map((each) => ({
      ...each,
      days: [...each.days],
    }));
    const weekly = silence({
      from: T0 - HOUR_MS,
      until: T0 + 400 * HOUR_MS,
      recurrence: { zone: "Europe/Oslo", windows },
    });
    const at = (iso: string): unknown => {
      const { state, changesAt = 0 } = silenceState(weekly, Date.parse(iso));
      return [state, isoOf(changesAt)];
    };
    expect(at("2026-03-17T02:30:00.000Z")).toEqual(["active", "2026-03-17T03:00:00.000Z"]);
    expect(at("2026-03-17T03:00:00.000Z")).toEqual(["between", "2026-03-24T01:00:00.000Z"]);
    expect(at("2026-03-31T00:30:00.000Z")).toEqual(["active", "2026-03-31T02:00:00.000Z"]);
  });

  test("of several that cover an incident the longest is named", () => {
    const short = silence();
    const long = silence({ id: id(2), until: T0 + 5 * HOUR_MS });
    const other = silence({ id: id(3), until: T0 + 9 * HOUR_MS, match: { scope: ["sql*"] } });
    expect(silenceOf(crash, [short, long, other], T0)).toEqual({ silence: long, until: long.until });
    expect(silenceOf(crash, [other], T0)).toBeUndefined();
  });
});
