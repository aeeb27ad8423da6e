/**
 * The same event as different tools, versions and consoles write it: every variant gives it with its provider, id, log and
 * computer, as often as it is there, and no failure beside it.
 * A table of variants, long because they are many.
 */
import { providerKey } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { decodeAll, SCM_7031_XML as XML } from "./test-support.ts";

const PROVIDER = "Service Control Manager";
const HOST = "n1.corp.example";
const TIME = "2024-03-01T10:00:00.123Z";
const json = (value: unknown, indent?: number | string): string => JSON.stringify(value, null, indent);
const utf16 = (text: string, { big = false, mark = true } = {}): Uint8Array => {
  const bytes = Buffer.from(`${mark ? "\ufeff" : ""}${text}`, "utf16le");
  return new Uint8Array(big ? bytes.swap16() : bytes);
};

const BEAT = {
  "@timestamp": TIME,
  event: { code: "7031", kind: "event", provider: PROVIDER },
  message: "The Cluster Service service terminated.",
  host: { name: HOST },
  winlog: {
    channel: "System",
    computer_name: HOST,
    event_id: "7031",
    provider_name: PROVIDER,
    record_id: 4711,
    event_data: { param1: "Cluster Service" },
  },
};
const DOTTED = {
  "@timestamp": TIME,
  "event.code": "7031",
  "winlog.channel": "System",
  "winlog.computer_name": HOST,
  "winlog.event_id": "7031",
  "winlog.provider_name": PROVIDER,
  "winlog.event_data.param1": "Cluster Service",
};
const NXLOG = {
  EventTime: "2024-03-01 10:00:00",
  Hostname: HOST,
  EventType: "ERROR",
  EventID: 7031,
  SourceName: PROVIDER,
  RecordNumber: 4711,
  Channel: "System",
  Message: "x",
};
const SYSTEM = { EventID: 7031, Level: 2, EventRecordID: 4711, Channel: "System", Computer: HOST };
const DUMPED = {
  Event: {
    System: {
      ...SYSTEM,
      Provider: { "#attributes": { Name: PROVIDER } },
      TimeCreated: { "#attributes": { SystemTime: TIME } },
    },
    EventData: { param1: "Cluster Service" },
  },
};
const DATADOG = {
  Event: { System: { ...SYSTEM, Provider: { Name: PROVIDER }, EventID: "7031", TimeCreated: { SystemTime: TIME } } },
};
const WIN = {
  system: { providerName: PROVIDER, eventID: "7031", level: "2", systemTime: TIME, channel: "System", computer: HOST },
  eventdata: { param1: "Cluster Service" },
};
const WAZUH = { timestamp: "2024-03-01T10:00:02.100+0000", agent: { id: "003", name: "N1" }, data: { win: WIN } };
const SPLUNK = [
  "03/01/2024 10:00:00 AM",
  "LogName=System",
  "EventCode=7031",
  "EventType=2",
  `ComputerName=${HOST}`,
  `SourceName=${PROVIDER}`,
  "Type=Error",
  "RecordNumber=4711",
  "Message=The Cluster Service service terminated.",
].join("\n");
const PROMTAIL = {
  source: PROVIDER,
  channel: "System",
  computer: HOST,
  event_id: 7031,
  level: 2,
  timeCreated: TIME,
  eventRecordID: 4711,
  message: "x",
};
const OTEL = {
  event_id: { id: 7031, qualifiers: 49152 },
  provider: { name: PROVIDER },
  channel: "System",
  computer: HOST,
  system_time: TIME,
};
const WINEVTLOG = { ProviderName: PROVIDER, EventID: 7031, Channel: "System", Computer: HOST, StringInserts: ["x"] };
const SNARE = ["MSWinEventLog", "1", "System", "136", "Fri Mar 01 10:00:00 2024", "7031", PROVIDER, "N/A", "N/A"]
  .concat(["Error", HOST, "None", "", "The Cluster Service service terminated.", "57"])
  .join("\t");
const hits = (document: unknown) => ({
  took: 1,
  hits: {
    total: { value: 2 },
    hits: [document, document].map((_source, i) => ({ _index: "i", _id: `${i}`, _source })),
  },
});
const telegraf = {
  name: "win_eventlog",
  fields: { EventRecordID: "4711", Data_param1: "Cluster Service" },
  tags: { Channel: "System", Computer: HOST, EventID: "7031", Level: "2", Source: PROVIDER },
  timestamp: 1709287200,
};
const prefixed = XML.replace(/<(\/?)(?=[A-Z])/g, "<$1e:").replace("xmlns=", "xmlns:e=");

