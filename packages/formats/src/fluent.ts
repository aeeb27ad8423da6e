/**
 * Fluent Bit's winevtlog and winlog inputs, and fluentd's windows_eventlog2.
 *
 * Source: FORMATS.md section 11.
 */
import { type EventData, namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { draftOf } from "./event-xml.ts";
import { type Format, LIKELY_MATCH, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfArray, dataOfObject, joinData } from "./json-data.ts";
import { type FieldReader, fieldReader, hasAll } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, textOf } from "./json-text.ts";
import { readXml } from "./xml-tree.ts";

export const fluent: Format = {
  name: "fluent",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    if (hasAll(value, "ProviderName", "EventID", "Channel")) return SURE_MATCH;
    if (hasAll(value, "SourceName", "EventID", "TimeGenerated", "ComputerName")) return LIKELY_MATCH + 5;
    if (hasAll(value, "providername", "eventid", "channel")) return SURE_MATCH;
    // fluentd's first plugin, windows_eventlog.
    if (hasAll(value, "source_name", "event_id", "time_generated", "channel")) return SURE_MATCH;
    return systemXml(value) === undefined ? NO_MATCH : LIKELY_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const xml = systemXml(value);
    const draft = xml === undefined ? draftOfFields(value) : draftOfSystemXml(value, xml);
    yield finishEvent({ ...draft, original: record.text, marks: record.marks }, context);
  },
};

function draftOfFields(value: JsonObject): EventDraft {
  const text = fieldReader(withPlainKeys(value));
  return {
    provider: text("providername", "sourcename"),
    channel: text("channel"),
    computer: text("computer", "computername"),
    eventId: text("eventid"),
    qualifiers: text("qualifiers"),
    version: text("version"),
    level: text("level", "eventtype"),
    keywords: text("keywords"),
    task: text("task", "eventcategory"),
    opcode: text("opcode"),
    time: text("timecreated", "timegenerated", "timewritten"),
    recordId: text("eventrecordid", "recordnumber"),
    processId: text("processid"),
    threadId: text("threadid"),
    activityId: text("activityid"),
    userId: text("userid", "sid"),
    data: dataOf(withPlainKeys(value), text),
    message: text("message", "description"),
  };
}

/** fluentd writes keys in lower case where it is told to, and its first plugin with underscores. */
function withPlainKeys(value: JsonObject): JsonObject {
  const plain: JsonObject = Object.create(null);
  for (const key of Object.keys(value)) {
    const lower = key.toLowerCase().replaceAll("_", "");
    if (!(lower in plain)) plain[lower] = value[key] ?? null;
  }
  return plain;
}

function dataOf(value: JsonObject, text: FieldReader): EventData {
  const inserts = fieldOf(value, "stringinserts");
  const data = fieldOf(value, "eventdata");
  const values = Array.isArray(inserts) ? inserts : Array.isArray(data) ? data : undefined;
  const map = isObject(data) ? dataOfObject(data) : undefined;
  const binary = text("data");
  return joinData(
    map ?? (values === undefined ? undefined : dataOfArray(values)),
    binary === undefined ? undefined : namedData([["Binary", binary]]),
  );
}

/** `render_event_as_xml`: System is XML, the message and the inserts stand beside it. */
function systemXml(value: JsonObject): string | undefined {
  const system = textOf(fieldOf(value, "System"));
  return system?.trimStart().startsWith("<") === true ? system : undefined;
}

function draftOfSystemXml(value: JsonObject, xml: string): EventDraft {
  const tree = readXml(xml);
  const root = tree.ok ? tree.value.roots[0] : undefined;
  if (root === undefined) return {};
  const event = root.name === "Event" ? root : { name: "Event", attributes: new Map(), children: [root], text: "" };
  const draft = draftOf(event);
  const inserts = fieldOf(value, "StringInserts");
  return {
    ...draft,
    data: Array.isArray(inserts) ? dataOfArray(inserts) : draft.data,
    message: textOf(fieldOf(value, "Message")) ?? draft.message,
  };
}
