import { type Delivery, HOUR_MS, type Incident, MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { decide, type Situation } from "./decision.ts";
import { fixture } from "./fixtures.ts";
import { newRecord, withIntent, withOutcome } from "./record.ts";

const NOW = Date.parse("2026-03-17T02:12:00.000Z");
const incident = fixture("cluster-hang-9e");
const over: Incident = { ...incident, status: "closed" };
const child: Incident = { ...incident, parent: incident.children[0] ?? incident.id };

function situation(of: Partial<Situation>): Situation {
  return {
    incident,
    record: undefined,
    parentRecord: undefined,
    wanted: true,
    now: NOW,
    updateEveryMs: 2 * MINUTE_MS,
    ...of,
  };
}

function opened(at = NOW - HOUR_MS, of: Incident = incident): Delivery {
  const intent = withIntent(newRecord(of, "pager"), of, { action: "trigger", reason: "first", now: at });
  return withOutcome(intent, of, { result: "ok", certainty: "delivered" }, at);
}

function closed(): Delivery {
  const intent = withIntent(opened(), over, { action: "resolve", reason: "ended", now: NOW });
  return withOutcome(intent, over, { result: "ok", certainty: "delivered" }, NOW);
}

describe("when nothing was sent yet", () => {
  test.each([
    ["something is going on: first notification", { incident }, "trigger", "first"],
    ["nothing is going on: never a lone resolve", { incident: over }, "none", "nothing-open"],
    ["severity info never pages", { incident: { ...incident, severity: "info" } }, "none", "severity-info"],
    ["a child never pages", { incident: child }, "none", "explained-by-parent"],
    ["a route that does not want it stays quiet", { wanted: false }, "none", "not-routed"],
  ] as const)("%s", (_, of, act, reason) => {
    expect(decide(situation(of as Partial<Situation>))).toMatchObject({ act, reason });
  });
});

test("a time of detection that lies ahead is a wrong clock and waits for nothing", () => {
  const ahead = { ...incident, detectedAt: new Date(NOW + 3_600_000).toISOString() };
  const found = situation({ incident: ahead, groupWaitMs: MINUTE_MS });
  expect(decide(found)).toEqual({ act: "trigger", reason: "first" });
});

describe("when a page is open", () => {
  const changed = (change: Partial<Incident>): Incident => ({ ...incident, ...change, revision: 4 });
  const [first, second, ...rest] = incident.causes;
  const swapped = [second, first, ...rest].flatMap((cause) => cause ?? []);

  test.each([
    ["the same state stays quiet", incident, "none", "unchanged"],
    ["a new revision with the same meaning stays quiet", changed({ unknown: ["x"] }), "none", "unchanged"],
    ["another top cause is told", changed({ causes: swapped }), "update", "top-cause-changed"],
    ["another severity is told", changed({ severity: "high" }), "update", "severity-changed"],
    ["another verdict is told", changed({ verdict: "confirmed" }), "update", "verdict-changed"],
    ["an acknowledgement is told", changed({ status: "acknowledged" }), "update", "acknowledged"],
    [
      "an acknowledgement is told before another change",
      changed({ status: "acknowledged", severity: "high" }),
      "update",
      "acknowledged",
    ],
    ["the end is told", over, "resolve", "ended"],
  ] as const)("%s", (_, now, act, reason) => {
    expect(decide(situation({ incident: now, record: opened() }))).toMatchObject({ act, reason });
  });

  test("severity, route and parent never swallow the resolve", () => {
    const gone: Incident = { ...child, status: "resolved", severity: "info" };
    expect(decide(situation({ incident: gone, wanted: false, record: opened() }))).toMatchObject({ act: "resolve" });
  });

  test("an edit waits until the last one is old enough, a graver severity does not", () => {
    const record = opened(NOW - MINUTE_MS);
    const verdict = changed({ verdict: "confirmed" });
    expect(decide(situation({ incident: verdict, record }))).toEqual({
      act: "none",
      reason: "too-soon",
      until: NOW + MINUTE_MS,
    });
    expect(decide(situation({ incident: changed({ severity: "high" }), record }))).toMatchObject({
      reason: "too-soon",
    });
    const milder = opened(NOW - MINUTE_MS, changed({ severity: "high" }));
    expect(decide(situation({ record: milder }))).toMatchObject({ act: "update", reason: "severity-changed" });
    expect(decide(situation({ incident: changed({ status: "acknowledged" }), record }))).toMatchObject({
      act: "update",
    });
  });

  test("is repeated when it is older than asked for, unless someone has it", () => {
    const record = opened();
    expect(decide(situation({ record, repeatMs: HOUR_MS }))).toMatchObject({ act: "update", reason: "repeat" });
    expect(decide(situation({ record, repeatMs: 2 * HOUR_MS }))).toMatchObject({ act: "none", until: NOW + HOUR_MS });
  });

  test("a child is closed once its parent has a page of its own", () => {
    const parentRecord = { ...opened(), key: "b".repeat(64) };
    expect(decide(situation({ incident: child, record: opened(), parentRecord }))).toMatchObject({
      act: "resolve",
      reason: "merged-into-parent",
    });
    expect(decide(situation({ incident: child, record: opened() }))).toMatchObject({ reason: "explained-by-parent" });
  });
});

describe("when it is not known whether the page arrived", () => {
  const intended = withIntent(newRecord(incident, "pager"), incident, { action: "trigger", reason: "first", now: NOW });

  test("it is sent again with the same key, never left out", () => {
    expect(decide(situation({ record: intended }))).toEqual({ act: "trigger", reason: "first" });
    expect(intended.key).toBe(incident.id);
  });

  test("a page that could not be sent in time is still sent before its resolve", () => {
    const failed = withOutcome(intended, incident, { result: "later", detail: "503", uncertain: false }, NOW);
    expect(failed.held).toBe("none");
    expect(decide(situation({ incident: over, record: failed }))).toMatchObject({ act: "trigger" });
    const late = withOutcome(failed, over, { result: "ok", certainty: "accepted" }, NOW);
    expect(decide(situation({ incident: over, record: late }))).toMatchObject({ act: "resolve", reason: "ended" });
  });

  test("what a target refuses is not sent again until there is a new revision", () => {
    const refused = withOutcome(intended, incident, { result: "never", detail: "400" }, NOW);
    expect(decide(situation({ record: refused }))).toMatchObject({ act: "none", reason: "refused" });
    const next = { ...incident, revision: incident.revision + 1 };
    expect(decide(situation({ incident: next, record: refused }))).toMatchObject({ act: "trigger" });
  });
});

test("an incident that returns after its page was closed is told again", () => {
  expect(decide(situation({ record: closed() }))).toMatchObject({ act: "trigger", reason: "returned" });
  expect(decide(situation({ record: closed(), incident: over }))).toMatchObject({ act: "none" });
});

test("a page that a wider incident took over is left alone until the child stands on its own again", () => {
  const record: Delivery = { ...opened(), held: "none", heldBy: child.parent ?? incident.id };
  expect(decide(situation({ incident: child, record }))).toMatchObject({ reason: "taken-over" });
  expect(decide(situation({ record }))).toEqual({ act: "trigger", reason: "left-parent" });
});
