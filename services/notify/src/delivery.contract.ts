/** What on-call gets, told by timetables: the same on every engine of the bus. */
import type { Bus } from "@culprit/bus";
import type { Incident, IncidentId } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { T0 } from "./test-kit.ts";
import { between, hours, minutes, Timetable } from "./timetable.test-support.ts";

/** How many partitions the topic `incidents` has in these stories; any other has one. */
export const deliveryPartitions = (topic: string): number => (topic === "incidents" ? 2 : 1);

const hang = fixture("cluster-hang-9e", { children: [] });
const backup = fixture("dpm-vss", { children: [] });

const revised = (incident: Incident, revision: number, change: Partial<Incident> = {}): Incident => ({
  ...incident,
  ...change,
  revision,
});
const over = (incident: Incident, revision = 90): Incident => revised(incident, revision, { status: "closed" });

/** Defines the stories; `open` gives a bus with topics of its own. */
export function deliveryContract(engine: string, open: () => Promise<Bus>): void {
  const story = (
    title: string,
    tell: (table: Timetable) => Promise<void>,
    config: Record<string, unknown> = {},
  ): void => {
    test(`${title} (${engine})`, async () => {
      await using bus = await open();
      await tell(new Timetable(bus, config));
    });
  };

  describe("a target in trouble", () => {
    story("F26 a 429 with Retry-After 7 is tried again at 7 s, and pages once", async (table) => {
      const pager = table.pager("pager");
      pager.answers(0, { status: 429, headers: { "retry-after": "7" } });
      table.publish(0, hang);
      pager.answers(3, { status: 200 });
      pager.wants(between(7, 8), "trigger", hang);
      await table.run(minutes(10));
      expect(pager.refused).toHaveLength(1);
    });

    story(
      "F26 down for two hours while three revisions come: one page with the latest text, then its end",
      async (table) => {
        const pager = table.pager("pager");
        pager.answers(0, "gone");
        table.publish(1, hang);
        table.publish(minutes(30), revised(hang, 10, { title: "second" }));
        table.publish(minutes(60), revised(hang, 11, { title: "third" }));
        table.publish(minutes(90), revised(hang, 12, { title: "fourth" }));
        pager.answers(hours(2), { status: 200 });
        pager.wants(between(hours(2), hours(2) + minutes(16)), "trigger", hang, "fourth");
        table.publish(hours(3), over(hang));
        pager.wants(hours(3), "resolve", hang);
        await table.run(hours(4));
      },
    );

    story("P5 over before the target is back: it is told of the page, and then of its end", async (table) => {
      const pager = table.pager("pager");
      pager.answers(0, { status: 503 });
      table.publish(1, hang);
      table.publish(30, over(hang));
      pager.answers(minutes(20), { status: 200 });
      const later = between(minutes(20), minutes(36));
      pager.wants(later, "trigger", hang);
      pager.wants(later, "resolve", hang);
      await table.run(hours(1));
    });

    story("F24 one that never answers holds nobody else up, and is told when it answers", async (table) => {
      const stuck = table.pager("stuck", { timeoutMs: 10_000 });
      const well = table.pager("well");
      stuck.answers(0, "hang");
      table.publish(1, hang, backup);
      well.wants(1, "trigger", hang);
      well.wants(1, "trigger", backup);
      stuck.answers(minutes(2), { status: 200 });
      const later = between(minutes(2), minutes(12));
      stuck.wants(later, "trigger", hang);
      stuck.wants(later, "trigger", backup);
      await table.run(minutes(20));
    });

    story(
      "F26 what it does not take in time goes to the fallback, which says so; the end goes to both",
      async (table) => {
        const pager = table.pager("pager", { fallback: "spare", giveUpAfterMs: 180_000 });
        const spare = table.pager("spare", { fallbackOnly: true });
        pager.answers(0, { status: 500 });
        table.publish(1, hang);
        spare.wants(between(minutes(3), minutes(4)), "trigger", hang, '"pager" did not take this page');
        pager.answers(minutes(10), { status: 200 });
        pager.wants(between(minutes(10), minutes(26)), "trigger", hang);
        table.publish(minutes(40), over(hang));
        pager.wants(minutes(40), "resolve", hang);
        spare.wants(minutes(40), "resolve", hang);
        await table.run(hours(1));
      },
    );

    story("F27 one that refuses our token is left alone, and the fallback is told at once", async (table) => {
      const pager = table.pager("pager", { fallback: "spare" });
      const spare = table.pager("spare", { fallbackOnly: true });
      pager.answers(0, { status: 401 });
      table.publish(1, hang);
      spare.wants(1, "trigger", hang);
      await table.run(minutes(9));
      expect(pager.refused).toHaveLength(1);
    });
  });

  describe("what is kept quiet", () => {
    story("a silence that begins after the page does not swallow its end", async (table) => {
      const pager = table.pager("pager");
      table.publish(1, hang);
      pager.wants(1, "trigger", hang);
      table.silence(between(60, hours(8)), { match: { playbooks: [hang.playbook] } });
      table.publish(120, revised(hang, 10, { severity: "medium" }));
      table.publish(minutes(30), over(hang));
      pager.wants(minutes(30), "resolve", hang);
      await table.run(hours(1));
    });

    story("a severity that falls below what pages here does not swallow the end", async (table) => {
      const pager = table.pager("pager", { leastSeverity: "high" });
      table.publish(1, hang);
      pager.wants(1, "trigger", hang);
      table.publish(60, revised(hang, 10, { severity: "low" }));
      pager.wants(60, "update", hang);
      table.publish(120, over(revised(hang, 11, { severity: "info" }), 12));
      pager.wants(120, "resolve", hang);
      await table.run(hours(1));
    });

    story(
      "what is over within a maintenance window is never told, what outlasts it is told when it ends",
      async (table) => {
        const pager = table.pager("pager");
        // T0 is a Tuesday, 02:05 UTC.
        const windows = [{ days: ["tue" as const], from: "02:00", to: "04:00" }];
        const recurrence = { zone: "UTC", windows };
        table.silence(between(0, hours(24 * 30)), { match: { playbooks: ["*"] }, recurrence });
        table.publish(60, hang, backup);
        table.publish(hours(1), over(backup));
        const windowEnds = (Date.parse("2026-03-17T04:00:00Z") - T0) / 1_000;
        pager.wants(windowEnds, "trigger", hang);
        await table.run(hours(3));
      },
    );
  });

  describe("people", () => {
    story("an acknowledgement stops the repeats, and they begin again when it runs out", async (table) => {
      const pager = table.pager("pager", { repeatMs: 1_800_000 });
      table.publish(0, hang);
      pager.wants(0, "trigger", hang);
      pager.wants(minutes(30), "update", hang);
      table.act(minutes(40), hang, "acknowledge", hours(2));
      pager.wants(minutes(40), "update", hang);
      pager.wants(hours(2), "update", hang);
      pager.wants(hours(2) + minutes(30), "update", hang);
      await table.run(hours(2) + minutes(45));
    });

    story("what nobody acknowledges goes on to the next target, and ends at both", async (table) => {
      const first = table.pager("first", { escalateTo: "second", escalateAfterMs: 900_000 });
      const second = table.pager("second", { fallbackOnly: true });
      table.publish(0, hang, backup);
      first.wants(0, "trigger", hang);
      first.wants(0, "trigger", backup);
      table.act(minutes(5), backup, "acknowledge");
      first.wants(minutes(5), "update", backup);
      second.wants(minutes(15), "trigger", hang, "Nobody acknowledged it");
      table.act(minutes(20), hang, "resolve");
      first.wants(minutes(20), "resolve", hang);
      second.wants(minutes(20), "resolve", hang);
      await table.run(hours(1));
      expect(first.open).toEqual([backup.id]);
    });
  });

  describe("one cause, many symptoms", () => {
    const child = backup;
    const parent = revised(hang, 3, { children: [child.id] });

    story("the symptom is told first: the page changes its words to the cause, and is the only one", async (table) => {
      const pager = table.pager("pager");
      table.publish(0, child);
      pager.wants(0, "trigger", child);
      table.publish(20, parent, revised(child, 9, { parent: parent.id }));
      pager.wants(20, "update", child, parent.causes[0]?.title ?? "");
      table.publish(hours(1), over(revised(child, 10, { parent: parent.id }), 11), over(parent));
      pager.wants(hours(1), "resolve", child);
      await table.run(hours(2));
      expect(pager.open).toEqual([]);
    });

    story("a symptom waits for its cause: one page, naming the cause, within the time to wait", async (table) => {
      const pager = table.pager("pager", { groupWaitMs: 60_000 });
      const found = new Date(T0).toISOString();
      const symptom = { ...child, detectedAt: found };
      table.publish(0, symptom);
      table.publish(30, { ...parent, detectedAt: found }, revised(symptom, 9, { parent: parent.id }));
      pager.wants(between(60, 61), "trigger", parent, parent.causes[0]?.title ?? "");
      await table.run(hours(1));
    });

    story("a symptom without a cause is told once it has waited, one that ends meanwhile is not", async (table) => {
      const pager = table.pager("pager", { groupWaitMs: 60_000 });
      const found = new Date(T0).toISOString();
      table.publish(0, { ...child, detectedAt: found }, { ...hang, detectedAt: found });
      table.publish(20, over({ ...hang, detectedAt: found }));
      pager.wants(between(60, 61), "trigger", child);
      await table.run(hours(1));
    });

    story("the symptom that came in the cause's wake is not told at all", async (table) => {
      const pager = table.pager("pager");
      table.publish(0, parent);
      table.publish(5, revised(child, 9, { parent: parent.id }));
      pager.wants(0, "trigger", parent);
      table.publish(hours(1), over(parent));
      table.publish(hours(1) + 1, over(revised(child, 10, { parent: parent.id }), 11));
      pager.wants(hours(1), "resolve", parent);
      await table.run(hours(2));
    });
  });

  describe("processes", () => {
    const many = Array.from({ length: 8 }, (_, n) => ({ ...hang, id: n.toString(16).repeat(64) as IncidentId }));

    story(
      "F25 killed between sending and recording: the next one sends the same key again, and closes it",
      async (table) => {
        const pager = table.pager("pager");
        table.starts(0, "a");
        pager.answers(0, { takesAndKills: "a" });
        table.publish(1, hang);
        pager.wants(1, "trigger", hang);
        pager.answers(60, { status: 200 });
        table.starts(120, "b");
        pager.wants(120, "trigger", hang);
        table.publish(180, over(hang));
        pager.wants(180, "resolve", hang);
        await table.run(300);
        expect(pager.open).toEqual([]);
      },
    );

    story("killed while it closes: the next one closes it again, and pages nobody anew", async (table) => {
      const pager = table.pager("pager");
      table.starts(0, "a");
      table.publish(1, hang);
      pager.wants(1, "trigger", hang);
      pager.answers(30, { takesAndKills: "a" });
      table.publish(60, over(hang));
      pager.wants(60, "resolve", hang);
      pager.answers(90, { status: 200 });
      table.starts(120, "b");
      pager.wants(120, "resolve", hang);
      await table.run(300);
    });

    story(
      "two share the incidents; one that comes or goes in the middle repeats nothing and loses nothing",
      async (table) => {
        const pager = table.pager("pager", { rate: { perMinute: 10_000, burst: 1_000 } });
        const [early, late] = [many.slice(0, 4), many.slice(4)];
        table.starts(0, "a");
        table.publish(1, ...early);
        for (const incident of early) pager.wants(1, "trigger", incident);
        table.starts(10, "b");
        table.publish(20, ...late);
        for (const incident of late) pager.wants(20, "trigger", incident);
        table.stops(30, "a");
        table.publish(40, ...many.map((incident) => over(incident)));
        for (const incident of many) pager.wants(40, "resolve", incident);
        await table.run(300);
      },
    );

    story("what waits at an owner goes with its partition: the new owner alone tells it", async (table) => {
      const pager = table.pager("pager", { timeoutMs: 30_000, rate: { perMinute: 10_000, burst: 1_000 } });
      table.starts(0, "a");
      pager.answers(0, "hang");
      table.publish(1, ...many);
      table.starts(5, "b");
      pager.answers(40, { status: 200 });
      for (const incident of many) pager.wants(between(40, minutes(12)), "trigger", incident);
      await table.run(minutes(15));
      for (const { id } of many) {
        const by = table.attempts.flatMap(({ key, process }) => (key === id ? [process] : []));
        expect(by.lastIndexOf("a"), by.join(" ")).toBeLessThan(by.includes("b") ? by.indexOf("b") : by.length);
      }
    });

    story("P5 an owner that goes while a send hangs hands it on: one page is open, under one key", async (table) => {
      const pager = table.pager("pager", { timeoutMs: 10_000 });
      table.starts(0, "a");
      table.starts(0, "b");
      pager.answers(0, "hang");
      table.publish(1, ...many);
      table.killed(5, "a");
      pager.answers(8, { status: 200 });
      for (const incident of many) pager.wants(between(8, minutes(12)), "trigger", incident);
      table.publish(minutes(20), ...many.map((incident) => over(incident)));
      for (const incident of many) pager.wants(minutes(20), "resolve", incident);
      await table.run(minutes(30));
      expect(pager.open).toEqual([]);
    });
  });
}
