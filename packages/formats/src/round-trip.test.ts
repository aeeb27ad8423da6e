/** Any event, printed in each form as its forwarder prints it, is given back: provider, id, channel, host, record id, time, data. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAll, RECEIVED_AT } from "./test-support.ts";

interface Sample {
  readonly provider: string;
  readonly channel: string;
  readonly computer: string;
  readonly eventId: number;
  readonly recordId: string;
  readonly at: number;
  readonly data: readonly (readonly [string, string])[];
}

/** Text as it occurs in logs: quotes, markup, braces, line ends, blanks, other scripts; no CR alone, no outer blanks. */
const text = fc
  .string({ unit: fc.constantFrom(..."abZ09 _-.:;,=|\\\"'<>&{}[]%/é漢\u200e\n"), maxLength: 24 })
  .map((value) => value.trim())
  .filter((value) => value !== "" && !value.includes("\\r\\n"));
const word = fc.string({ unit: fc.constantFrom(..."abcXYZ019"), minLength: 1, maxLength: 12 });
const names = fc.uniqueArray(
  fc.oneof(
    word.map((name) => `x${name}`),
    fc.constantFrom("__proto__", "constructor", "toString"),
  ),
  { maxLength: 6, selector: (name) => name.toLowerCase() },
);
const sample: fc.Arbitrary<Sample> = fc
  .record({
    provider: word.map((name) => `Provider ${name}`),
    channel: word.map((name) => `Microsoft-Windows-${name}/Operational`),
    computer: word.map((name) => `${name}.corp.example`),
    eventId: fc.integer({ min: 0, max: 65_535 }),
    recordId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String),
    at: fc.integer({ min: Date.UTC(2002, 0), max: Date.UTC(2037, 0) }),
    names,
    values: fc.array(text, { minLength: 6, maxLength: 6 }),
  })
  .map(({ names: keys, values, ...rest }) => ({
    ...rest,
    data: keys.map((name, i) => [name, values[i] ?? ""] as const),
  }));

const iso = (at: number): string => new Date(at).toISOString();
const escapeXml = (value: string): string =>
  value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;");
/** An object whose `__proto__` is a key; record ids beyond 2^53 as bare numbers. */
const object = (pairs: Iterable<readonly [string, unknown]>): object => {
  const made = Object.create(null);
  for (const [key, value] of pairs) made[key] = value;
  return made;
};
const json = (value: unknown): string => JSON.stringify(value).replace(/"#(\d+)"/g, "$1");

function xml(s: Sample): string {
  const data = s.data.map(([name, value]) => `<Data Name='${escapeXml(name)}'>${escapeXml(value)}</Data>`).join("");
  return `<Event xmlns='u'><System><Provider Name='${escapeXml(s.provider)}'/><EventID>${s.eventId}</EventID><Level>2</Level><TimeCreated SystemTime='${iso(s.at)}'/><EventRecordID>${s.recordId}</EventRecordID><Channel>${escapeXml(s.channel)}</Channel><Computer>${s.computer}</Computer></System><EventData>${data}</EventData></Event>`;
}

const system = (s: Sample): object => ({
  Level: 2,
  EventRecordID: `#${s.recordId}`,
  Channel: s.channel,
  Computer: s.computer,
});
const any = (value: unknown): unknown =>
  typeof value === "string"
    ? { stringValue: value }
    : { kvlistValue: { values: Object.entries(value as object).map(([key, inner]) => ({ key, value: any(inner) })) } };

