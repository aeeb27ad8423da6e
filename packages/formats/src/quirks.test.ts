/** What is odd about events of Windows in every format: one test for each row of FORMATS.md section 0. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dataValue, eventIdentity, providerKey } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { decodeBytes } from "./decode-bytes.ts";
import { FORMATS } from "./formats.ts";
import { eventOf, eventsOf, RECEIVED_AT, reasonsOf, SCM_7031_XML } from "./test-support.ts";

const CORPORA = fileURLToPath(new URL("../../../../shared/corpora", import.meta.url));
const here = existsSync(CORPORA);
if (!here) console.log("left out: quirks of real binary logs (../shared/corpora is not here)");

const xml = (system: string, data = ""): string =>
  `<Event><System>${system}<Computer>n1</Computer></System>${data}</Event>`;
const winlog = (fields: object, more: object = {}): string =>
  JSON.stringify({
    "@timestamp": "2024-03-01T10:00:00Z",
    winlog: { provider_name: "P", event_id: "1", channel: "System", computer_name: "n1", ...fields },
    ...more,
  });

describe("identity", () => {
  test("one number is different events of different providers", () => {
    const ids = ["disk", "Microsoft-Windows-Kernel-Boot"].map((name) =>
      eventIdentity(eventOf(xml(`<Provider Name='${name}'/><EventID>153</EventID><EventRecordID>1</EventRecordID>`))),
    );
    expect(new Set(ids).size).toBe(2);
  });
  test("a provider's case and its two names do not change the identity", () => {
    const names = ["Volsnap", "volsnap", "Microsoft-Windows-VolSnap"];
    const ids = names.map((name) =>
      eventIdentity(eventOf(xml(`<Provider Name='${name}'/><EventID>36</EventID><EventRecordID>1</EventRecordID>`))),
    );
    expect(new Set(ids).size).toBe(1);
  });
  test("the classic name of text formats and the manifest's name of XML are one provider", () => {
    const classic = eventOf(
      "Event Type:\tError\nEvent Source:\tSave Dump\nEvent ID:\t1001\nComputer:\tN1\nDescription:\nx",
    );
    const manifest = eventOf(
      xml(
        "<Provider Name='Microsoft-Windows-WER-SystemErrorReporting' EventSourceName='BugCheck'/><EventID>1001</EventID>",
      ),
    );
    expect(providerKey(classic.provider)).toBe(providerKey(manifest.provider));
    expect(manifest.providerAlias).toBe("BugCheck");
  });
  test("a computer's case, trailing dot and slashes are one host", () => {
    const hosts = ["HV11.Contoso.com.", "hv11.contoso.com", "\\\\HV11.CONTOSO.COM"].map(
      (name) => eventOf(winlog({ computer_name: name })).host,
    );
    expect(new Set(hosts)).toEqual(new Set(["hv11.contoso.com"]));
  });
  test("a collector's name does not stand in for the computer", () => {
    expect(eventOf(winlog({ computer_name: "n1" }, { host: { name: "collector" } })).host).toBe("n1");
    expect(eventOf(`<13>Mar  1 10:00:00 relay x: ${winlog({ computer_name: "n1" })}`).host).toBe("n1");
  });
});

describe("ids and numbers", () => {
  test.each([
    ["decimal of 32 bits", "3221232503", 7031, 49152],
    ["signed decimal of 32 bits", "-1073734793", 7031, 49152],
    ["hexadecimal", "0xC0001B77", 7031, 49152],
    ["above 16 bits", "70000", 4464, 1],
    ["facility bits", "2147745843", 51, 32772],
  ])("an id in %s", (_name, text, eventId, qualifiers) => {
    expect(eventOf(xml(`<Provider Name='P'/><EventID>${text}</EventID>`))).toMatchObject({ eventId, qualifiers });
  });
  test("qualifiers of their own stay beside the id", () => {
    expect(eventOf(xml("<Provider Name='P'/><EventID Qualifiers='49158'>36</EventID>"))).toMatchObject({
      eventId: 36,
      qualifiers: 49158,
    });
  });
  test.each([
    ["-9187343239835811840", "0x8080000000000000"],
    ["9259400833873739776", "0x8080000000000000"],
    ["0x8080000000000000", "0x8080000000000000"],
    ["0X80A0", "0x80a0"],
    ["Classic", "Classic"],
  ])("keywords %s", (text, keywords) => {
    expect(eventOf(xml(`<Provider Name='P'/><EventID>1</EventID><Keywords>${text}</Keywords>`)).keywords).toBe(
      keywords,
    );
  });
  test("a record id of 64 bits is exact, in JSON as a number and as a string", () => {
    for (const written of ["18446744073709551615", '"18446744073709551615"']) {
      expect(eventOf(winlog({ record_id: "#" }).replace('"#"', written)).recordId).toBe("18446744073709551615");
    }
  });
  test("level 0 and audits are LogAlways, whatever word stands there", () => {
    expect(eventOf(xml("<Provider Name='P'/><EventID>1</EventID><Level>0</Level>")).level).toBe(0);
    expect(eventOf('{"EventID":4625,"SourceName":"P","Hostname":"n1","EventType":"AUDIT_FAILURE"}').level).toBe(0);
  });
});

describe("time", () => {
  test("fractions of seven and of nine digits are kept beside the milliseconds", () => {
    for (const stamp of ["2024-03-01T10:00:00.1234567Z", "2024-03-01T10:00:00.123456789Z"]) {
      const event = eventOf(xml(`<Provider Name='P'/><EventID>1</EventID><TimeCreated SystemTime='${stamp}'/>`));
      expect([event.timeCreated, event.timeText]).toEqual([Date.UTC(2024, 2, 1, 10, 0, 0, 123), stamp]);
    }
  });
  test("time zero and a year far ahead are kept and marked", () => {
    for (const stamp of ["1601-01-01T00:00:00.0000000Z", "9999-12-31T23:59:59Z"]) {
      const event = eventOf(xml(`<Provider Name='P'/><EventID>1</EventID><TimeCreated SystemTime='${stamp}'/>`));
      expect([event.timeCreated, event.marks]).toEqual([Date.parse(stamp), ["odd-time"]]);
    }
  });
  test("a time that cannot be read is that of receipt, and says so", () => {
    expect(eventOf(xml("<Provider Name='P'/><EventID>1</EventID><TimeCreated SystemTime='soon'/>"))).toMatchObject({
      timeCreated: RECEIVED_AT,
      timeQuality: "received",
      marks: ["time-unreadable"],
    });
  });
  test.each([
    ["event.created of Winlogbeat", winlog({}, { event: { created: "2024-03-01T10:00:05Z" } })],
    [
      "EventReceivedTime of NXLog",
      '{"EventID":1,"SourceName":"P","Hostname":"n1","EventTime":"2024-03-01 10:00:00","EventReceivedTime":"2024-03-01 10:00:05"}',
    ],
    ["TimeReceived of OpenWEC", JSON.stringify({ meta: { TimeReceived: "2024-03-01T10:00:05Z" }, data: SCM_7031_XML })],
    ["time of a HEC envelope", JSON.stringify({ time: 1709287205, event: SCM_7031_XML })],
    [
      "observedTimeUnixNano of OTLP",
      JSON.stringify({
        resourceLogs: [
          {
            scopeLogs: [
              { logRecords: [{ observedTimeUnixNano: "1709287205000000000", body: { stringValue: SCM_7031_XML } }] },
            ],
          },
        ],
      }),
    ],
    ["timestamp of Wazuh", JSON.stringify({ timestamp: "2024-03-01T15:00:05.000+0500", Event: SCM_7031_XML })],
  ])("%s is the time of receipt", (_name, text) =>
    expect(eventOf(text).receivedAt).toBe(Date.UTC(2024, 2, 1, 10, 0, 5)),
  );
});

describe("data and text", () => {
  test("unnamed data of NETLOGON keep their order and their references", () => {
    const event = eventOf(
      xml(
        "<Provider Name='NETLOGON'/><EventID>5719</EventID>",
        "<EventData><Data>CONTOSO</Data><Data>%%1311</Data></EventData>",
      ),
    );
    expect([dataValue(event.data, "param1"), dataValue(event.data, "param2")]).toEqual(["CONTOSO", "%%1311"]);
  });
  test("a repeated name keeps both values", () => {
    const event = eventOf(
      xml(
        "<Provider Name='P'/><EventID>1</EventID>",
        "<EventData><Data Name='a'>1</Data><Data Name='a'>2</Data></EventData>",
      ),
    );
    expect(event.data).toEqual({ names: ["a", "a"], values: ["1", "2"] });
  });
  test("a KMS request is one string with its commas", () => {
    const line =
      "0x00000000, 0x00000000, host:1688, 8a7d5e32-3c0d-4b0b-8f3b-2d1b7a0d9a11, 2023/05/24 01:12, 1, 5, 0, x, 5";
    const event = eventOf(
      xml(
        "<Provider Name='Microsoft-Windows-Security-SPP'/><EventID>12288</EventID>",
        `<EventData><Data>${line}</Data></EventData>`,
      ),
    );
    expect(event.data.values).toEqual([line]);
  });
  test.each([
    [
      "CRLF as references in XML",
      xml(
        "<Provider Name='P'/><EventID>1</EventID>",
        "<EventData><Data>a&#13;&#10;b</Data></EventData><RenderingInfo><Message>a&#13;&#10;b</Message></RenderingInfo>",
      ),
    ],
    ["CRLF in JSON", winlog({ event_data: { param1: "a\r\nb" } }, { message: "a\r\nb" })],
    ["LF in JSON", winlog({ event_data: { param1: "a\nb" } }, { message: "a\nb" })],
  ])("%s is one line end", (_name, text) => {
    const event = eventOf(text);
    expect([event.data.values[0], event.message]).toEqual(["a\nb", "a\nb"]);
  });
  test("literal backslash-r-backslash-n in a message is a line end; in data it is what it is", () => {
    const event = eventOf(winlog({ event_data: { path: "C:\\r\\n" } }, { message: "a\\r\\n\\r\\nb" }));
    expect([event.data.values[0], event.message]).toEqual(["C:\\r\\n", "a\n\nb"]);
  });
  test("directional marks in 6008's date stay in the data and do not hide the time alive", () => {
    const data = {
      param1: "18:09:01",
      param2: "\u200e4\u200e/\u200e6\u200e/\u200e2012",
      Binary: "DC07040005000600120009000100E703DC07040005000600160009000100E7036009",
    };
    const event = eventOf(winlog({ provider_name: "EventLog", event_id: "6008", event_data: data }));
    expect(dataValue(event.data, "param2")).toBe(data.param2);
    expect(dataValue(event.data, "LastAliveTime")).toBe("2012-04-06T22:09:01.999Z");
  });
  test("the service's key name does not depend on the language of its display name, nor on the state behind it", () => {
    const of = (Binary: string): string | undefined =>
      dataValue(
        eventOf(
          winlog({
            provider_name: "Service Control Manager",
            event_id: "7036",
            event_data: { param1: "Клиент", Binary },
          }),
        ).data,
        "ServiceKeyName",
      );
    expect(of("770075006100750073006500720076002F0034000000")).toBe("wuauserv");
    expect(of("77007500610075007300650072007600")).toBe("wuauserv");
    expect(of("0100")).toBeUndefined();
  });
  const withBinary = (provider: string, event_id: string, Binary: string) =>
    eventOf(winlog({ provider_name: provider, event_id, event_data: { Binary } })).data;
  test("NETLOGON's binary part is the status behind its unresolved reference", () => {
    expect(dataValue(withBinary("NETLOGON", "5719", "5E0000C0"), "BinaryStatus")).toBe("0xC000005E");
    expect(dataValue(withBinary("NETLOGON", "5719", "00000000"), "BinaryStatus")).toBeUndefined();
  });
  test("a driver's binary part is the packet of its error: the status of the request is read, of its own packets only", () => {
    const packet = "030080000100000000000000330004802D0100000E0000C00000000000000000";
    expect(dataValue(withBinary("disk", "51", packet), "FinalStatus")).toBe("0xC000000E");
    expect(dataValue(withBinary("disk", "153", packet), "FinalStatus")).toBeUndefined();
    expect(dataValue(withBinary("disk", "51", packet.slice(0, 40)), "FinalStatus")).toBeUndefined();
  });
  test("VSS says in ASCII who called it; bytes that are no text stay bytes", () => {
    const text = "- Code:  CORSVCC00000772- Call:  CORSVCC00000754- CMD:  C:\\Windows\\system32\\vssvc.exe";
    expect(dataValue(withBinary("VSS", "8193", Buffer.from(text).toString("hex")), "BinaryText")).toBe(text);
    expect(dataValue(withBinary("VSS", "8193", "00010203040506070809"), "BinaryText")).toBeUndefined();
  });
  test("data that stand in UserData, nested ones too, and in the other sections are data", () => {
    const of = (section: string) => eventOf(xml("<Provider Name='P'/><EventID>1</EventID>", section)).data;
    expect(of("<UserData><V xmlns='urn:x'><VmName>vm1</VmName><A><B c='1'>2</B></A></V></UserData>")).toEqual({
      names: expect.arrayContaining(["VmName"]),
      values: expect.arrayContaining(["vm1", "2"]),
    });
    expect(of("<ProcessingErrorData><ErrorCode>15005</ErrorCode></ProcessingErrorData>").values).toContain("15005");
    expect(of("<EventData><ComplexData Name='x'>00FF</ComplexData></EventData>").values).toEqual(["00FF"]);
  });
  test("a log that holds several names of its computer keeps each with its record", () => {
    const names = ["37L4247F27-26", "DC1", "DC1.corp.example"];
    const events = eventsOf(
      names
        .map((name, n) =>
          xml(`<Provider Name='P'/><EventID>1</EventID><EventRecordID>${n}</EventRecordID>`).replace(
            ">n1<",
            `>${name}<`,
          ),
        )
        .join("\n"),
    );
    expect(events.map(({ host }) => host)).toEqual(names.map((name) => name.toLowerCase()));
  });
  test("a record id that begins again after its log was cleared is another event: its time counts too", () => {
    const [before, after] = ["2024-03-01T10:00:00Z", "2024-03-02T10:00:00Z"].map((at) =>
      eventIdentity(
        eventOf(
          xml(
            `<Provider Name='P'/><EventID>1</EventID><EventRecordID>1</EventRecordID><TimeCreated SystemTime='${at}'/>`,
          ),
        ),
      ),
    );
    expect(before).not.toBe(after);
  });
  test("a provider that is absent is its source name, else the record is a failure", () => {
    expect(eventOf(xml("<Provider EventSourceName='BugCheck'/><EventID>1001</EventID>")).provider).toBe("BugCheck");
    expect(reasonsOf(xml("<Provider/><EventID>1001</EventID>"))).toEqual(["event.provider-missing"]);
  });
  test.each([
    ["UTF-16, little end first", Buffer.from("\ufeffX", "utf16le")],
    ["UTF-16, big end first", Buffer.from("\ufeffX", "utf16le").swap16()],
    ["UTF-8 with a mark", Buffer.from("\ufeffX")],
  ])("text in %s is read", (_, mark) => {
    const wide = mark.length === 4;
    const body = xml("<Provider Name='Dienst'/><EventID>1</EventID>", "<EventData><Data>Größe</Data></EventData>");
    const text = wide ? Buffer.from(body, "utf16le") : Buffer.from(body);
    const bytes = Buffer.concat([mark.subarray(0, wide ? 2 : 3), wide && mark[0] === 0xfe ? text.swap16() : text]);
    expect(eventOf(new Uint8Array(bytes)).data.values).toEqual(["Größe"]);
  });
  test("text in the machine's own code page is read as such and marked; letters that were lost stay question marks", () => {
    const line = "Log Name: System\nSource: Dienst\nEvent ID: 1\nComputer: n1\nDescription:\nGröße ??";
    const event = eventOf(new Uint8Array(Buffer.from(line, "latin1")));
    expect([event.message, event.marks]).toEqual(["Größe ??", expect.arrayContaining(["read-as-ansi"])]);
  });
  test("messages and levels in other languages leave id, provider and data as they are", () => {
    const event = eventOf(
      winlog(
        { provider_name: "VSS", event_id: "8194" },
        { message: "Volumeschattenkopie-Dienstfehler", log: { level: "fehler" } },
      ),
    );
    expect(event).toMatchObject({
      provider: "VSS",
      eventId: 8194,
      level: 2,
      message: "Volumeschattenkopie-Dienstfehler",
    });
  });
});

describe("real logs", () => {
  test.runIf(here)("every 6008 of the corpus tells when its machine was last alive, before it was logged", () => {
    let seen = 0;
    for (const path of [
      "DFIRArtifactMuseum/BelkasoftCTF_InsiderThreat/System.evtx",
      "williballenthin-python-evtx/system.evtx",
      "log2timeline-plaso/System.evtx",
    ]) {
      for (const { event } of decodeBytes(readFileSync(`${CORPORA}/${path}`), {
        zone: "utc",
        receivedAt: RECEIVED_AT,
      })) {
        if (event === undefined || event.eventId !== 6008) continue;
        seen += 1;
        const alive = Date.parse(dataValue(event.data, "LastAliveTime") ?? "");
        expect(alive).toBeLessThanOrEqual(event.timeCreated);
        expect(event.timeCreated - alive).toBeLessThan(30 * 86_400_000);
      }
    }
    expect(seen).toBe(6);
  });
});

test("every format has its row in docs/formats.md", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../docs/formats.md", import.meta.url)), "utf8");
  const names = [...FORMATS.map((format) => format.name), "evtx", "evt"].filter((name) => name !== "text-log");
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  expect(page).toContain("## Text logs");
});

test("two events of one log are two events, however alike", () => {
  expect(new Set(eventsOf(`${SCM_7031_XML}\n${SCM_7031_XML.replace("4711", "4712")}`).map(eventIdentity)).size).toBe(2);
});
