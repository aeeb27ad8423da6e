import { expect, test } from "vitest";
import { shownBy } from "./shown.ts";

const look = (text: string) => shownBy(new TextEncoder().encode(text));
const LOG = { computer: "hv11.contoso.com", channel: "System" };
const SHOWN = { ...LOG, at: Date.UTC(2024, 2, 1, 10, 0, 7), recordId: 7 };
const json = JSON.stringify({
  "@timestamp": "2024-03-01T10:00:07.000Z",
  winlog: { channel: "System", computer_name: "hv11.contoso.com", record_id: 7, event_data: { param1: "x" } },
});
const xml =
  "<Event><System><TimeCreated SystemTime='2024-03-01T10:00:07.000Z'/><EventRecordID>7</EventRecordID>" +
  "<Channel>System</Channel><Computer>hv11.contoso.com</Computer></System></Event>";

test("event XML and Winlogbeat JSON show whose log they are from, their number and their time", () => {
  expect(look(json)).toEqual(SHOWN);
  expect(look(xml)).toEqual(SHOWN);
  expect(look(xml.replace("07.000Z", "07.0001234Z"))).toEqual(SHOWN);
});

test("whatever is ambiguous counts as unknown", () => {
  expect(look(json.replace('"param1":', '"channel":"Other","param1":'))).toMatchObject({ channel: undefined });
  expect(look(json.replace('"param1":', '"computer_name":"other","param1":'))).toMatchObject({ computer: undefined });
  expect(look(json.replace('"param1":', '"record_id":8,"param1":'))).toMatchObject({ recordId: undefined });
  expect(look(json.replaceAll("hv11", "\\u0068v11"))).toMatchObject({ computer: undefined });
  expect(look(xml.replace(".000Z", ""))).toMatchObject({ at: undefined });
  expect(look(xml.replace("System</Channel>", "A&amp;B</Channel>"))).toMatchObject({ channel: undefined });
  expect(look("LogName=System\nComputerName=a")).toEqual({});
  expect(look("x".repeat(300_000))).toEqual({});
});

test("a record id too large for a number is left out", () => {
  expect(look(json.replace('"record_id":7', '"record_id":18446744073709551615'))).toMatchObject({
    recordId: undefined,
  });
});
