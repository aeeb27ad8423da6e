import { expect, test } from "vitest";
import type { Group } from "./group.ts";
import { interpolate } from "./narrate.ts";

/** A group as far as texts ask: variables, and no signal of any alias. */
const group = {
  variables: { host: "hv11.contoso.com", vm: "SHOP" },
  playbook: { signals: { link: {} }, collect: { before: 0, after: 0 } },
  anchor: { from: 0, to: 0 },
  span: { from: 0, to: 0 },
  openers: new Map(),
  within: () => [],
} as unknown as Group;

test("words for when there is nothing may hold placeholders themselves", () => {
  expect(interpolate("Partner {link.partner|of {host}} is down", group)).toBe("Partner of HV11 is down");
  expect(interpolate("{a|{b|{vm}}} and {a|{b|none}}", group)).toBe("SHOP and none");
  expect(interpolate("{link.partner} of {host.full}", group)).toBe("(not in the logs) of hv11.contoso.com");
  expect(interpolate("[{link.partner|}]", group)).toBe("[]");
});

test("brackets that hold no placeholder are text", () => {
  expect(interpolate("@{LogName='System';Id=7036} {host", group)).toBe("@{LogName='System';Id=7036} {host");
  expect(interpolate("{} {{host}} {host} }", group)).toBe("{} {HV11} HV11 }");
  expect(interpolate("Get-X @{Name='{vm}';Start='{link.at|{host}}'}", group)).toBe("Get-X @{Name='SHOP';Start='HV11'}");
});

test("a text of many brackets is read in time", () => {
  const text = "{".repeat(20_000);
  expect(interpolate(text, group)).toBe(text);
});
