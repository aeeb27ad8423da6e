/** Telegraf's win_eventlog, JSON output with fields and tags. Source: FORMATS.md section 11. */
import { namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { fieldReader } from "./json-fields.ts";
import { dataText, fieldOf, isObject, type JsonObject, textOf } from "./json-text.ts";

export const telegraf: Format = {
  name: "telegraf",
  sniff: (record) =>
    record.shape === "json" && textOf(fieldOf(record.value, "name")) === "win_eventlog" ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const merged = mergedFields(record.value);
    const text = fieldReader(merged);
    const stamp = fieldOf(record.value, "timestamp");
    yield finishEvent(
      {
        provider: text("Source"),
        channel: text("Channel"),
        computer: text("Computer", "host"),
        eventId: text("EventID"),
        version: text("Version"),
        level: text("Level", "LevelText"),
        keywords: text("Keywords"),
        task: text("Task", "TaskText"),
        opcode: text("Opcode", "OpcodeText"),
        time: text("TimeCreated") ?? textOf(stamp),
        recordId: text("EventRecordID"),
        processId: text("ProcessID"),
        threadId: text("ThreadID"),
        activityId: text("ActivityID"),
        userId: text("UserID"),
        data: namedData(dataFields(merged)),
        message: text("Message"),
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

function mergedFields(value: JsonObject): JsonObject {
  const merged: JsonObject = Object.create(null);
  for (const part of ["tags", "fields"]) {
    const object = fieldOf(value, part);
    if (isObject(object)) for (const key of Object.keys(object)) merged[key] = object[key] ?? null;
  }
  return merged;
}

const DATA_PREFIX = /^(?:Data|UserData|EventData)_/;

/** Data carry their section in front of the name. */
function* dataFields(merged: JsonObject): Iterable<readonly [string, string]> {
  for (const key of Object.keys(merged)) {
    if (DATA_PREFIX.test(key)) yield [key.replace(DATA_PREFIX, ""), dataText(merged[key])];
  }
}