/** What it is, the input, and how many events it holds where that is not one. */
type Variant = readonly [string, string | Uint8Array, number?];

const ENCODINGS: readonly Variant[] = [
  ["JSON, pretty-printed", json(BEAT, 2)],
  ["JSON, pretty-printed with tabs and CRLF", json(BEAT, "\t").replaceAll("\n", "\r\n")],
  ["JSON in an array, pretty-printed", json([BEAT, BEAT], 4), 2],
  ["JSON lines with CRLF and a byte order mark", `\ufeff${json(BEAT)}\r\n${json(BEAT)}\r\n`, 2],
  ["JSON in UTF-16, little end first", utf16(json(BEAT, 2))],
  ["JSON in UTF-16, big end first", utf16(json(BEAT), { big: true })],
  [
    "XML in UTF-16 with a root and a declaration",
    utf16(`<?xml version="1.0" encoding="utf-16"?><Events>${XML}</Events>`),
  ],
  ["XML in UTF-16 without a mark", utf16(XML, { mark: false })],
  ["XML, pretty-printed", XML.replace(/></g, ">\r\n  <")],
  ["XML with a prefix, twice", `<e:Events>${prefixed}${prefixed}</e:Events>`, 2],
  ["XML in a root of another name", `<Root>${XML}${XML}</Root>`, 2],
  [
    "XML as an element of WS-Management holds it",
    `<w:Events><w:Event Action="x"><![CDATA[${XML}]]></w:Event></w:Events>`,
  ],
  ["XML as strings in a list of JSON", json([XML, XML]), 2],
  ["XML as strings in a list of JSON, pretty-printed", utf16(json([XML, XML], 4).replaceAll("<", "\\u003c")), 2],
];

const CARRIED: readonly Variant[] = [
  ["a search hit of Winlogbeat", json({ _index: "i", _id: "1", _score: 1, _source: BEAT })],
  ["the answer of an Elasticsearch search", json(hits(BEAT), 2), 2],
  ["keys with dots", json(DOTTED)],
  [
    "Kibana's fields",
    json({ _index: "i", fields: Object.fromEntries(Object.entries(DOTTED).map(([key, value]) => [key, [value]])) }),
  ],
  ["JSON as text of another's JSON", json({ "@timestamp": TIME, host: "collector", message: json(BEAT) })],
  ["a container's log", json({ log: `${json(BEAT)}\n`, stream: "stdout", time: TIME })],
  ["a search hit of Wazuh", json({ _index: "wazuh-alerts", _source: WAZUH })],
  ["the answer of a search in Wazuh's indexer", json(hits(WAZUH)), 2],
  ["Wazuh's full_log", json({ timestamp: TIME, agent: { name: "N1" }, full_log: json({ win: WIN }) })],
  ["a row of a Splunk export", json({ preview: false, result: { _raw: SPLUNK, host: HOST } })],
  ["Splunk's results", json({ preview: false, results: [{ _raw: XML }, { _raw: SPLUNK }] }, 2), 2],
  ["a Splunk export as CSV", `"_raw","_time",host\n"${SPLUNK}","2024-03-01T10:00:00.000+0000",n1\n`],
  ["two classic Splunk events", `${SPLUNK}\n${SPLUNK}`, 2],
  ["Datadog's archive", json({ _id: "x", date: TIME, host: "h", attributes: DATADOG, message: "x" })],
  [
    "Loki's answer",
    json({
      status: "success",
      data: { resultType: "streams", result: [{ stream: {}, values: [["1", json(PROMTAIL)]] }] },
    }),
  ],
  ["logcli", json({ labels: {}, line: json(PROMTAIL), timestamp: TIME })],
  [
    "Graylog's answer",
    json({
      messages: [{ index: "g", message: { ...NXLOG, Hostname: undefined, source: HOST, gl2_source_input: "1" } }],
    }),
  ],
  [
    "aws logs filter-log-events",
    json({ events: [{ logStreamName: "i", timestamp: 1709287200000, message: XML, ingestionTime: 1 }] }, 4),
  ],
  [
    "aws logs get-log-events in text",
    json({
      events: [
        { timestamp: 1709287200000, message: `[System] [ERROR] [7031] [${PROVIDER}] [${HOST}] [x]`, ingestionTime: 1 },
      ],
    }),
  ],
  [
    "WAD through a hub",
    json({
      records: [
        {
          time: TIME,
          category: "WADWindowsEventLogsTable",
          properties: { DeploymentId: "d", ProviderName: PROVIDER, EventId: 7031, Channel: "System", RawXml: XML },
        },
      ],
    }),
  ],
  [
    "OTLP by the names of protobuf",
    json({ resource_logs: [{ scope_logs: [{ log_records: [{ body: { string_value: XML } }] }] }] }),
  ],
  [
    "OTLP of the first versions",
    json({ resourceLogs: [{ instrumentationLibraryLogs: [{ logs: [{ body: { stringValue: XML } }] }] }] }),
  ],
  ["a collector's body in another's JSON", json({ body: OTEL, timestamp: TIME, attributes: {}, resource: {} })],
  ["Telegraf in batches", json({ metrics: [telegraf, telegraf] }), 2],
  ["syslog-ng's JSON", json({ MESSAGE: SNARE, HOST: "n1", PROGRAM: "x" })],
  ["rsyslog's JSON", json({ msg: ` ${SNARE}`, rawmsg: `<13>Mar 01 10:00:00 n1 ${SNARE}`, hostname: "n1" })],
];

