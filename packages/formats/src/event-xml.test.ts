import { dataValue } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { decodeAll, eventOf, eventsOf, reasonsOf, SCM_7031_XML } from "./test-support.ts";

const event = (system: string, rest = ""): string =>
  `<Event><System><Provider Name="P"/><EventID>1</EventID><Computer>n1</Computer>${system}</System>${rest}</Event>`;

test("a rendered event gives every field that it has", () => {
  expect(eventOf(SCM_7031_XML)).toEqual({
    provider: "Service Control Manager",
    channel: "System",
    computer: "N1.corp.example",
    host: "n1.corp.example",
    eventId: 7031,
    qualifiers: 49152,
    version: 0,
    level: 2,
    keywords: "0x8080000000000000",
    task: "0",
    opcode: "0",
    timeCreated: Date.UTC(2024, 2, 1, 10, 0, 0, 123),
    timeText: "2024-03-01T10:00:00.1234567Z",
    timeQuality: "event",
    recordId: "4711",
    processId: 700,
    threadId: 712,
    userId: "S-1-5-18",
    data: {
      names: ["param1", "param2", "Binary", "ServiceKeyName"],
      values: ["Cluster Service", "1", "43006C00750073005300760063000000", "ClusSvc"],
    },
    message: "The Cluster Service service terminated unexpectedly.\nTwice.",
    original: SCM_7031_XML,
  });
});

describe("data sections", () => {
  test("unnamed and repeated data keep their order and their names", () => {
    const data =
      "<EventData><Data>DOM</Data><Data>%%1311</Data><Data Name='a'>1</Data><Data Name='a'>2</Data></EventData>";
    expect(eventOf(event("", data)).data).toEqual({ names: ["", "", "a", "a"], values: ["DOM", "%%1311", "1", "2"] });
  });
  test("UserData gives the fields of its child, nested names joined with a dot", () => {
    const data =
      "<UserData><x:VmlEventLog xmlns:x='u'><VmName>v1</VmName><Url scheme='http'>h</Url><A><B>1</B></A></x:VmlEventLog></UserData>";
    expect(eventOf(event("", data)).data).toEqual({
      names: ["VmName", "Url.scheme", "Url", "A.B"],
      values: ["v1", "http", "h", "1"],
    });
  });
  test("ProcessingErrorData stands in when an event could not be rendered", () => {
    const data = "<ProcessingErrorData><ErrorCode>15005</ErrorCode><DataItemName/></ProcessingErrorData>";
    expect(dataValue(eventOf(event("", data)).data, "ErrorCode")).toBe("15005");
  });
  test("6008 tells the last time alive from its binary part, whatever the locale of its text", () => {
    const binary =
      "DC070300030007001200090001000000DC070300030007001700090001000000600900003C00000001000000600900000000000000000000010000000000000000000000";
    const xml = `<Event><System><Provider Name="EventLog"/><EventID Qualifiers="32768">6008</EventID><Computer>n1</Computer></System>
      <EventData><Data>18:09:01</Data><Data>\u200e3\u200e/\u200e7\u200e/\u200e2012</Data><Binary>${binary}</Binary></EventData></Event>`;
    const { data } = eventOf(xml);
    expect(dataValue(data, "LastAliveTime")).toBe("2012-03-07T23:09:01.000Z");
    expect(dataValue(data, "param2")).toBe("\u200e3\u200e/\u200e7\u200e/\u200e2012");
  });
  test("binary data of odd length is kept and marked", () => {
    const read = eventOf(event("", "<EventData><Binary>ABC</Binary></EventData>"));
    expect(read.data.values).toEqual(["ABC"]);
    expect(read.marks).toEqual(["binary-unreadable"]);
  });
});

describe("System", () => {
  test("a 32-bit id is taken apart into id and qualifiers", () => {
    const xml =
      "<Event><System><Provider Name='P'/><EventID>3221232503</EventID><Computer>n1</Computer></System></Event>";
    expect(eventOf(xml)).toMatchObject({ eventId: 7031, qualifiers: 49152 });
  });
  test("an EventSourceName stands in for a missing name, and is an alias beside one", () => {
    const named =
      "<Event><System><Provider Name='Microsoft-Windows-WER-SystemErrorReporting' EventSourceName='BugCheck'/><EventID>1001</EventID><Computer>n1</Computer></System></Event>";
    expect(eventOf(named)).toMatchObject({
      provider: "Microsoft-Windows-WER-SystemErrorReporting",
      providerAlias: "BugCheck",
    });
    expect(eventOf(named.replace("Name='Microsoft-Windows-WER-SystemErrorReporting' ", ""))).toMatchObject({
      provider: "BugCheck",
    });
  });
  test("time zero is kept and marked", () => {
    const read = eventOf(event("<TimeCreated SystemTime='1601-01-01T00:00:00.0000000Z'/>"));
    expect(read).toMatchObject({ timeCreated: Date.UTC(1601, 0, 1), marks: ["odd-time"] });
  });
  test("prefixes, double quotes, stray blanks and a missing namespace do not matter", () => {
    const xml = `<e:Event xmlns:e=" x "><e:System ><e:Provider Name = "P"/><e:EventID> 7 </e:EventID><e:Computer>n1</e:Computer></e:System></e:Event>`;
    expect(eventOf(xml)).toMatchObject({ provider: "P", eventId: 7, host: "n1" });
  });
  test.each([
    ["no EventID", "<Event><System><Provider Name='P'/></System></Event>", "event.id-missing"],
    [
      "a text for an id",
      "<Event><System><Provider Name='P'/><EventID>x</EventID></System></Event>",
      "event.id-unreadable",
    ],
    ["no provider", "<Event><System><EventID>1</EventID></System></Event>", "event.provider-missing"],
    ["a computer of 300 characters", event("").replace("n1", "n".repeat(300)), "event.computer-too-long"],
  ])("%s is a failure", (_name, xml, reason) => expect(reasonsOf(xml)).toEqual([reason]));
});