const PRINTERS: Readonly<Record<string, (s: Sample) => string>> = {
  xml,
  "xml, pretty": (s) =>
    xml(s)
      .replaceAll("><", ">\n  <")
      .replaceAll(/<Data([^>]*)>\s+</g, "<Data$1><"),
  "xml, escaped": (s) => escapeXml(xml(s)),
  "xml, UTF-16 turned to text": (s) => `\ufeff<?xml version="1.0" encoding="utf-16"?>\r\n<Events>${xml(s)}</Events>`,
  winlogbeat: (s) =>
    json({
      "@timestamp": iso(s.at),
      event: { code: String(s.eventId), provider: s.provider },
      winlog: {
        channel: s.channel,
        computer_name: s.computer,
        event_id: String(s.eventId),
        provider_name: s.provider,
        record_id: `#${s.recordId}`,
        event_data: object(s.data),
      },
    }),
  "winlogbeat 6": (s) =>
    json({
      "@timestamp": iso(s.at),
      computer_name: s.computer,
      event_data: object(s.data),
      event_id: s.eventId,
      log_name: s.channel,
      record_number: s.recordId,
      source_name: s.provider,
    }),
  "winlogbeat, pretty in an array": (s) =>
    JSON.stringify([JSON.parse(PRINTERS["winlogbeat"]?.({ ...s, recordId: "7" }) ?? "")], undefined, 2).replace(
      '"record_id": 7',
      `"record_id": ${s.recordId}`,
    ),
  "splunk hec": (s) => json({ time: s.at / 1000, host: "other", event: xml(s) }),
  nxlog: (s) =>
    json({
      EventTime: iso(s.at),
      Hostname: s.computer,
      EventID: s.eventId,
      SourceName: s.provider,
      RecordNumber: `#${s.recordId}`,
      Channel: s.channel,
      ...Object.fromEntries(s.data.filter(([name]) => name !== "__proto__")),
    }).replace(
      /\}$/,
      s.data.some(([name]) => name === "__proto__")
        ? `,"__proto__":${JSON.stringify(s.data.find(([name]) => name === "__proto__")?.[1])}}`
        : "}",
    ),
  evtx_dump: (s) =>
    json({
      Event: {
        "#attributes": { xmlns: "u" },
        System: {
          ...system(s),
          Provider: { "#attributes": { Name: s.provider } },
          EventID: s.eventId,
          TimeCreated: { "#attributes": { SystemTime: iso(s.at) } },
        },
        EventData: s.data.length === 0 ? null : object(s.data),
      },
    }),
  "xp-rules": (s) =>
    json({
      Event: {
        xmlns: "u",
        System: {
          ...system(s),
          Provider: { Name: s.provider },
          EventID: { text: String(s.eventId) },
          TimeCreated: { SystemTime: iso(s.at) },
        },
        EventData: { Data: s.data.map(([Name, value]) => ({ text: value, Name })) },
      },
    }),
  velociraptor: (s) =>
    json({
      System: {
        ...system(s),
        Provider: { Name: s.provider },
        EventID: { Value: s.eventId },
        TimeCreated: { SystemTime: s.at / 1000 },
      },
      EventData: object(s.data),
    }),
  openwec: (s) =>
    json({
      System: { ...system(s), Provider: { Name: s.provider }, EventID: s.eventId, TimeCreated: iso(s.at) },
      EventData: object(s.data),
      OpenWEC: { TimeReceived: iso(s.at + 1) },
    }),
  wazuh: (s) =>
    json({
      data: {
        win: {
          system: {
            providerName: s.provider,
            eventID: String(s.eventId),
            systemTime: iso(s.at),
            eventRecordID: s.recordId,
            channel: s.channel,
            computer: s.computer,
          },
          eventdata: object(s.data),
        },
      },
    }),
  otlp: (s) =>
    json({
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  body: any({
                    event_id: { id: String(s.eventId) },
                    provider: { name: s.provider },
                    system_time: iso(s.at),
                    computer: s.computer,
                    channel: s.channel,
                    record_id: s.recordId,
                    event_data: object(s.data),
                  }),
                },
              ],
            },
          ],
        },
      ],
    }),
  "azure WindowsEvent": (s) =>
    json({
      TimeGenerated: iso(s.at),
      Provider: s.provider,
      Channel: s.channel,
      Computer: s.computer,
      EventID: s.eventId,
      EventData: object(s.data),
      EventRecordId: s.recordId,
    }),
  vector: (s) =>
    json({
      timestamp: iso(s.at),
      event_id: s.eventId,
      record_id: `#${s.recordId}`,
      channel: s.channel,
      provider_name: s.provider,
      computer: s.computer,
      event_data: object(s.data),
    }),
  fluentbit: (s) =>
    json({
      ProviderName: s.provider,
      EventID: s.eventId,
      TimeCreated: iso(s.at),
      EventRecordID: `#${s.recordId}`,
      Channel: s.channel,
      Computer: s.computer,
      StringInserts: s.data.map(([, value]) => value),
    }),
  promtail: (s) =>
    json({
      source: s.provider,
      channel: s.channel,
      computer: s.computer,
      event_id: s.eventId,
      timeCreated: iso(s.at),
      eventRecordID: `#${s.recordId}`,
      event_data: s.data.map(([name, value]) => `<Data Name='${escapeXml(name)}'>${escapeXml(value)}</Data>`).join(""),
    }),
  "powershell 7": (s) =>
    json({
      Id: s.eventId,
      ProviderName: s.provider,
      LogName: s.channel,
      MachineName: s.computer,
      RecordId: `#${s.recordId}`,
      TimeCreated: iso(s.at),
      Properties: s.data.map(([, Value]) => ({ Value })),
    }),
  "syslog, event XML": (s) => `<13>1 ${iso(s.at + 5)} relay app - - - ${xml(s).replaceAll("\n", "&#10;")}`,
};

describe("an event printed and read again", () => {
  test.each(Object.entries(PRINTERS))("%s", (_name, print) => {
    fc.assert(
      fc.property(sample, (s) => {
        const items = decodeAll(print(s), { receivedAt: RECEIVED_AT });
        expect(items.map((item) => item.failure?.detail)).toEqual([undefined]);
        const event = items[0]?.event;
        expect({
          provider: event?.provider,
          channel: event?.channel,
          host: event?.host,
          eventId: event?.eventId,
          recordId: event?.recordId,
          at: event?.timeCreated,
          values: [...(event?.data.values ?? [])].sort(),
        }).toEqual({
          provider: s.provider,
          channel: s.channel,
          host: s.computer.toLowerCase(),
          eventId: s.eventId,
          recordId: s.recordId,
          at: s.at,
          values: s.data.map(([, value]) => value).sort(),
        });
      }),
      { numRuns: 60 },
    );
  });
});
