/**
 * Promtail's and Alloy's Windows events (one line of JSON each), alone or in Loki's push request.
 *
 * Source: FORMATS.md section 11. Keys with 0 or an empty value are left out, the level among them; `event_data` is the inner
 * XML of EventData.
 */
import { type Decoded, failure, type WindowsEvent } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { xmlData } from "./event-json.ts";
import { type DecodeContext, type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { joinData } from "./json-data.ts";
import { fieldReader, hasAll, objectsIn } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, textOf } from "./json-text.ts";

export const promtail: Format = {
  name: "promtail",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    return hasAll(record.value, "source", "channel", "event_id") ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const text = fieldReader(value);
    const [events, users] = [text("event_data"), text("user_data")];
    yield finishEvent(
      {
        provider: text("source"),
        channel: text("channel"),
        computer: text("computer"),
        eventId: text("event_id"),
        version: text("version"),
        level: text("level", "levelText") ?? 0,
        keywords: text("keywords"),
        task: text("task", "taskText"),
        opcode: text("opCode", "opCodeText"),
        time: text("timeCreated"),
        recordId: text("eventRecordID"),
        processId: text("execution.processId"),
        threadId: text("execution.threadId"),
        activityId: text("correlation.activityID"),
        userId: text("security.userId"),
        // The stored Promtail puts a copy of event_data into user_data by mistake.
        data: joinData(
          events === undefined ? undefined : xmlData(events),
          users === undefined || users === events ? undefined : xmlData(users),
        ),
        message: text("message"),
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

/** Loki's push request: streams with labels, each value a time in nanoseconds and a line. */
export const loki: Format = {
  name: "loki",
  sniff(record) {
    const streams = record.shape === "json" ? objectsIn(fieldOf(record.value, "streams")) : [];
    return streams.some((stream) => Array.isArray(fieldOf(stream, "values"))) ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    for (const stream of objectsIn(fieldOf(record.value, "streams"))) yield* streamEvents(stream, context);
  },
};

function* streamEvents(stream: JsonObject, context: DecodeContext): Iterable<Decoded<WindowsEvent>> {
  const labels = fieldOf(stream, "stream");
  const host = isObject(labels) ? fieldReader(labels)("computer", "host", "instance", "hostname") : undefined;
  const values = fieldOf(stream, "values");
  for (const value of Array.isArray(values) ? values : []) {
    const line = Array.isArray(value) ? textOf(value[1]) : undefined;
    if (line === undefined) yield failure("loki.value-unreadable", "a value is a time and a line");
    else yield* context.inner(line, host === undefined ? context : { ...context, host });
  }
}