const LINES: readonly Variant[] = [
  ["evtx_dump in JSON", `Record 1\n${json(DUMPED, 2)}\nRecord 2\n${json(DUMPED, 2)}\n`, 2],
  [
    "evtx_dump in XML",
    `Record 1\n<?xml version="1.0" encoding="utf-8"?>\n${XML.replace(/></g, ">\n  <")}\nRecord 2\n${XML}`,
    2,
  ],
  ["fluentd's file output", `2024-03-01T10:00:00+00:00\twinevt.raw\t${json(WINEVTLOG)}\n`],
  ["Fluent Bit's standard output", `[0] winevtlog.0: [[1709287200.5, {}], ${json(WINEVTLOG)}]\n`],
  ["Fluent Bit's pairs", json([[1709287200.5, {}], WINEVTLOG])],
  ["a container runtime's line", `2024-03-01T10:00:00.1Z stdout F ${json(BEAT)}\n`],
  ["XML behind a time", `2024-03-01 10:00:00 ${HOST} ${XML}\n`],
  ["Snare as the application of RFC 5424", `<13>1 2024-03-01T10:00:00Z n1 ${SNARE.replace("\t", " - - - ")}`],
  ["Snare with tabs in octal", `<13>Mar  1 10:00:00 n1 ${SNARE.replaceAll("\t", "\\011")}`],
  [
    "NXLog's to_syslog_ietf()",
    `<11>1 2024-03-01T10:00:00.000000Z ${HOST} Service_Control_Manager 700 - [NXLOG@14506 Keywords="-9187343239835811840" EventType="ERROR" EventID="7031" RecordNumber="4711" Channel="System" param1="a \\"b\\] c"] The Cluster Service service terminated.`,
  ],
  [
    "NXLog's to_leef()",
    `<11>Mar  1 10:00:00 ${HOST} LEEF:1.0|Microsoft|Windows|2016|7031|devTime=1709287200000\tEventID=7031\tSourceName=${PROVIDER}\tChannel=System\tHostname=${HOST}\tRecordNumber=4711`,
  ],
  [
    "LEEF 2 with a delimiter in hexadecimal",
    `LEEF:2.0|Microsoft|Windows|10|7031|x5E|Source=${PROVIDER}^EventLog=System^Computer=${HOST}^devTime=1709287200000`,
  ],
  ["@cee behind a tag", `<13>Mar  1 10:00:00 n1 app: @cee: ${json(NXLOG)}`],
];

const TABLES: readonly Variant[] = [
  [
    "Kibana's CSV",
    `"@timestamp","winlog.event_id","winlog.provider_name","winlog.channel","winlog.computer_name",message\n"Mar 1, 2024 @ 10:00:00.123",7031,"${PROVIDER}",System,"${HOST}","The x"\n`,
  ],
  [
    "Graylog's CSV",
    `timestamp,source,winlogbeat_winlog_event_id,winlogbeat_winlog_provider_name,winlogbeat_winlog_channel,winlogbeat_winlog_computer_name,message\n2024-03-01T10:00:00.123Z,c,7031,${PROVIDER},System,${HOST},The x\n`,
  ],
  [
    "Splunk's fields as CSV, lines in the message",
    `"_time",EventCode,SourceName,LogName,ComputerName,Message\n"2024-03-01T10:00:00.000+0000",7031,"${PROVIDER}",System,${HOST},"Event ID: 1\nLog Name: x"\n`,
  ],
  [
    "Velociraptor's CSV",
    `EventTime,Computer,Channel,Provider,EventID,EventData\n2024-03-01T10:00:00Z,${HOST},System,${PROVIDER},7031,"{""param1"":""x""}"\n`,
  ],
];

