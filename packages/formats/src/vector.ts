/** Vector's windows_event_log source. Source: FORMATS.md section 11. */
import type { EventData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfArray, dataOfObject, joinData } from "./json-data.ts";
import { fieldReader, hasAll } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject } from "./json-text.ts";

export const vector: Format = {
  name: "vector",
  sniff: (record) =>
    record.shape === "json" && hasAll(record.value, "provider_name", "event_id", "channel") ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const text = fieldReader(value);
    const draft = {
      provider: text("provider_name"),
      channel: text("channel"),
      computer: text("computer", "host"),
      eventId: text("event_id"),
      qualifiers: text("qualifiers"),
      version: text("version"),
      level: text("level_value", "level"),
      keywords: text("keywords"),
      task: text("task"),
      opcode: text("opcode"),
      time: text("timestamp", "time_created"),
      recordId: text("record_id"),
      processId: text("process_id"),
      threadId: text("thread_id"),
      activityId: text("activity_id"),
      userId: text("user_id"),
      data: dataOf(value),
      message: text("message"),
      original: record.text,
      marks: record.marks,
    };
    const xml = text("xml");
    // The XML has the data in their order, named and unnamed; the maps do not.
    const whole =
      xml === undefined
        ? undefined
        : decodeEventXml(xml, context, { defaults: draft, original: record.text, marks: record.marks });
    yield whole?.ok === true ? whole : finishEvent(draft, context);
  },
};

/** Named data as maps; string inserts where there are no names, because they hold the same values. */
function dataOf(value: JsonObject): EventData {
  const sections = ["event_data", "user_data"].map((name) => {
    const section = fieldOf(value, name);
    return isObject(section) ? dataOfObject(section) : undefined;
  });
  const named = joinData(...sections);
  const inserts = fieldOf(value, "string_inserts");
  return named.names.length === 0 && Array.isArray(inserts) ? dataOfArray(inserts) : named;
}
