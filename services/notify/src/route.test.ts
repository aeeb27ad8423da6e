import { WeeklySchedule } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { type Route, routeRefusal } from "./route.ts";

const incident = fixture("cluster-hang-9e", { severity: "high" });
const NOW = Date.parse("2026-03-17T02:12:00.000Z");
const route = (of: Partial<Route>): Route => ({ leastSeverity: "low", fallbackOnly: false, ...of });

describe("a route", () => {
  test.each([
    ["lets everything through unless told", {}, undefined],
    ["lets its least severity through", { leastSeverity: "high" }, undefined],
    ["holds back what is less grave", { leastSeverity: "critical" }, "severity-too-low"],
    ["holds everything back for a mere fallback", { fallbackOnly: true }, "fallback-only"],
    ["goes by playbook", { playbooks: ["cluster-hang-9e"] }, undefined],
    ["goes by playbook", { playbooks: ["csv-paused"] }, "other-playbook"],
    ["goes by full host name", { scope: ["hv11.contoso.com"] }, undefined],
    ["goes by short host name in any case", { scope: ["HV11"] }, undefined],
    ["goes by cluster", { scope: ["clu1"] }, undefined],
    ["goes by pattern", { scope: ["hv*.contoso.com"] }, undefined],
    ["goes by pattern with several stars", { scope: ["*v1*.con*.com"] }, undefined],
    ["does not match a part", { scope: ["hv1"] }, "other-scope"],
    ["does not let two stars use the same letters", { scope: ["clu1*1"] }, "other-scope"],
    ["holds back what no pattern names", { scope: ["sql*", "web*"] }, "other-scope"],
  ] as const)("%s: %j", (_, of, refusal) => {
    expect(routeRefusal(incident, route(of as Partial<Route>), NOW)).toBe(refusal);
  });

  test("goes by the hours of the week, and names what would hold for ever before them", () => {
    const when = WeeklySchedule.parse({
      zone: "Europe/Oslo",
      windows: [{ days: ["tue"], from: "08:00", to: "17:00" }],
    });
    expect(routeRefusal(incident, route({ when }), NOW)).toBe("outside-hours");
    expect(routeRefusal(incident, route({ when, playbooks: ["csv-paused"] }), NOW)).toBe("other-playbook");
    expect(routeRefusal(incident, route({ when }), Date.parse("2026-03-17T07:00:00.000Z"))).toBeUndefined();
  });

  test("takes no longer for a hostile pattern", () => {
    const name = "a".repeat(250);
    const hostile = {
      ...incident,
      scope: Array.from({ length: 100 }, () => ({ kind: "host", id: name, role: "x" }) as const),
    };
    const before = performance.now();
    routeRefusal(hostile, route({ scope: Array.from({ length: 100 }, () => `${"a*".repeat(100)}b`) }), NOW);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
