import { describe, expect, test } from "vitest";
import { decodeAll, eventOf, eventsOf, SCM_7031_XML } from "./test-support.ts";

const COPIED = `Log Name:      System
Source:        Service Control Manager
Date:          10/31/2023 8:50:51 PM
Event ID:      7031
Task Category: None
Level:         Error
Keywords:      Classic
User:          N/A
Computer:      n1.corp.example
Description:
The service terminated unexpectedly.

Context: here`;

describe("Event Viewer's copied text", () => {
  test("labels are fields and the description is the message, blank lines included", () => {
    expect(eventOf(COPIED)).toMatchObject({
      channel: "System",
      provider: "Service Control Manager",
      eventId: 7031,
      level: 2,
      host: "n1.corp.example",
      timeCreated: Date.UTC(2023, 9, 31, 20, 50, 51),
      message: "The service terminated unexpectedly.\n\nContext: here",
    });
  });
  test("the XML below is trusted over the labels, which fill in where it was cut off", () => {
    expect(eventOf(`${COPIED}\nEvent Xml:\n${SCM_7031_XML}`)).toMatchObject({
      host: "n1.corp.example",
      recordId: "4711",
      timeCreated: Date.UTC(2024, 2, 1, 10, 0, 0, 123),
    });
    const cut = `${COPIED}\nEvent Xml:\n<Event xmlns="x">\n  <System>\n    <Provider Name="Service Control Manager" /><EventID Qualif`;
    expect(eventOf(cut)).toMatchObject({ eventId: 7031, host: "n1.corp.example", marks: ["cut"] });
  });
  test("several events follow one another without a blank line", () => {
    expect(eventsOf(`${COPIED}\n${COPIED.replace("7031", "7034")}\r\n${COPIED}`).map((e) => e.eventId)).toEqual([
      7031, 7034, 7031,
    ]);
  });
  test.each([
    [
      "German",
      "Protokollname: System\nQuelle:        VSS\nDatum:         27.10.2021 12:28:26\nEreignis-ID:   8194\nAufgabenkategorie:Keine\nEbene:         Fehler\nBenutzer:      Nicht zutreffend\nComputer:      n1\nBeschreibung:\nText",
    ],
    [
      "French",
      "Nom du journal :System\nSource :       VSS\nDate :         27/10/2021 12:28:26\nID de l’événement :8194\nNiveau :       Erreur\nOrdinateur :   n1\nDescription :\nText"
        .replace(":System", ": System")
        .replace(":8194", ": 8194"),
    ],
    [
      "Russian",
      "Имя журнала:   System\nИсточник:      VSS\nДата:          27.10.2021 12:28:26\nКод события:   8194\nУровень:       Ошибка\nКомпьютер:     n1\nОписание:\nText",
    ],
    [
      "Chinese",
      "日志名称:          System\n来源:            VSS\n日期:            2021/10/27 12:28:26\n事件 ID:         8194\n级别:            错误\n计算机:           n1\n描述:\nText",
    ],
  ])("%s labels mean the same", (_language, text) => {
    expect(eventOf(text)).toMatchObject({
      channel: "System",
      provider: "VSS",
      eventId: 8194,
      level: 2,
      host: "n1",
      timeCreated: Date.UTC(2021, 9, 27, 12, 28, 26),
      message: "Text",
    });
  });
  test("few labels, written by hand, are enough", () => {
    expect(
      eventOf(
        "Level = Error\nSource = VSS\nEvent ID = 8194\n\nVolume Shadow Copy Service error.\nContext:\n   Writer",
        { host: "n1" },
      ),
    ).toMatchObject({
      provider: "VSS",
      eventId: 8194,
      level: 2,
      timeQuality: "received",
      message: "Volume Shadow Copy Service error.\nContext:\n   Writer",
    });
  });
  test("an id without a source is told, and what follows is read", () => {
    const items = decodeAll(`Event ID 1135\nCluster node removed.\n${COPIED}`);
    expect(items.map((item) => item.failure?.reason ?? item.event?.eventId)).toEqual(["event.provider-missing", 7031]);
  });
});

describe("Windows 2000 and 2003", () => {
  const classic = `Event Type:\tError
Event Source:\tSrv
Event Category:\tNone
Event ID:\t2019
Date:\t\t4/2/1999
Time:\t\t7:39:58 PM
User:\t\tN/A
Computer:\tN1
Description:
The server was unable to allocate from the system nonpaged pool because the pool was empty.
Data:
0000: 00 00 04 00 01 00 54 00   ......T.
0008: d2 04 00 c0               ....`;
  test("labels, date and time apart, and data in bytes", () => {
    expect(eventOf(classic)).toMatchObject({
      provider: "Srv",
      eventId: 2019,
      level: 2,
      host: "n1",
      timeCreated: Date.UTC(1999, 3, 2, 19, 39, 58),
      message: "The server was unable to allocate from the system nonpaged pool because the pool was empty.",
      data: { names: ["Binary"], values: ["0000040001005400D20400C0"] },
    });
  });
  test("data in words are the same bytes", () => {
    const words = classic.replace(/0000: 00 00[\s\S]*$/, "0000: 00040000 00540001 c00004d2");
    expect(eventOf(words).data.values).toEqual(["0000040001005400D20400C0"]);
  });
  test("indented labels in an article are an event", () => {
    const article = `SYMPTOMS\n\n   ${classic.split("\n").slice(0, 10).join("\n   ")}`;
    expect(decodeAll(article).map((item) => item.failure?.reason ?? item.event?.provider)).toEqual([
      "format.unknown",
      "Srv",
    ]);
  });
});
