import { foldHost, type HostId, namedData, positionalData, type WindowsEvent } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { compileRules, eventSource, type Manifest } from "./index.ts";
import { matchedBy, ruleText, selectionText } from "./match.test-support.ts";

function event(over: Partial<WindowsEvent> = {}): WindowsEvent {
  return {
    provider: "disk",
    channel: "System",
    computer: "HV01.contoso.com",
    host: foldHost("HV01.contoso.com") as HostId,
    eventId: 153,
    level: 3,
    timeCreated: Date.UTC(2026, 2, 2, 10),
    timeQuality: "event",
    data: positionalData(["\\Device\\Harddisk1", "0x1f"]),
    ...over,
  };
}

const SYSMON = { provider: "Microsoft-Windows-Sysmon", channel: "Microsoft-Windows-Sysmon/Operational" };

function matches(selection: string, source = eventSource(event())): boolean {
  return matchedBy(ruleText(selectionText(selection)), [source]).length === 1;
}

describe("names of the System part", () => {
  test.each([
    "EventID: 153",
    "Provider_Name: Disk",
    "Provider_Name: Microsoft-Windows-Disk",
    "Channel: system",
    "Computer|startswith: hv01",
    "Level: 3",
    "TimeCreated|startswith: '2026-03-02T10'",
    "TimeCreated|hour: 10",
    "event.code: 153",
    "winlog.channel: System",
    "host.name|endswith: contoso.com",
    "Event.System.EventID: 153",
    "eventid: 153",
  ])("%s", (selection) => {
    expect(matches(selection)).toBe(true);
  });

  test("another provider does not match, and negation sees every name", () => {
    expect(matches("Provider_Name: ntfs")).toBe(false);
    expect(matches("Provider_Name|neq: 'Microsoft-Windows-Disk'")).toBe(false);
  });
});

describe("names of data", () => {
  test("positional data goes by place, by the manifest's name and by the longer names", () => {
    const manifest: Manifest = (provider, id) =>
      provider === "microsoft-windows-disk" && id === 153 ? ["Device", "Lba"] : undefined;
    const source = eventSource(event(), { manifest });
    for (const selection of [
      "param2: '0x1f'",
      "Lba: '0x1f'",
      "lba: '0x1f'",
      "winlog.event_data.param2: '0x1f'",
      "EventData.Lba: '0x1f'",
    ]) {
      expect(matches(selection, source)).toBe(true);
    }
    expect(matches("param3|exists: true", source)).toBe(false);
  });

  test("Data is every value without a name, however a forwarder calls it", () => {
    const sources = [
      eventSource(event()),
      eventSource(
        event({
          data: namedData([
            ["param1", "\\Device\\Harddisk1"],
            ["param2", "0x1f"],
            ["Binary", "00"],
          ]),
        }),
      ),
      eventSource(event({ data: namedData([["Data", "\\device\\harddisk1, 0x1F"]]) })),
    ];
    for (const source of sources) {
      expect(matches("Data|contains: harddisk", source)).toBe(true);
      expect(matches("Data|contains|all: [Harddisk1, '0x1f']", source)).toBe(true);
      expect(matches("Data: '00'", source)).toBe(false);
    }
    const named = eventSource(event({ data: namedData([["Node", "n1"]]) }));
    expect(matches("Data|exists: false", named)).toBe(true);
  });

  test("names of data lose their spaces, as the specification has it", () => {
    const source = eventSource(
      event({
        data: namedData([
          ["Threat Name", "EICAR"],
          ["Source Name", "AMSI"],
          ["Path", "C:\\x"],
          ["Threat ID", "7"],
          ["ThreatID", "8"],
        ]),
      }),
    );
    expect(matches("ThreatName: eicar", source)).toBe(true);
    expect(matches("'Threat Name': eicar", source)).toBe(true);
    expect(matches("SourceName: amsi", source)).toBe(true);
    expect(matches("ThreatID: 8", source)).toBe(true);
    expect(matches("ThreatID: 7", source)).toBe(false);
    expect(matches("Threat|exists: true", source)).toBe(false);
  });

  test("the hash names of the taxonomy are found in what Sysmon calls Hashes", () => {
    const source = eventSource(
      event({ ...SYSMON, eventId: 1, data: namedData([["Hashes", "MD5=0A1B,SHA256=FFEE,IMPHASH=0000"]]) }),
    );
    expect(matches("md5: 0a1b", source)).toBe(true);
    expect(matches("Imphash: '0000'", source)).toBe(true);
    expect(matches("sha1|exists: false", source)).toBe(true);
    const own = eventSource(
      event({
        data: namedData([
          ["Hashes", "MD5=0A1B"],
          ["md5", "77"],
        ]),
      }),
    );
    expect(matches("md5: 77", own)).toBe(true);
    expect(matches("md5: 0a1b", own)).toBe(false);
  });

  test("named data goes by name in any case; a repeated name has all its values", () => {
    const source = eventSource(
      event({
        data: namedData([
          ["Node", "n1"],
          ["Node", "n2"],
          ["ProcessId", "77"],
          ["__proto__", "x"],
        ]),
        processId: 4,
      }),
    );
    expect(matches("node: n2", source)).toBe(true);
    expect(matches("ProcessID: 77", source)).toBe(true);
    expect(matches("Execution_ProcessID: 4", source)).toBe(true);
    expect(matches("__proto__: x", source)).toBe(true);
    expect(matches("toString|exists: true", source)).toBe(false);
  });

  test("data cannot pass for the channel or the event id", () => {
    const source = eventSource(
      event({
        data: namedData([
          ["EventID", "1"],
          ["Channel", "Security"],
        ]),
      }),
    );
    expect(matches("EventID: 1", source)).toBe(false);
    expect(matches("Channel: Security", source)).toBe(false);
  });

  test("derived values go before all else", () => {
    const derived = new Map<string, string | readonly string[]>([
      ["BugcheckCode", "0x9E"],
      ["StatusCode", ["0x800423F3", "0x80070005"]],
    ]);
    const source = eventSource(event(), { derived });
    expect(matches("BugcheckCode: '0x9e'", source)).toBe(true);
    expect(matches("StatusCode: '0x80070005'", source)).toBe(true);
  });

  test("keywords look at every value", () => {
    const source = eventSource(event({ message: "The IO operation was retried" }), {
      derived: new Map([["Code", "0x9E"]]),
    });
    for (const word of ["harddisk1", "retried", "'153'", "HV01", "'0x9e'"])
      expect(matches(`- ${word}`, source)).toBe(true);
    expect(matches("- absent", source)).toBe(false);
  });
});