const FLAT: readonly Variant[] = [
  ["NXLog with every number a string", json({ ...NXLOG, EventID: "7031", RecordNumber: "4711" })],
  [
    "NXLog 6",
    json({
      ...NXLOG,
      EventTime: "2024-03-01T10:00:00.1+00:00",
      Keywords: "0x8080000000000000",
      ProviderGuid: null,
      Level: "Error",
    }),
  ],
  [
    "an event of QRadar's with its payload",
    json({
      name: "DefaultProfile",
      type: "Event",
      category: "7031",
      payload: `<13>Mar 01 10:00:00 n1 AgentDevice=WindowsLog\tAgentLogFile=System\tSource=${PROVIDER}\tComputer=${HOST}\tEventID=7031\tRecordNumber=4711\tTimeGenerated=1709287200000\tMessage=x`,
    }),
  ],
  ["NXLog with its computer in lower case", json({ ...NXLOG, Hostname: undefined, hostname: HOST })],
  [
    "fluentd's first plugin",
    json({
      channel: "System",
      record_number: "4711",
      time_generated: "2024-03-01 10:00:00 +0000",
      event_id: "7031",
      source_name: PROVIDER,
      computer_name: HOST,
      string_inserts: ["x"],
    }),
  ],
  [
    "rows of Velociraptor's artifacts",
    json({
      EventTime: TIME,
      Provider: PROVIDER,
      ...SYSTEM,
      EventData: { param1: "Cluster Service" },
      OSPath: "C:\\x.evtx",
    }),
  ],
  [
    "Zircolite's",
    json({ Provider_Name: PROVIDER, SystemTime: TIME, ...SYSTEM, param1: "Cluster Service", OriginalLogfile: "x" }),
  ],
];

const LABELLED = [
  "Log Name:      System",
  `Source:        ${PROVIDER}`,
  "Date:          3/1/2024 10:00:00 AM",
  "Event ID:      7031",
  "Level:         Error",
  `Computer:      ${HOST}`,
  "Description:",
  "The Cluster Service service terminated.",
  "",
].join("\n");
const TREE = XML.replace(/></g, ">\n<").replaceAll("'", '"');
const WMIC = ["Category=0", "CategoryString=", `ComputerName=${HOST}`, "EventCode=7031", "EventIdentifier=3221232503"]
  .concat(["EventType=1", 'InsertionStrings={"Cluster Service","1"}', "Logfile=System", "Message=a=b", "and more"])
  .concat([
    "RecordNumber=4711",
    `SourceName=${PROVIDER}`,
    "TimeGenerated=20240301100000.000000-000",
    "Type=Error",
    "User=",
  ])
  .map((line) => `${line}\r\r\n`)
  .join("");

const PASTED: readonly Variant[] = [
  ["text between fences", `\`\`\`\n${LABELLED}\`\`\`\n`],
  ["XML between fences, with its language", `\`\`\`xml\n${TREE}\n\`\`\`\n`],
  ["text between marks of an issue tracker", `{code}\n${LABELLED}{code}\n`],
  ["labels in bold", LABELLED.replace(/^([A-Z][\w ]+):/gm, "**$1:**")],
  ["lines that end in HTML's breaks", LABELLED.replaceAll("\n", "<br>\n")],
  ["a tree view without blanks", TREE.replace(/^<(Event |System|EventData)/gm, "-<$1")],
  ["a tree view with blanks", TREE.replace(/^<(Event |System|EventData)/gm, "- <$1")],
  ["typographic quotes", TREE.replace(/"([^"]*)"/g, "\u201c$1\u201d")],
  ["wmic's list", `${WMIC}\r\r\n${WMIC}`, 2],
];

