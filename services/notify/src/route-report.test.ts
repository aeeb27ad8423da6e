import { Silence } from "@culprit/model";
import { expect, test } from "vitest";
import { NotifyConfig } from "./config.ts";
import { fixture } from "./fixtures.ts";
import { reportRoutes } from "./route-report.ts";
import { T0 } from "./test-kit.ts";

const config = NotifyConfig.parse({
  targets: [
    { name: "pager", kind: "terminal", leastSeverity: "high", fallback: "spare" },
    { name: "storage", kind: "terminal", playbooks: ["storage-path-loss"] },
    { name: "web", kind: "terminal", scope: ["web*"] },
    { name: "spare", kind: "terminal", fallbackOnly: true },
  ],
});

test("each target is answered with whether it is told and why", () => {
  const answers = reportRoutes(fixture("cluster-hang-9e"), { config, now: T0 });
  expect(answers.map(({ target, told, reason, fallback }) => [target, told, reason, fallback])).toEqual([
    ["pager", true, "first", "spare"],
    ["storage", false, "other-playbook", undefined],
    ["web", false, "other-scope", undefined],
    ["spare", false, "fallback-only", undefined],
  ]);
});

test("what holds an incident back everywhere is named before any route", () => {
  const parent = "b".repeat(64) as never;
  for (const [change, reason] of [
    [{ severity: "info" }, "severity-info"],
    [{ status: "closed" }, "nothing-open"],
    [{ parent }, "explained-by-parent"],
  ] as const) {
    const answers = reportRoutes(fixture("cluster-hang-9e", change), { config, now: T0 });
    expect(new Set(answers.map((answer) => answer.reason))).toEqual(new Set([reason]));
  }
});

test("a silence is named with its end, and only where nothing else holds the incident back", () => {
  const silence = Silence.parse({
    kind: "silence",
    id: "5".repeat(64),
    match: { scope: ["hv11"] },
    from: T0,
    until: T0 + 60_000,
    who: "ada",
    comment: "memory is changed",
    at: T0,
  });
  const answers = reportRoutes(fixture("cluster-hang-9e"), { config, now: T0, silences: [silence] });
  expect(answers.map(({ reason, until }) => [reason, until])).toEqual([
    ["silenced", T0 + 60_000],
    ["other-playbook", undefined],
    ["other-scope", undefined],
    ["fallback-only", undefined],
  ]);
});