describe("log sources", () => {
  function routed(logsource: string, over: Partial<WindowsEvent>, selection = "EventID|exists: true"): boolean {
    const text = ruleText(selectionText(selection)).replace("product: windows", logsource);
    return matchedBy(text, [eventSource(event(over))], { routing: true }).length === 1;
  }

  test.each([
    ["product: windows", {}, true],
    ["product: linux", {}, false],
    ["service: system", {}, true],
    ["{ product: windows, service: security }", {}, false],
    ["{ product: windows, service: security }", { channel: "SECURITY" }, true],
    ["{ product: windows, category: process_creation }", { ...SYSMON, eventId: 1 }, true],
    ["{ product: windows, category: process_creation }", { ...SYSMON, eventId: 3 }, false],
    ["{ product: windows, category: process_creation }", { eventId: 1 }, false],
    [
      "{ product: windows, category: registry_add }",
      { ...SYSMON, eventId: 12, data: namedData([["EventType", "CreateKey"]]) },
      true,
    ],
    [
      "{ product: windows, category: registry_add }",
      { ...SYSMON, eventId: 12, data: namedData([["EventType", "DeleteKey"]]) },
      false,
    ],
    [
      "{ product: windows, category: registry_delete }",
      { ...SYSMON, eventId: 12, data: namedData([["EventType", "DeleteValue"]]) },
      true,
    ],
    ["{ product: windows, category: ps_script }", { channel: "PowerShellCore/Operational", eventId: 4104 }, true],
    ["{ product: windows, category: ps_classic_start }", { channel: "Windows PowerShell", eventId: 400 }, true],
    ["{ product: windows, service: no-such }", {}, true],
  ] as const)("%s", (logsource, over, expected) => {
    const inner = logsource.startsWith("{")
      ? logsource
          .slice(1, -1)
          .split(",")
          .map((part) => part.trim())
          .join("\n  ")
      : logsource;
    expect(routed(inner, over)).toBe(expected);
  });

  test("a log source that the table does not know is warned of, where it is used", () => {
    const text = ruleText(selectionText("EventID: 1")).replace(
      "product: windows",
      "product: windows\n  service: no-such",
    );
    expect(compileRules([{ file: "r", text }]).diagnostics.map(({ read }) => read)).toEqual(["logsource no-such"]);
    expect(compileRules([{ file: "r", text }], { routing: false }).diagnostics).toEqual([]);
  });

  test("without routing the log source restricts nothing", () => {
    const text = ruleText(selectionText("EventID: 153")).replace("product: windows", "product: linux");
    const { ruleset } = compileRules([{ file: "r", text }], { routing: false });
    let count = 0;
    ruleset?.match(eventSource(event()), () => {
      count += 1;
    });
    expect(count).toBe(1);
  });
});
