import { dataValue } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { decodeAll, eventOf, eventsOf } from "./test-support.ts";

const CLUSTER =
  "00001344.0000043c::2024/03/01-12:54:42.832 WARN  [JPM] Node 3: No connection to node(s) (2). Cannot join yet";

describe("files", () => {
  test("a line of cluster.log has its time in UTC, its level and its process", () => {
    expect(
      eventOf(`${CLUSTER}\r\n`, { path: "reports/HV11.contoso.com_cluster.log", zone: "Europe/Berlin" }),
    ).toMatchObject({
      provider: "FileLog",
      channel: "FileLog/HV11.contoso.com_cluster.log",
      host: "hv11.contoso.com",
      eventId: 0,
      level: 3,
      timeCreated: Date.UTC(2024, 2, 1, 12, 54, 42, 832),
      timeQuality: "event",
      processId: 0x1344,
      threadId: 0x43c,
      data: { names: ["file", "line"], values: ["HV11.contoso.com_cluster.log", CLUSTER] },
    });
  });
  test("cluster lines are known without their file's name, between other records", () => {
    expect(
      eventsOf(
        `${CLUSTER}\n{"log":{"file":{"path":"C:\\\\a\\\\b.log"}},"message":"x","host":{"name":"n1"}}\n${CLUSTER}\n`,
      ).map((e) => e.channel),
    ).toEqual(["FileLog/unnamed.log", "FileLog/b.log", "FileLog/unnamed.log"]);
  });
  test("lines of setup without a date go on with the one before, in the zone assumed", () => {
    const text =
      "2024-03-01 11:00:00, Error      [0x0606ae] IBS    Callback_Productkey_Validate: NULL\n  second line\n\n2024-03-01 11:00:01, Fatal Error  SYSPRP end\n";
    const events = eventsOf(text, { path: "setuperr.log", zone: "Europe/Berlin", host: "n1" });
    expect(events.map((event) => [event.level, event.timeCreated, event.timeQuality])).toEqual([
      [2, Date.UTC(2024, 2, 1, 10), "assumed-zone"],
      [1, Date.UTC(2024, 2, 1, 10, 0, 1), "assumed-zone"],
    ]);
    expect(dataValue(events[0]?.data ?? { names: [], values: [] }, "line")).toContain("NULL\n  second line");
  });
  test("BDD.log is CMTrace, and its passwords are gone everywhere", () => {
    const line = `<![LOG[Property AdminPassword is now = P@ss w0rd]LOG]!><time="11:00:00.000+000" date="03-01-2024" component="ZTI" context="" type="3" thread="" file="ZTI">`;
    const event = eventOf(line, { path: "BDD.log", host: "n1" });
    expect(event).toMatchObject({ level: 2, timeCreated: Date.UTC(2024, 2, 1, 11), channel: "FileLog/BDD.log" });
    expect(JSON.stringify(event)).not.toContain("P@ss");
  });
  test("DPM's errlog has no year", () => {
    const line = "0D5C\t1C70\t02/11\t09:12:33.123\t27\tvssbackup.cpp(123)\t\tTASK\tWARNING\tFailed: Hr: = [0x80042306]";
    expect(eventOf(line, { path: "MSDPMCurr.errlog", host: "n1" })).toMatchObject({
      level: 3,
      timeCreated: Date.UTC(2024, 1, 11, 9, 12, 33, 123),
      processId: 0xd5c,
    });
  });
  test("a KMS export is lines of text, known by its name, with product keys masked", () => {
    const text =
      "0x0,0x0,host:1688,8a7d5e32-3c0d-4b0b-8f3b-2d1b7a0d9a11,2024/03/01 01:12\nkey ABCDE-12345-FGHIJ-67890-KLMNO\n";
    const events = eventsOf(text, { path: "kms-export.txt", host: "n1" });
    expect(events.map((event) => event.data.values[1])).toEqual([
      text.split("\n")[0],
      "key *****-*****-*****-*****-*****",
    ]);
  });
  test("an empty log is nothing, and braces or markup in a log are its lines", () => {
    expect(decodeAll("", { path: "setuperr.log" })).toEqual([]);
    expect(eventsOf("open\n{ not json\n<Event cut\n", { path: "node_cluster.log" })).toHaveLength(3);
  });
  test("any other log may hold forwarded events; what no format knows are its lines", () => {
    const text = `first line\nMar  1 10:00:00 n1 MSWinEventLog\t1\tSystem\t1\tFri Mar 01 10:00:00 2024\t7031\tSCM\tN/A\tN/A\tError\tn1\tNone\t\tx\n${CLUSTER}\n`;
    expect(decodeAll(text, { path: "relay.log" }).map((item) => item.source.format)).toEqual([
      "text-log",
      "snare",
      "text-log",
    ]);
  });
  test("a file named as a log may hold forwarded records", () => {
    const text = `{"log":{"file":{"path":"/x/cluster.log"}},"message":"m","host":{"name":"n1"},"@timestamp":"2024-03-01T10:00:00Z"}`;
    expect(eventOf(text, { path: "cluster.log" }).data.values).toEqual(["/x/cluster.log", "m"]);
  });
});

describe("forwarded lines", () => {
  const shipped = (message: string, more: object = {}): string =>
    JSON.stringify({
      "@timestamp": "2024-03-01T12:55:00.000Z",
      host: { name: "HV11.contoso.com" },
      log: { file: { path: "C:\\Windows\\Cluster\\Reports\\cluster.log" } },
      message,
      ...more,
    });
  test("a line keeps the path as sent, and its channel names the file", () => {
    expect(eventOf(shipped("plain"))).toMatchObject({
      channel: "FileLog/cluster.log",
      host: "hv11.contoso.com",
      timeCreated: Date.UTC(2024, 2, 1, 12, 55),
      receivedAt: Date.UTC(2024, 2, 1, 12, 55),
      data: { names: ["file", "line"], values: ["C:\\Windows\\Cluster\\Reports\\cluster.log", "plain"] },
    });
  });
  test("a stamp that means one instant is the event's time; a local one near the shipper's is not", () => {
    expect(eventOf(shipped(CLUSTER)).timeCreated).toBe(Date.UTC(2024, 2, 1, 12, 54, 42, 832));
    expect(eventOf(shipped("2024-03-01 14:54:59, Error IBS x")).timeCreated).toBe(Date.UTC(2024, 2, 1, 12, 55));
    expect(eventOf(shipped("2023-03-01 14:54:59, Error IBS x")).timeCreated).toBe(Date.UTC(2023, 2, 1, 14, 54, 59));
  });
  test("Filebeat 6 names the file in source", () => {
    const old = {
      "@timestamp": "2019-03-01T12:00:00Z",
      beat: { hostname: "n1" },
      source: "/var/log/cluster.log",
      offset: 12,
      message: "m",
    };
    expect(eventOf(JSON.stringify(old))).toMatchObject({ host: "n1", channel: "FileLog/cluster.log" });
  });
  test("secrets are masked in the line, the message and the original", () => {
    expect(JSON.stringify(eventOf(shipped("key ABCDE-12345-FGHIJ-67890-KLMNO password=hunter2")))).not.toMatch(
      /ABCDE|hunter2/,
    );
  });
});
