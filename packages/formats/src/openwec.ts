/**
 * OpenWEC's outputs: `Json` (System, EventData, RenderingInfo as objects, with `OpenWEC` beside them), `RawJson`
 * (`{"meta", "data"}` around the XML), and what it keeps of an event it could not parse (`Error.OriginalContent`). Its
 * `Raw` is event XML and its `Nxlog` is NXLog's shape.
 *
 * Source: FORMATS.md section 2.
 */
import { finishEvent } from "./draft.ts";
import { draftOfEventJson, eventIn } from "./event-json.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { fieldReader } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject } from "./json-text.ts";

export const openwec: Format = {
  name: "openwec",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    const raw = isObject(fieldOf(value, "meta")) && typeof fieldOf(value, "data") === "string";
    return raw || (isObject(fieldOf(value, "OpenWEC")) && fieldOf(value, "EventID") === undefined)
      ? SURE_MATCH
      : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const text = fieldReader(value);
    const received = text("OpenWEC.TimeReceived", "meta.TimeReceived");
    const xml = text("data", "OpenWEC.Error.OriginalContent", "meta.Error.OriginalContent");
    const carrier = { original: record.text, marks: record.marks, received };
    if (eventIn(value) === undefined && xml !== undefined) {
      yield decodeEventXml(xml, context, carrier);
    } else {
      yield finishEvent({ ...draftOfEventJson(value as JsonObject), ...carrier }, context);
    }
  },
};
