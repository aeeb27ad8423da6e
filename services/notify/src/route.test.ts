import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { passesRoute, type Route } from "./route.ts";

const incident = fixture("cluster-hang-9e", { severity: "high" });
const route = (of: Partial<Route>): Route => ({ leastSeverity: "low", fallbackOnly: false, ...of });

describe("a route", () => {
  test.each([
    ["lets everything through unless told", {}, true],
    ["lets its least severity through", { leastSeverity: "high" }, true],
    ["holds back what is less grave", { leastSeverity: "critical" }, false],
    ["holds everything back for a mere fallback", { fallbackOnly: true }, false],
    ["goes by playbook", { playbooks: ["cluster-hang-9e"] }, true],
    ["goes by playbook", { playbooks: ["csv-paused"] }, false],
    ["goes by full host name", { scope: ["hv11.contoso.com"] }, true],
    ["goes by short host name in any case", { scope: ["HV11"] }, true],
    ["goes by cluster", { scope: ["clu1"] }, true],
    ["goes by pattern", { scope: ["hv*.contoso.com"] }, true],
    ["goes by pattern with several stars", { scope: ["*v1*.con*.com"] }, true],
    ["does not match a part", { scope: ["hv1"] }, false],
    ["does not let two stars use the same letters", { scope: ["clu1*1"] }, false],
    ["holds back what no pattern names", { scope: ["sql*", "web*"] }, false],
  ] as const)("%s: %j", (_, of, passes) => {
    expect(passesRoute(incident, route(of as Partial<Route>))).toBe(passes);
  });

  test("takes no longer for a hostile pattern", () => {
    const name = "a".repeat(250);
    const hostile = {
      ...incident,
      scope: Array.from({ length: 100 }, () => ({ kind: "host", id: name, role: "x" }) as const),
    };
    const before = performance.now();
    passesRoute(hostile, route({ scope: Array.from({ length: 100 }, () => `${"a*".repeat(100)}b`) }));
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
