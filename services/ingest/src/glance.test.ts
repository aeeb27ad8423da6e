import { expect, test } from "vitest";
import { glance } from "./glance.ts";
import { eventXml, winlogbeat } from "./test-kit.ts";

const look = (text: string) => glance(new TextEncoder().encode(text));
const WANTED = { host: "hv11.contoso.com", channel: "System", at: Date.UTC(2024, 2, 1, 10, 0, 7), recordId: 7 };

test("event XML and Winlogbeat JSON show whose log they are from, their number and their time", () => {
  expect(look(winlogbeat(7))).toEqual(WANTED);
  expect(look(eventXml(7))).toEqual(WANTED);
  expect(look(eventXml(7).replace("2024-03-01T10:00:07.000Z", "2024-03-01T10:00:07.0001234Z"))).toEqual(WANTED);
  expect(look(eventXml(7, "HV11.Contoso.com."))).toEqual(WANTED);
});

test("whatever is ambiguous counts as unknown", () => {
  const json = winlogbeat(7);
  expect(look(json.replace('"param1":', '"channel":"Other","param1":'))).toBeUndefined();
  expect(look(json.replace('"param1":', '"computer_name":"other","param1":'))).toBeUndefined();
  expect(look(json.replace('"param1":', '"record_id":8,"param1":'))).not.toHaveProperty("recordId");
  expect(look(json.replaceAll("hv11", "\\u0068v11"))).toBeUndefined();
  expect(look(eventXml(7).replace(".000Z", ""))).toBeUndefined();
  expect(look(eventXml(7).replace("System</Channel>", "A&amp;B</Channel>"))).toBeUndefined();
  expect(look("LogName=System\nComputerName=a")).toBeUndefined();
  expect(look("x".repeat(300_000))).toBeUndefined();
});

test("a record id too large for a number is left out", () => {
  expect(look(winlogbeat(7).replace('"record_id":7', '"record_id":18446744073709551615'))).not.toHaveProperty(
    "recordId",
  );
});
