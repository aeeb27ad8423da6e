import { describe, expect, test } from "vitest";
import { eventOf, eventsOf, identityOf, SCM_7031_XML } from "./test-support.ts";

const TEXT = `03/01/2024 11:00:00 AM
LogName=System
EventCode=7031
EventType=2
ComputerName=n1.corp.example
SourceName=Microsoft-Windows-Service Control Manager
Type=Error
RecordNumber=4711
Keywords=Classic
TaskCategory=None
OpCode=None
Message=The Cluster Service service terminated unexpectedly.
The Cluster Service service terminated unexpectedly.

It has done this = 1 time(s).`;
const OLDER = `03/01/2024 11:00:05 AM
LogName=System
SourceName=Service Control Manager
EventCode=7036
EventType=4
Type=Information
ComputerName=n1.corp.example
TaskCategory=None
OpCode=None
RecordNumber=4712
Keywords=Classic
Message=x`;

describe("classic text", () => {
  test("both orders of its lines are read, one event after the other", () => {
    const events = eventsOf(`${TEXT}\n${OLDER}\n`, { zone: "Europe/Berlin" });
    expect(events.map((e) => [e.provider, e.eventId, e.level, e.recordId, e.timeCreated])).toEqual([
      ["Service Control Manager", 7031, 2, "4711", Date.UTC(2024, 2, 1, 10)],
      ["Service Control Manager", 7036, 4, "4712", Date.UTC(2024, 2, 1, 10, 0, 5)],
    ]);
    expect(events[0]?.message).toBe(
      "The Cluster Service service terminated unexpectedly.\n\nIt has done this = 1 time(s).",
    );
    expect(events[0]?.timeQuality).toBe("assumed-zone");
  });
});

describe("HEC envelopes", () => {
  const envelope = (event: unknown, more: object = {}): string =>
    JSON.stringify({ time: 1709287200.5, host: "n1", source: "WinEventLog:System", sourcetype: "x", event, ...more });
  test("event XML is read as it is without the envelope, and the envelope's time is that of receipt", () => {
    const event = eventOf(envelope(SCM_7031_XML));
    expect(identityOf(event)).toEqual(identityOf(eventOf(SCM_7031_XML)));
    expect(event.receivedAt).toBe(1709287200500);
  });
  test("classic text gets the envelope's time, which has a zone", () => {
    expect(eventOf(envelope(TEXT))).toMatchObject({
      timeCreated: 1709287200500,
      timeQuality: "event",
      recordId: "4711",
    });
    expect(eventOf(envelope(TEXT.replaceAll("\n", "\\n"))).recordId).toBe("4711");
  });
  test("a Winlogbeat document inside is read as one", () => {
    const winlog = {
      "@timestamp": "2024-03-01T10:00:00Z",
      winlog: { event_id: "1", provider_name: "P", channel: "System", computer_name: "n2" },
    };
    expect(eventOf(envelope(winlog))).toMatchObject({ provider: "P", host: "n2" });
  });
  test("fields named as the add-on names them are an event; the envelope names log and host", () => {
    expect(
      eventOf(
        envelope({
          EventCode: 7031,
          SourceName: "Service Control Manager",
          Type: "Error",
          RecordNumber: "4711",
          param1: "x",
        }),
      ),
    ).toMatchObject({
      eventId: 7031,
      channel: "System",
      host: "n1",
      level: 2,
      recordId: "4711",
      data: { names: ["param1"], values: ["x"] },
    });
  });
  test("objects stand one after the other with or without line breaks", () => {
    expect(
      eventsOf(`${envelope(SCM_7031_XML)}${envelope(TEXT)}\n${envelope(SCM_7031_XML, { time: "1709287201" })}`),
    ).toHaveLength(3);
  });
});
