import { type EventData, type HostId, namedData, positionalData, type WindowsEvent } from "@culprit/model";
import { expect, test } from "vitest";
import { DecodedFields } from "./decoded-fields.ts";

function clockEvent(data: EventData, provider = "Microsoft-Windows-Kernel-General"): WindowsEvent {
  return {
    provider,
    channel: "System",
    computer: "vm7.contoso.com",
    host: "vm7.contoso.com" as HostId,
    eventId: 1,
    level: 4,
    timeCreated: 0,
    timeQuality: "event",
    data,
  };
}

const tables = { bugchecks: new Map(), statuses: new Map(), events: new Map(), manifest: () => undefined };

function shiftOf(event: WindowsEvent): readonly unknown[] {
  const decoded = new DecodedFields(event, tables);
  return [decoded.get("Decoded.ClockShift"), decoded.get("Decoded.ClockShiftTo")];
}

test("the distance of a clock change is read from both times, whatever their digits", () => {
  const pairs = [
    ["NewTime", "2026-03-10T02:00:00.500000000Z"],
    ["OldTime", "2026-02-10T02:00:00.1234567Z"],
  ] as const;
  expect(shiftOf(clockEvent(namedData(pairs)))).toEqual(["2419200", "forward"]);
});

test("a clock set back is told apart from one set forward, in positional data too", () => {
  expect(shiftOf(clockEvent(positionalData(["2026-03-10T01:00:00Z", "2026-03-10T02:00:00Z"])))).toEqual([
    "3600",
    "back",
  ]);
});

test("times that cannot be read and events of other providers give no distance", () => {
  expect(shiftOf(clockEvent(positionalData(["10.03.2026 01:00", "2026-03-10T02:00:00Z"])))).toEqual([
    undefined,
    undefined,
  ]);
  expect(shiftOf(clockEvent(positionalData(["2026-03-10T01:00:00Z", "2026-03-10T02:00:00Z"]), "VSS"))).toEqual([
    undefined,
    undefined,
  ]);
});

test("a code in decimal reads like the same code in hex, in statuses and in the text", () => {
  const decoded = new DecodedFields(clockEvent(namedData([["errorCode", "-2146498529"]])), tables);
  expect(decoded.get("Decoded.Status")).toEqual(["0x800F081F"]);
  expect(decoded.get("Decoded.Text")).toBe("-2146498529\n0x800F081F");
});
