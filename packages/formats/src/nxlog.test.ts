import { namedData } from "@culprit/model";
import { expect, test } from "vitest";
import { eventOf } from "./test-support.ts";

test.each([
  ["AUDIT_FAILURE", 0, []],
  ["Info", 4, []],
  ["CreateKey", 2, [["EventType", "CreateKey"]]],
] as const)("EventType %s is the level where NXLog writes it, and data where the event has it", (type, level, data) => {
  const event = eventOf(
    JSON.stringify({
      EventTime: "2026-03-02 10:00:00",
      Hostname: "n1",
      SourceName: "Microsoft-Windows-Sysmon",
      EventID: 12,
      Channel: "Microsoft-Windows-Sysmon/Operational",
      EventType: type,
      Severity: "ERROR",
    }),
  );
  expect(event).toMatchObject({ level, data: namedData(data) });
});