describe("streams of events", () => {
  test.each([
    ["one per line without a root", `${SCM_7031_XML}\n${SCM_7031_XML}\n`],
    ["without line breaks", SCM_7031_XML + SCM_7031_XML],
    [
      "in an Events element after a declaration",
      `<?xml version="1.0" encoding="utf-16"?>\r\n<Events>${SCM_7031_XML}${SCM_7031_XML}</Events>`,
    ],
    ["in a foreign element", `<QueryResult n='1'>${SCM_7031_XML}\n${SCM_7031_XML}</QueryResult>`],
    ["with a byte order mark", `\ufeff${SCM_7031_XML}\n\n${SCM_7031_XML}`],
  ])("two events %s", (_name, text) => expect(eventsOf(text).map((e) => e.recordId)).toEqual(["4711", "4711"]));
  test("UTF-16 with and without a mark is read", () => {
    const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf16le"));
    expect(eventOf(utf16(`\ufeff${SCM_7031_XML}`)).eventId).toBe(7031);
    expect(eventOf(utf16(SCM_7031_XML)).eventId).toBe(7031);
    expect(
      eventOf(new Uint8Array(Buffer.from(`\ufeff${SCM_7031_XML}`, "utf16le")).map((_, i, all) => all[i ^ 1] ?? 0))
        .eventId,
    ).toBe(7031);
  });
  test("an end tag in an attribute, in CDATA or in a comment ends nothing", () => {
    const data = `<EventData><Data Name="</Event>">a</Data><Data><![CDATA[</Event><b>]]></Data><!-- </Event> --></EventData>`;
    expect(eventOf(event("", data)).data).toEqual({ names: ["</Event>", ""], values: ["a", "</Event><b>"] });
  });
  test("an event that is cut off does not take the next one with it", () => {
    const items = decodeAll(`${SCM_7031_XML.slice(0, 330)}\n${SCM_7031_XML}`);
    expect(items.map((item) => item.event?.marks)).toEqual([["cut", "no-computer"], undefined]);
    const inQuote = SCM_7031_XML.indexOf("49152") + 3;
    expect(decodeAll(`${SCM_7031_XML.slice(0, inQuote)}\n${SCM_7031_XML}`).map((item) => item.event?.recordId)).toEqual(
      [undefined, "4711"],
    );
  });
});

describe("damaged and pasted forms", () => {
  test("what comes before the cut is read, and marked", () => {
    const cut = SCM_7031_XML.slice(0, SCM_7031_XML.indexOf("<Binary>") + 12);
    expect(eventOf(cut)).toMatchObject({
      eventId: 7031,
      recordId: "4711",
      marks: ["binary-unreadable", "cut"].slice(1),
    });
  });
  test("escaped markup is read as the markup it was", () => {
    const escaped = SCM_7031_XML.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    expect(eventOf(escaped)).toMatchObject({ eventId: 7031, recordId: "4711", computer: "N1.corp.example" });
  });
  test("the dashes of a tree view are not text", () => {
    const tree = SCM_7031_XML.replace("<Event ", "- <Event ")
      .replace("<System>", "\n- <System>\n  ")
      .replace("<EventData>", "\n- <EventData>\n  ");
    expect(eventOf(tree)).toMatchObject({ eventId: 7031, recordId: "4711" });
  });
  test("children of System without their parents are an event", () => {
    const inner = SCM_7031_XML.slice(SCM_7031_XML.indexOf("<Provider"), SCM_7031_XML.indexOf("</System>"));
    expect(eventOf(inner)).toMatchObject({ provider: "Service Control Manager", recordId: "4711" });
  });
  test("characters that XML forbids are kept and marked", () => {
    const read = eventOf(event("", "<EventData><Data>a&#1;b&#x0;c&#xD800;</Data></EventData>"));
    expect(read.data.values).toEqual(["a\u0001b\u0000c\ufffd"]);
    expect(read.marks).toEqual(["forbidden-character"]);
  });
});

describe("hostile markup", () => {
  test("a document type is refused and nothing is expanded", () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${event("", "<EventData><Data>&b;</Data></EventData>")}`;
    expect(reasonsOf(bomb)).toEqual(["xml.doctype"]);
    expect(eventOf(event("", "<EventData><Data>&b;</Data></EventData>")).data.values).toEqual(["&b;"]);
  });
  test("depth and attributes have limits", () => {
    expect(reasonsOf(event("", "<a>".repeat(10_000)))).toEqual(["xml.too-deep"]);
    const attributes = Array.from({ length: 10_000 }, (_, i) => `a${i}="1"`).join(" ");
    expect(reasonsOf(event("", `<EventData><Data ${attributes}>x</Data></EventData>`))).toEqual([
      "xml.too-many-attributes",
    ]);
  });
  test("a prototype key is a name like any other", () => {
    const read = eventOf(
      event("", `<EventData><Data Name="__proto__">1</Data><Data Name="constructor">2</Data></EventData>`),
    );
    expect(read.data.names).toEqual(["__proto__", "constructor"]);
  });
});
