/** Every form of one event side by side, as a table: it is long because forwarders are many, and one test reads all of it. */
import { expect, test } from "vitest";
import { decodeAll, RECEIVED_AT } from "./test-support.ts";

/** SCM 7031 on n1, one form after the other: the shape of FORMATS.md's examples. `lacks` names what a form does not carry. */
interface Form {
  readonly format: string;
  readonly text: string;
  readonly lacks?: readonly ("channel" | "computer" | "recordId" | "data" | "time" | "level")[];
  readonly zone?: string;
  readonly receivedAt?: number;
}

const MESSAGE = "The Cluster Service service terminated unexpectedly.";
const AT = Date.UTC(2024, 2, 1, 10);
/** JSON in which "#123" stands for the number 123: literals of 64 bits lose digits here, as they do in receivers. */
const json = (value: unknown): string => JSON.stringify(value).replace(/"#(-?\d+)"/g, "$1");
const kv = (key: string, value: string | number | object): unknown => ({
  key,
  value:
    typeof value === "string"
      ? { stringValue: value }
      : typeof value === "number"
        ? { intValue: String(value) }
        : value,
});
const map = (...values: unknown[]): object => ({ kvlistValue: { values } });
const otlpLog = (eventData: object, body: object = {}): string =>
  json({
    resourceLogs: [
      {
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: "1709287200000000000",
                observedTimeUnixNano: "1709287201000000000",
                severityText: "ERROR",
                body: map(
                  kv("event_id", map(kv("id", 7031), kv("qualifiers", 49152))),
                  kv(
                    "provider",
                    map(kv("name", "Service Control Manager"), kv("event_source", "Service Control Manager")),
                  ),
                  kv("system_time", "2024-03-01T10:00:00.0000000Z"),
                  kv("computer", "n1.corp.example"),
                  kv("channel", "System"),
                  kv("record_id", 4711),
                  kv("level", "Error"),
                  kv("message", MESSAGE),
                  kv("event_data", eventData),
                ),
                ...body,
              },
            ],
          },
        ],
      },
    ],
  });
const XML =
  `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager'/><EventID Qualifiers='49152'>7031</EventID><Level>2</Level>` +
  `<TimeCreated SystemTime='2024-03-01T10:00:00Z'/><EventRecordID>4711</EventRecordID><Channel>System</Channel><Computer>n1.corp.example</Computer></System>` +
  `<EventData><Data Name='param1'>Cluster Service</Data></EventData></Event>`;
const SYSTEM = {
  Version: 0,
  Level: 2,
  Task: 0,
  Opcode: 0,
  Keywords: "0x8080000000000000",
  EventRecordID: 4711,
  Channel: "System",
  Computer: "n1.corp.example",
};
const NXLOG = {
  EventTime: "2024-03-01 11:00:00",
  Hostname: "n1.corp.example",
  Keywords: "#-9187343239835811840",
  EventType: "ERROR",
  SeverityValue: 4,
  Severity: "ERROR",
  EventID: 7031,
  SourceName: "Service Control Manager",
  RecordNumber: 4711,
  Channel: "System",
  Message: MESSAGE,
  param1: "Cluster Service",
  EventReceivedTime: "2024-03-01 11:00:01",
  SourceModuleName: "in",
  SourceModuleType: "im_msvistalog",
};
const WIN_EVENT = {
  Id: 7031,
  Qualifiers: -16384,
  Level: 2,
  Keywords: "#-9187343239835811840",
  RecordId: 4711,
  ProviderName: "Service Control Manager",
  LogName: "System",
  MachineName: "n1.corp.example",
  Message: MESSAGE,
};
const TAB = "\t";

