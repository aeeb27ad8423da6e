import fc from "fast-check";
import { expect, test } from "vitest";
import { readChunk } from "./chunk.ts";
import type { EventRecord } from "./record.ts";
import { dataTemplate, eventTemplate, systemValues } from "./testing/events.ts";
import { ChunkWriter, element, type SpecNode, substitution, token, type ValueSpec, value } from "./testing/writer.ts";
import { toXml } from "./xml.ts";

function recordOf(body: SpecNode, ...values: readonly ValueSpec[]): EventRecord {
  const writer = new ChunkWriter();
  writer.record({ template: eventTemplate("Service Control Manager", body), values: systemValues({}, ...values) });
  const [item] = readChunk(writer.finish(), 0).items;
  if (item?.ok !== true) throw new Error(JSON.stringify(item));
  return item.record;
}

const NESTED = substitution(17, true);

test("a record is rendered as Windows renders it", () => {
  const data = value.nested(dataTemplate("param1", "param2"), [value.text("a < b & 'c'"), value.text("")]);
  expect(toXml(recordOf(NESTED, data))).toBe(
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
      "<Provider Name='Service Control Manager'/><EventID Qualifiers='16384'>7036</EventID><Version>0</Version>" +
      "<Level>4</Level><Task>0</Task><Opcode>0</Opcode><Keywords>0x8080000000000000</Keywords>" +
      "<TimeCreated SystemTime='2024-03-01T10:00:00.1234567Z'/><EventRecordID>1</EventRecordID><Correlation/>" +
      "<Execution ProcessID='620' ThreadID='1796'/><Channel>System</Channel><Computer>hv11.contoso.com</Computer>" +
      "<Security UserID='S-1-5-18'/></System><EventData><Data Name='param1'>a &lt; b &amp; 'c'</Data>" +
      "<Data Name='param2'></Data></EventData></Event>",
  );
});

test("a record may be rendered again and again", () => {
  const record = recordOf(element("EventData", {}, element("Data", {}, "x")));
  const first = toXml(record);
  for (let i = 0; i < 2_000; i += 1) toXml(record);
  expect(toXml(record)).toBe(first);
});

test("a record whose bytes were written over is rendered from its fields", () => {
  const record = recordOf(NESTED, value.nested(dataTemplate("param1"), [value.text("x")]));
  record.source?.chunk.bytes.fill(0xff, 512);
  expect(toXml(record)).toContain("<EventData><Data Name='param1'>x</Data></EventData></Event>");
});

test("markup, control characters and lone surrogates in a value stay text", () => {
  const text = `</Data><script>\u0000\u0001\r\n\ud800"'&`.replace("\u0000", "");
  const xml = toXml(recordOf(element("EventData", {}, element("Data", {}, substitution(17))), value.text(text)));
  expect(xml).toContain(`<Data>&lt;/Data&gt;&lt;script&gt;\ufffd&#13;\n\ufffd"'&amp;</Data>`);
});

test("names and instructions cannot break out of their place", () => {
  const hostile = element("a><b", { "c='d'": "'\"\n" }, token.instruction("x?>", "y?><z>"), "t");
  expect(toXml(recordOf(element("EventData", {}, hostile)))).toContain(
    "<EventData><a__b c__d_='&apos;&quot;&#10;'><?x__ y? ><z>?>t</a__b></EventData>",
  );
});

test("any text gives XML whose tags are the template's", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.string({ maxLength: 10 }), (text, name) => {
      const body = element("EventData", {}, element("Data", { Name: substitution(18) }, substitution(17)));
      const xml = toXml(recordOf(body, value.text(text), value.text(name)));
      const [, tail] = xml.split("<EventData>");
      expect(tail?.match(/<[^>]*>/g)).toEqual([
        expect.stringMatching(/^<Data Name='[^'<>]*'>$/),
        "</Data>",
        "</EventData>",
        "</Event>",
      ]);
    }),
  );
});
