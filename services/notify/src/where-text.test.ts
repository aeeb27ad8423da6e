import type { Incident } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { whereText } from "./where-text.ts";

type Scope = Incident["scope"];
const where = (scope: Scope, children: number = 0): string =>
  whereText({ scope, children: Array(children).fill(fixture("dpm-vss").id) });
const host = (id: string, role: string): Scope[number] => ({ kind: "host", id, role });

test("what was hit comes first, who said so last", () => {
  const cluster = { kind: "cluster", id: "CLU1", role: "cluster" } as const;
  const scope = [host("hv12.contoso.com", "reporter"), host("hv11.contoso.com", "victim"), cluster];
  expect(where(scope, 2)).toBe("HV11 · cluster CLU1 · reported by HV12 · 2 further incidents are part of it");
});

test("a guest is named once, as the virtual machine it is", () => {
  const vm = { kind: "vm", id: "SQL03", role: "vm" } as const;
  const scope = [host("sql03.contoso.com", "reporter"), host("dpm1.contoso.com", "reporter"), vm];
  expect(where(scope)).toBe("virtual machine SQL03 · reported by DPM1");
});

test("other roles are said, the machine that a text only names comes with them", () => {
  const scope = [host("c", "victim"), host("hv21", "hypervisor"), host("a", "peer"), host("b", "peer")];
  expect(where([...scope, host("hv2", "named")])).toBe("C · HV21 (hypervisor) · A, B (peers) · with HV2");
});

test("where nothing was hit but what the texts name, that comes first", () => {
  expect(where([host("hv7", "reporter"), host("vmstore", "named")])).toBe("VMSTORE · reported by HV7");
});

test("of many machines some are named and the rest counted", () => {
  const scope = Array.from({ length: 40 }, (_, n) => host(`pc${n}`, "victim"));
  expect(where(scope)).toBe("PC0, PC1, PC2, PC3, PC4, PC5 and 34 more");
});

test("an incident about nothing in particular says nothing", () => {
  expect(where([])).toBe("");
});