const FORMS: readonly Form[] = [
  { format: "event-xml", text: XML },
  {
    format: "openwec",
    text: json({
      System: {
        ...SYSTEM,
        Provider: { Name: "Service Control Manager" },
        EventID: 7031,
        EventIDQualifiers: 49152,
        TimeCreated: "2024-03-01T10:00:00.0000000Z",
      },
      EventData: { param1: "Cluster Service" },
      OpenWEC: { TimeReceived: "2024-03-01T10:00:02Z" },
    }),
  },
  { format: "openwec", text: json({ meta: { TimeReceived: "2024-03-01T10:00:02Z" }, data: XML }) },
  {
    format: "openwec",
    text: json({ OpenWEC: { TimeReceived: "2024-03-01T10:00:02Z", Error: { OriginalContent: XML, Type: "x" } } }),
  },
  { format: "nxlog", text: json(NXLOG), zone: "Europe/Berlin" },
  {
    format: "nxlog",
    text: json({
      ...NXLOG,
      EventTime: "2024-03-01T11:00:00.000000+01:00",
      EventID: "7031",
      RecordNumber: "4711",
      Keywords: "9259400833873739776",
    }),
  },
  { format: "splunk-hec", text: json({ time: "1709287200", host: "x", source: "XmlWinEventLog:System", event: XML }) },
  {
    format: "snare",
    text: `<13>Mar 01 10:00:00 n1 MSWinEventLog${TAB}1${TAB}System${TAB}136${TAB}Fri Mar 01 10:00:00 2024${TAB}7031${TAB}Service Control Manager${TAB}N/A${TAB}N/A${TAB}Error${TAB}n1.corp.example${TAB}None${TAB}Cluster Service${TAB}${MESSAGE}${TAB}57`,
    lacks: ["recordId"],
  },
  {
    format: "snare",
    text: `n1${TAB}MSWinEventLog#0111#011System#011136#011Fri Mar 01 10:00:00 2024#0117031#011Service Control Manager#011N/A#011N/A#011Error#011n1.corp.example#011None#011Cluster Service#011${MESSAGE}#011-57`,
    lacks: ["recordId"],
  },
  {
    format: "snare",
    text: `Mar  1 10:00:00 n1 MSWinEventLog 1 System 136 Fri Mar 01 10:00:00 2024 7031 Service Control Manager N/A N/A Error n1.corp.example None  ${MESSAGE}`,
    lacks: ["recordId", "data"],
  },
  {
    format: "ossec",
    text: `2024 Mar 01 10:00:02 (agent) 10.0.0.1->WinEvtLog 2024 Mar 01 10:00:00 WinEvtLog: System: ERROR(7031): Service Control Manager: (no user): no domain: n1.corp.example: ${MESSAGE}`,
    lacks: ["recordId", "data"],
  },
  {
    format: "wazuh",
    text: json({
      timestamp: "2024-03-01T10:00:02.100+0000",
      data: {
        win: {
          system: {
            providerName: "Service Control Manager",
            eventID: "7031",
            level: "2",
            systemTime: "2024-03-01T10:00:00.0000000Z",
            eventRecordID: "4711",
            channel: "System",
            computer: "n1.corp.example",
            severityValue: "ERROR",
            message: `"${MESSAGE}"`,
          },
          eventdata: { param1: "Cluster Service" },
        },
      },
      location: "EventChannel",
    }),
  },
  {
    format: "wazuh",
    text: json({
      EventChannel: {
        System: {
          ProviderName: "Service Control Manager",
          EventID: "7031",
          Level: "2",
          SystemTime: "2024-03-01T10:00:00Z",
          EventRecordID: "4711",
          Channel: "System",
          Computer: "n1.corp.example",
        },
        EventData: { param1: "Cluster Service" },
      },
    }),
  },
  { format: "wazuh", text: json({ Message: MESSAGE, Event: XML }) },
  {
    format: "cef",
    text: `<13>Mar 01 10:00:01 c1 CEF:0|Microsoft|System or Application Event||Service Control Manager:7031|Service Control Manager|Unknown| eventId=39 externalId=7031 rawEvent=EventlogType\\=System&&EventIndex\\=4711&&DetectTime\\=2024-3-1 10:00:00&&EventSource\\=Service Control Manager&&EventID\\=7031&&EventType\\=Error&&ComputerName\\=N1&&Key[0]\\=Cluster Service art=1709287210000 cat=System rt=1709287200000 cs2=0 cs3=Service Control Manager cs3Label=EventSource ahost=c1 dvchost=n1.corp.example dvc=10.0.0.1`,
  },
  {
    format: "leef",
    text: `<13>Mar 01 10:00:00 n1 AgentDevice=WindowsLog\tAgentLogFile=System\tPluginVersion=7.3.1.22\tSource=Service Control Manager\tComputer=n1.corp.example\tOriginatingComputer=10.0.0.1\tUser=\tDomain=\tEventID=7031\tEventIDCode=7031\tEventType=1\tEventCategory=0\tRecordNumber=4711\tTimeGenerated=1709287200\tTimeWritten=1709287200\tMessage=${MESSAGE}`,
    lacks: ["data"],
  },
  {
    format: "leef",
    text: `<13>Mar 01 10:00:00 n1 AgentDevice=WindowsLog AgentLogFile=System Source=Service Control Manager Computer=n1.corp.example User= EventID=7031 EventIDCode=7031 EventType=1 RecordNumber=4711 TimeGenerated=1709287200000 Message=${MESSAGE} EventID=1`,
    lacks: ["data"],
  },
  {
    format: "leef",
    text: `LEEF:2.0|Microsoft|Windows|10.0|7031|^|devTime=1709287200000^Source=Service Control Manager^Channel=System^Computer=n1.corp.example^RecordNumber=4711^Level=Error^param1=Cluster Service`,
  },
  {
    format: "leef",
    text: `LEEF:1.0|Microsoft|Windows|10.0|7031|devTime=1709287200000\tSource=Service Control Manager\tChannel=System\tComputer=n1.corp.example\tRecordNumber=4711\tLevel=Error\tparam1=Cluster Service`,
  },
  {
    format: "adiscon",
    text: `<131>Mar  1 10:00:01 n1 EvntSLog: [ERR] Fri Mar 01 10:00:00 2024: n1.corp.example/Service Control Manager (7031) - "${MESSAGE}"`,
    lacks: ["channel", "recordId", "data"],
  },
  {
    format: "syslog-ng-agent",
    text: `<134>1 2024-03-01T11:00:00+01:00 n1.corp.example syslog-ng_Agent 3268 - [meta sequenceId="5"][win@18372.4 EVENT_ID="7031" EVENT_NAME="System" EVENT_REC_NUM="4711" EVENT_SOURCE="Service Control Manager" EVENT_TYPE="Error" EVENT_USERNAME="a\\"]b"] N1\\u: System Service Control Manager: [Error] ${MESSAGE} (EventID 7031)`,
    lacks: ["data"],
  },
  {
    format: "rsa",
    text: `RsaSA\\n2024-Mar-01 10:00:00\\n7031\\nService Control Manager\\nSystem\\nn1.corp.example\\nCluster Service`,
    lacks: ["recordId", "level"],
  },
  {
    format: "comma-line",
    text: `7031,ERROR,Service Control Manager,Fri Mar 01 10:00:00 2024,No User,${MESSAGE}`,
    lacks: ["channel", "computer", "recordId", "data"],
  },
  {
    format: "comma-line",
    text: `4711,System,Service Control Manager,ERROR,n1.corp.example,3/1/2024 10:00:00 AM,7031,None,${MESSAGE}`,
    lacks: ["data"],
  },
  {
    format: "comma-line",
    text: `3/1/2024,10:00:00 AM,Service Control Manager,Error,None,7031,N/A,n1.corp.example,${MESSAGE}`,
    lacks: ["channel", "recordId", "data"],
  },
  {
    format: "gelf",
    text: json({
      version: "1.1",
      host: "n1.corp.example",
      short_message: "The Cl",
      full_message: MESSAGE,
      timestamp: 1709287200,
      level: 3,
      _EventID: 7031,
      _SourceName: "Service Control Manager",
      _Channel: "System",
      _EventType: "ERROR",
      _RecordNumber: 4711,
      _param1: "Cluster Service",
    }),
  },
  {
    format: "gelf",
    text: json({
      message: MESSAGE,
      source: "agent",
      timestamp: "2024-03-01T10:00:00.000Z",
      winlogbeat_winlog_event_id: "7031",
      winlogbeat_winlog_channel: "System",
      winlogbeat_winlog_provider_name: "Service Control Manager",
      winlogbeat_winlog_computer_name: "n1.corp.example",
      winlogbeat_winlog_record_id: 4711,
      winlogbeat_log_level: "error",
      winlogbeat_winlog_event_data_param1: "Cluster Service",
    }),
  },
  { format: "otlp", text: otlpLog(map(kv("param1", "Cluster Service"))) },
  { format: "otlp", text: otlpLog(map(kv("data", { arrayValue: { values: [map(kv("", "Cluster Service"))] } }))) },
  { format: "otlp", text: otlpLog(map(kv("Data1", "Cluster Service"))) },
  { format: "otlp", text: otlpLog({}, { body: { stringValue: XML } }) },
  {
    format: "azure-row",
    text: json({
      TimeGenerated: "2024-03-01T10:00:00.0000000Z",
      Source: "Service Control Manager",
      EventLog: "System",
      Computer: "n1.corp.example",
      EventLevel: 1,
      EventLevelName: "Error",
      EventID: 7031,
      RenderedDescription: MESSAGE,
      ParameterXml: "<Param>Cluster Service</Param>",
      EventData: "",
      Type: "Event",
    }),
    lacks: ["recordId"],
  },
  {
    format: "azure-row",
    text: json({
      TimeGenerated: "2024-03-01T10:00:00Z",
      Provider: "Service Control Manager",
      Channel: "System",
      Computer: "n1.corp.example",
      EventID: 7031,
      EventLevel: 2,
      EventLevelName: "Error",
      EventData: { param1: "Cluster Service" },
      EventRecordId: "4711",
      Type: "WindowsEvent",
    }),
  },
  {
    format: "azure-row",
    text: json({
      TimeGenerated: "2024-03-01T10:00:00Z",
      EventSourceName: "Service Control Manager",
      Channel: "System",
      Computer: "n1.corp.example",
      EventID: 7031,
      Level: "2",
      EventData: "<EventData xmlns='x'><Data Name='param1'>Cluster Service</Data></EventData>",
    }),
    lacks: ["recordId"],
  },
  {
    format: "azure-hub",
    text: json({
      records: [
        {
          TimeGenerated: "2024-03-01T10:00:00Z",
          Provider: "Service Control Manager",
          Channel: "System",
          Computer: "n1.corp.example",
          EventID: 7031,
          EventLevel: 2,
          EventData: { param1: "Cluster Service" },
          EventRecordId: "4711",
        },
      ],
    }),
  },
  {
    format: "azure-tables",
    text: json({
      tables: [
        {
          name: "PrimaryResult",
          columns: [
            "TimeGenerated",
            "Provider",
            "Channel",
            "Computer",
            "EventID",
            "EventLevel",
            "EventData",
            "EventRecordId",
          ].map((name) => ({ name })),
          rows: [
            [
              "2024-03-01T10:00:00Z",
              "Service Control Manager",
              "System",
              "n1.corp.example",
              7031,
              2,
              { param1: "Cluster Service" },
              "4711",
            ],
          ],
        },
      ],
    }),
  },
  {
    format: "cloudwatch",
    text: json({ messageType: "DATA_MESSAGE", logGroup: "g", logEvents: [{ id: "1", timestamp: AT, message: XML }] }),
  },
  {
    format: "cloudwatch",
    text: json({
      messageType: "DATA_MESSAGE",
      logGroup: "g",
      logEvents: [
        {
          id: "1",
          timestamp: AT,
          message: `[System] [ERROR] [7031] [Service Control Manager] [n1.corp.example] [${MESSAGE}]`,
        },
      ],
    }),
    lacks: ["recordId", "data"],
  },
  {
    format: "firehose",
    text: json({
      requestId: "r",
      timestamp: 1,
      records: [{ data: btoa(json({ messageType: "DATA_MESSAGE", logEvents: [{ timestamp: AT, message: XML }] })) }],
    }),
  },
  {
    format: "fluent",
    text: json({
      ProviderName: "Service Control Manager",
      Qualifiers: 49152,
      EventID: 7031,
      Level: 2,
      Keywords: "0x8080000000000000",
      TimeCreated: "2024-03-01 11:00:00 +0100",
      EventRecordID: 4711,
      Channel: "System",
      Computer: "n1.corp.example",
      Message: MESSAGE,
      StringInserts: ["Cluster Service"],
    }),
  },
  {
    format: "fluent",
    text: json({
      ProviderName: "Service Control Manager",
      EventID: "3221232503",
      Level: "2",
      TimeCreated: "2024-03-01T10:00:00.000000000Z",
      EventRecordID: "4711",
      Channel: "System",
      Computer: "n1.corp.example",
      Description: MESSAGE,
      EventData: ["Cluster Service"],
    }),
  },
  {
    format: "fluent",
    text: json({
      RecordNumber: 4711,
      TimeGenerated: "2024-03-01 11:00:00 +0100",
      TimeWritten: "2024-03-01 11:00:00 +0100",
      EventID: 7031,
      Qualifiers: 49152,
      EventType: "Error",
      EventCategory: 0,
      Channel: "System",
      SourceName: "Service Control Manager",
      ComputerName: "n1.corp.example",
      Data: "",
      Message: MESSAGE,
      StringInserts: ["Cluster Service"],
    }),
  },
  {
    format: "fluent",
    text: json({
      System: XML.slice(XML.indexOf("<System>"), XML.indexOf("<EventData>")),
      Message: MESSAGE,
      StringInserts: ["Cluster Service"],
    }),
  },
  {
    format: "vector",
    text: json({
      timestamp: "2024-03-01T10:00:00.000000000Z",
      event_id: 7031,
      record_id: 4711,
      level: "Error",
      level_value: 2,
      channel: "System",
      provider_name: "Service Control Manager",
      computer: "n1.corp.example",
      string_inserts: ["Cluster Service"],
      message: MESSAGE,
    }),
  },
  {
    format: "telegraf",
    text: json({
      fields: { EventRecordID: "4711", Message: MESSAGE, Data_param1: "Cluster Service" },
      name: "win_eventlog",
      tags: {
        Channel: "System",
        Computer: "n1.corp.example",
        EventID: "7031",
        Level: "2",
        Source: "Service Control Manager",
      },
      timestamp: 1709287200,
    }),
  },
  {
    format: "promtail",
    text: json({
      source: "Service Control Manager",
      channel: "System",
      computer: "n1.corp.example",
      event_id: 7031,
      level: 2,
      timeCreated: "2024-03-01T10:00:00.0000000Z",
      eventRecordID: 4711,
      event_data: "<Data Name='param1'>Cluster Service</Data>",
      message: MESSAGE,
    }),
  },
  {
    format: "loki",
    text: json({
      streams: [
        {
          stream: { job: "w" },
          values: [
            [
              "1709287200000000000",
              json({
                source: "Service Control Manager",
                channel: "System",
                computer: "n1.corp.example",
                event_id: 7031,
                level: 2,
                timeCreated: "2024-03-01T10:00:00Z",
                eventRecordID: 4711,
                event_data: "<Data Name='param1'>Cluster Service</Data>",
              }),
            ],
          ],
        },
      ],
    }),
  },
  {
    format: "event-json",
    text: json({
      Event: {
        "#attributes": { xmlns: "x" },
        System: {
          ...SYSTEM,
          Provider: { "#attributes": { Name: "Service Control Manager" } },
          EventID: { "#attributes": { Qualifiers: 49152 }, "#text": 7031 },
          TimeCreated: { "#attributes": { SystemTime: "2024-03-01T10:00:00.000000Z" } },
          Security: null,
        },
        EventData: { Data: { "#text": ["Cluster Service"] }, Binary: null },
      },
    }),
  },
  {
    format: "event-json",
    text: json({
      Event_attributes: { xmlns: "x" },
      Event: {
        System: {
          ...SYSTEM,
          Provider_attributes: { Name: "Service Control Manager" },
          EventID_attributes: { Qualifiers: "49152" },
          EventID: 7031,
          TimeCreated_attributes: { SystemTime: "2024-03-01T10:00:00Z" },
        },
        EventData: { param1: "Cluster Service" },
      },
    }),
  },
  {
    format: "event-json",
    text: json({
      System: {
        ...SYSTEM,
        Provider: { Name: "Service Control Manager" },
        EventID: { Value: 7031 },
        Keywords: "#9259400833873739776",
        TimeCreated: { SystemTime: 1709287200.0 },
      },
      EventData: { param1: "Cluster Service" },
      Message: MESSAGE,
    }),
  },
  {
    format: "event-json",
    text: json({
      Event: {
        xmlns: "x",
        System: {
          ...SYSTEM,
          Provider: { Name: "Service Control Manager" },
          EventID: { text: "7031", Qualifiers: "49152" },
          TimeCreated: { SystemTime: "2024-03-01T10:00:00Z" },
        },
        EventData: { Data: [{ text: "Cluster Service", Name: "param1" }] },
      },
    }),
  },
  {
    format: "event-json",
    text: json({
      Event: {
        $: { xmlns: "x" },
        System: [
          {
            Provider: [{ $: { Name: "Service Control Manager" } }],
            EventID: [{ _: "7031", $: { Qualifiers: "49152" } }],
            Level: ["2"],
            TimeCreated: [{ $: { SystemTime: "2024-03-01T10:00:00Z" } }],
            EventRecordID: ["4711"],
            Channel: ["System"],
            Computer: ["n1.corp.example"],
          },
        ],
        EventData: [{ Data: [{ _: "Cluster Service", $: { Name: "param1" } }] }],
      },
    }),
  },
  {
    format: "event-json",
    text: json({
      Event: {
        System: {
          Provider: { "@Name": "Service Control Manager" },
          EventID: "7031",
          Level: "2",
          TimeCreated: { "@SystemTime": "2024-03-01T10:00:00Z" },
          EventRecordID: "4711",
          Channel: "System",
          Computer: "n1.corp.example",
        },
        EventData: { Data: { "@Name": "param1", "#text": "Cluster Service" } },
      },
    }),
  },
  {
    format: "event-json",
    text: json({
      Event: {
        System: {
          ...SYSTEM,
          Provider: { Name: "Service Control Manager" },
          EventID: "7031",
          EventIDQualifier: "49152",
          TimeCreated: { SystemTime: "2024-03-01T10:00:00Z" },
        },
        EventData: { Data: { param1: "Cluster Service" } },
      },
      level: "Error",
      message: MESSAGE,
    }),
  },
  {
    format: "chainsaw",
    text: json({
      group: "g",
      kind: "individual",
      document: {
        kind: "evtx",
        path: "a",
        data: {
          Event: {
            System: {
              ...SYSTEM,
              Provider_attributes: { Name: "Service Control Manager" },
              EventID: 7031,
              TimeCreated_attributes: { SystemTime: "2024-03-01T10:00:00Z" },
            },
            EventData: { param1: "Cluster Service" },
          },
        },
      },
      name: "rule",
    }),
  },
  {
    format: "hayabusa",
    text: json({
      Timestamp: "2024-03-01 11:00:00.000 +01:00",
      RuleTitle: "r",
      Level: "high",
      Computer: "n1.corp.example",
      Channel: "Sys",
      EventID: 7031,
      RecordID: 4711,
      Provider: "Service Control Manager",
      Details: { param1: "Cluster Service" },
    }),
    lacks: ["level"],
  },
  {
    format: "evtx-ecmd",
    text: json({
      PayloadData1: "x",
      Computer: "n1.corp.example",
      Payload: json({ EventData: { Data: { "@Name": "param1", "#text": "Cluster Service" } } }),
      Channel: "System",
      Provider: "Service Control Manager",
      EventId: 7031,
      EventRecordId: "4711",
      Level: "Error",
      TimeCreated: "2024-03-01T10:00:00.0000000+00:00",
    }),
  },
  {
    format: "powershell-json",
    text: json({ ...WIN_EVENT, TimeCreated: "/Date(1709287200000)/", Properties: [{ Value: "Cluster Service" }] }),
  },
  {
    format: "powershell-json",
    text: json([
      {
        ...WIN_EVENT,
        TimeCreated: "2024-03-01T11:00:00.0000000+01:00",
        Properties: ["System.Diagnostics.Eventing.Reader.EventProperty"],
      },
    ]),
    lacks: ["data"],
  },
  {
    format: "powershell-json",
    text: json({
      EventID: 7031,
      InstanceId: 3221232503,
      MachineName: "n1.corp.example",
      Index: 4711,
      EntryType: 1,
      Message: MESSAGE,
      Source: "Service Control Manager",
      ReplacementStrings: ["Cluster Service"],
      TimeGenerated: "/Date(1709287200000)/",
      Data: [],
    }),
    lacks: ["channel"],
  },
  {
    format: "clixml",
    text: `<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">\n <Obj RefId="0"><TN RefId="0"><T>System.Diagnostics.Eventing.Reader.EventLogRecord</T></TN><Props><I32 N="Id">7031</I32><By N="Level">2</By><I64 N="RecordId">4711</I64><S N="ProviderName">Service Control Manager</S><S N="LogName">System</S><S N="MachineName">n1.corp.example</S><Nil N="UserId"/><DT N="TimeCreated">2024-03-01T11:00:00.0000000+01:00</DT><Obj N="Properties" RefId="1"><LST><Obj RefId="2"><Props><S N="Value">Cluster Service</S></Props></Obj></LST></Obj></Props><MS><S N="Message">a_x000D__x000A_b</S></MS></Obj></Objs>`,
  },
  {
    format: "format-list",
    text: `TimeCreated  : 3/1/2024 10:00:00 AM\nProviderName : Service Control Manager\nId           : 7031\nLogName      : System\nMachineName  : n1.corp.example\nRecordId     : 4711\nLevelDisplayName : Error\nMessage      : ${MESSAGE}\n               second line`,
    lacks: ["data"],
  },
  {
    format: "labelled-text",
    text: `Event[0]:\n  Log Name: System\n  Source: Service Control Manager\n  Date: 2024-03-01T10:00:00.000\n  Event ID: 7031\n  Task: N/A\n  Level: Error\n  Opcode: N/A\n  Keyword: Classic\n  User: S-1-5-18\n  User Name: NT AUTHORITY\\SYSTEM\n  Computer: n1.corp.example\n  Description: \n${MESSAGE}\n\n`,
    lacks: ["recordId", "data"],
  },
  {
    format: "friendly-view",
    text: `+ System \n\n  - Provider \n\n   [ Name]  Service Control Manager \n \n   EventID 7031 \n   [ Qualifiers]  49152 \n\n   Level 2 \n\n  - TimeCreated \n\n   [ SystemTime]  2024-03-01T10:00:00.000000000Z \n \n   EventRecordID 4711 \n\n   Channel System \n\n   Computer n1.corp.example \n\n- EventData \n\n  param1 Cluster Service `,
  },
  {
    format: "wmi",
    text: `instance of Win32_NTLogEvent\n{\n\tCategory = 0;\n\tComputerName = "n1.corp.example";\n\tEventCode = 7031;\n\tEventIdentifier = 3221232503;\n\tEventType = 1;\n\tInsertionStrings = {"Cluster Service"};\n\tLogfile = "System";\n\tMessage = "a \\"quoted\\" = text;\n\nb";\n\tRecordNumber = 4711;\n\tSourceName = "Service Control Manager";\n\tTimeGenerated = "20240301110000.000000+060";\n\tType = "Error";\n};`,
  },
  {
    format: "wmi",
    text: json({
      sourceName: "Service Control Manager",
      insertionStrings: ["Cluster Service"],
      eventCode: 7031,
      computerName: "n1.corp.example",
      eventData: null,
      timeWritten: "2024-03-01T10:00:00.000000000Z",
    }),
    lacks: ["channel", "recordId", "level"],
  },
  {
    format: "carried",
    text: json({
      source_json: {
        sourceName: "Service Control Manager",
        insertionStrings: ["Cluster Service"],
        eventCode: 7031,
        computerName: "n1.corp.example",
        timeWritten: "2024-03-01T10:00:00Z",
      },
    }),
    lacks: ["channel", "recordId", "level"],
  },
  { format: "carried", text: json({ _raw: XML, _time: 1709287200.0, host: "x" }) },
  {
    format: "carried",
    text: json({
      preview: false,
      result: {
        _raw: `03/01/2024 10:00:00 AM\\nLogName=System\\nEventCode=7031\\nEventType=2\\nComputerName=n1.corp.example\\nSourceName=Service Control Manager\\nType=Error\\nRecordNumber=4711\\nMessage=${MESSAGE}`,
      },
    }),
    lacks: ["data"],
  },
  { format: "syslog", text: `<13>1 2024-03-01T10:00:01Z n2 app 1 - [x y="]"] \ufeff${XML}` },
  {
    format: "syslog",
    text: `118 <13>Mar  1 10:00:01 n2 nxlog[12]: ${json({ ...NXLOG, EventTime: "2024-03-01 10:00:00" })}`,
  },
  { format: "syslog", text: `2024-03-01 10:00:01\tLocal7.Error\t10.0.0.1\t${XML}` },
  {
    format: "key-value",
    text: `EventID=7031 Source="Service Control Manager" Channel=System Computer=n1.corp.example Level=Error RecordNumber=4711 TimeCreated=2024-03-01T10:00:00Z param1="Cluster Service" Message="${MESSAGE}"`,
  },
  {
    format: "syslog",
    text: `<13>Mar  1 10:00:00 n2 ProviderName: Service Control Manager\nEventID: 7031\nLevel: 2\nTimeCreated: 2024-03-01 11:00:00 +0100\nEventRecordID: 4711\nChannel: System\nComputer: n1.corp.example\nparam1: Cluster Service\nMessage: a\nb: c`,
  },
  {
    format: "viewer-csv",
    text: `\ufeffLevel,Date and Time,Source,Event ID,Task Category\r\nError,3/1/2024 10:00:00 AM,Service Control Manager,7031,None,"${MESSAGE}\n\n""quoted"", more"\r\n`,
    lacks: ["channel", "computer", "recordId", "data"],
  },
  {
    format: "viewer-csv",
    text: `Ebene\tDatum und Uhrzeit\tQuelle\tEreignis-ID\tAufgabenkategorie\nFehler\t01.03.2024 10:00:00\tService Control Manager\t7031\tKeine\t${MESSAGE}\n`,
    lacks: ["channel", "computer", "recordId", "data"],
  },
  {
    format: "csv",
    text: `"EventID","MachineName","Data","Index","Category","CategoryNumber","EntryType","Message","Source","ReplacementStrings","InstanceId","TimeGenerated","TimeWritten","UserName","Site","Container"\n"7031","n1.corp.example","System.Byte[]","4711","(0)","0","Error","${MESSAGE}\nmore","Service Control Manager","System.String[]","3221232503","2024/03/01 10:00:00","2024/03/01 10:00:00",,,\n`,
    lacks: ["channel", "data"],
  },
  {
    format: "csv",
    text: `PayloadData1,Computer,Payload,Channel,Provider,EventId,EventRecordId,Level,TimeCreated\nx,n1.corp.example,"{""EventData"":{""Data"":[{""@Name"":""param1"",""#text"":""Cluster Service""}]}}",System,Service Control Manager,7031,4711,Error,2024-03-01 10:00:00.0000000\n`,
  },
  {
    format: "csv",
    text: `TimeGenerated [UTC];Source;EventLog;Computer;EventID;EventLevelName;ParameterXml\n3/1/2024, 10:00:00.000 AM;Service Control Manager;System;n1.corp.example;7031;Error;<Param>Cluster Service</Param>\n`,
    lacks: ["recordId"],
  },
];

