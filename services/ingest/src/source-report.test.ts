import { type Bus, openEmbeddedBus, openTable } from "@culprit/bus";
import { Fault, SourceReport, TOPICS } from "@culprit/model";
import { expect, test } from "vitest";
import { sourceReporter } from "./source-report.ts";
import type { SourceView } from "./sources.ts";

const view = (change: Partial<SourceView> = {}): SourceView => ({
  receiver: "bulk",
  remote: "192.0.2.7",
  transport: "http",
  firstAt: 1,
  lastAt: 5,
  silentMs: 3,
  isSilent: false,
  deliveries: 1,
  events: 2,
  duplicates: 0,
  notSelected: 0,
  deadLetters: 0,
  dropped: 0,
  formats: [{ format: "winlogbeat", events: 2 }],
  hosts: 1,
  ...change,
});

test("every sender that was heard is reported once, under a key that lasts", async () => {
  await using bus = await openEmbeddedBus();
  let sources = [view(), view({ receiver: "hec", token: "siem" })];
  const published: number[] = [];
  const counting: Pick<Bus, "publish"> = {
    publish(messages) {
      published.push(messages.length);
      return bus.publish(messages);
    },
  };
  const options = { bus: counting, instance: "culprit-1", silentAfterMs: 900_000, view: () => sources };
  const reporter = sourceReporter(options);
  await reporter.report();
  await reporter.report();
  sources = [view({ lastAt: 9, events: 7 }), view({ receiver: "hec", token: "siem" })];
  await reporter.report();
  // Another start under the same name goes on with the same records.
  await sourceReporter(options).report();
  expect(published).toEqual([2, 1, 2]);
  const table = await openTable(bus, TOPICS.sources.name, ({ value }) => SourceReport.parse(value));
  const reports = [...table.entries()].map(([, report]) => report);
  expect(reports).toHaveLength(2);
  expect(reports.find(({ receiver }) => receiver === "bulk")).toMatchObject({
    instance: "culprit-1",
    lastAt: 9,
    events: 7,
    silentAfterMs: 900_000,
  });
  await table.close();
});

test("a log that takes nothing now is told again later", async () => {
  const said: number[] = [];
  let isFull = true;
  const bus = {
    async publish(messages: readonly unknown[]) {
      if (isFull) throw new Fault("bus.full", "the disk is full", { retriable: true });
      said.push(messages.length);
    },
  };
  const reporter = sourceReporter({ bus, instance: "a", silentAfterMs: 1, view: () => [view()] });
  await reporter.report();
  isFull = false;
  await reporter.report();
  await reporter.report();
  expect(said).toEqual([1]);
});