describe.each([
  ["pasted text", PASTED],
  ["encodings", ENCODINGS],
  ["carried by something else", CARRIED],
  ["lines of files and consoles", LINES],
  ["flat JSON", FLAT],
  ["tables", TABLES],
])("%s", (_, variants) => {
  test.each(variants.map(([name, input, count = 1]) => ({ name, input, count })))("$name", ({ input, count }) => {
    const items = decodeAll(input);
    expect(items.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))).toEqual([]);
    expect(items.map(({ event }) => [event?.provider, event?.eventId, event?.channel, event?.host])).toEqual(
      Array(count).fill([PROVIDER, 7031, "System", HOST]),
    );
  });
});

test("the table of Get-WinEvent gives an event a row, each under its provider", () => {
  const table = (provider: string, ...rows: readonly string[]): string =>
    ["", `   ProviderName: ${provider}`, "", "TimeCreated                      Id LevelDisplayName Message"]
      .concat("-----------                      -- ---------------- -------", ...rows, "")
      .join("\r\n");
  const text =
    table(
      PROVIDER,
      "3/1/2024 10:00:00 AM           7031 Error            The Cluster Service service...",
      "3/1/2024 10:00:01 AM           7036 Information      The x",
    ) + table("disk", "3/1/2024 10:00:02 AM            153 Warning          ");
  const events = decodeAll(text).map(({ event }) => [
    event?.provider,
    event?.eventId,
    event?.level,
    event?.timeCreated,
  ]);
  expect(events).toEqual([
    [PROVIDER, 7031, 2, Date.UTC(2024, 2, 1, 10)],
    [PROVIDER, 7036, 4, Date.UTC(2024, 2, 1, 10, 0, 1)],
    ["disk", 153, 3, Date.UTC(2024, 2, 1, 10, 0, 2)],
  ]);
});

test("Eventlog-to-Syslog names the source without its beginning, and says audits in words", () => {
  const [service, audit] = [
    "<27>Mar  1 10:00:00 n1 Service_Control_Manager: 7031: The Cluster Service service terminated.",
    "<27>Mar  1 10:00:00 n1 Security-Auditing: 4625: AUDIT_FAILURE An account failed to log on.",
  ].map((line) => decodeAll(line)[0]?.event);
  expect(service).toMatchObject({ provider: PROVIDER, eventId: 7031, host: "n1", level: 2 });
  expect(audit).toMatchObject({ providerAlias: "Microsoft-Windows-Security-Auditing", eventId: 4625, level: 0 });
});

test("CEF of Splunk names the source in words, that of ArcSight the record in its additional data", () => {
  const [splunk, arcsight] = [
    "Sep 14 15:16:07 dc1 CEF:0|Windows|EventLog|unknown|unknown|unknown|5|deviceFacility=Microsoft Windows security auditing. cs1Label=eventOutcome cs1=Audit Success cs2=Security cs2Label=journalName externalId=4624 dhost=dc1.corp.example",
    "CEF:0|Microsoft|Microsoft Windows||Microsoft-Windows-Security-Auditing:4624|Logon|Low| externalId=4624 cat=Security deviceSeverity=Audit_success rt=1709287200000 dvchost=dc1.corp.example ad.EventRecordID=4711",
  ].map((line) => decodeAll(line)[0]?.event);
  expect(splunk).toMatchObject({ eventId: 4624, channel: "Security", level: 0, host: "dc1.corp.example" });
  expect(arcsight).toMatchObject({ eventId: 4624, recordId: "4711", level: 0 });
  expect(providerKey(splunk?.provider ?? "")).toBe(providerKey(arcsight?.provider ?? ""));
});

test("an envelope in which nothing is an event is one failure, however much it holds", () => {
  const rows = Array.from({ length: 500 }, (_, n) => ({ user: n, action: "login" }));
  expect(decodeAll(json({ results: rows })).map(({ failure }) => failure?.reason)).toEqual(["format.unknown"]);
});

test("what stands between records is passed over only where it is nothing else", () => {
  expect(decodeAll(`Record 1\n${json(DUMPED)}\nRecord of the year\n`).map(({ failure }) => failure?.reason)).toEqual([
    undefined,
    "format.unknown",
  ]);
});

test("flat JSON keeps its data, from sections and from beside them", () => {
  const [item] = decodeAll(
    json({ Provider: PROVIDER, ...SYSTEM, EventData: { a: "1" }, UserData: { b: "2" }, c: "3" }),
  );
  expect(item?.event?.data).toEqual({ names: ["a", "b", "c"], values: ["1", "2", "3"] });
  expect(item?.event?.recordId).toBe("4711");
});