test("signed and unsigned 64-bit keywords are one hexadecimal number", () => {
  const keywords = FORMS.filter((form) => form.text.includes('"Keywords"')).map(
    (form) => decodeAll(form.text)[0]?.event?.keywords,
  );
  expect(new Set(keywords)).toEqual(new Set(["0x8080000000000000"]));
});

const lackOf = (form: Form, field: NonNullable<Form["lacks"]>[number]): boolean => form.lacks?.includes(field) === true;

test.each(FORMS.map((form, i) => [`${form.format} (${i + 1})`, form] as const))("%s", (_name, form) => {
  const items = decodeAll(form.text, { zone: form.zone ?? "utc", receivedAt: form.receivedAt ?? RECEIVED_AT });
  expect(items.map((item) => item.failure?.detail ?? item.source.format)).toEqual([form.format]);
  const event = items[0]?.event;
  expect(event).toMatchObject({ provider: "Service Control Manager", eventId: 7031 });
  if (!lackOf(form, "channel")) expect(event?.channel).toBe("System");
  if (!lackOf(form, "computer")) expect(event?.computer).toBe("n1.corp.example");
  if (!lackOf(form, "recordId")) expect(event?.recordId).toBe("4711");
  if (!lackOf(form, "time")) expect(event?.timeCreated).toBe(AT);
  if (!lackOf(form, "level")) expect(event?.level).toBe(2);
  if (!lackOf(form, "data")) expect(event?.data.values).toContain("Cluster Service");
});
