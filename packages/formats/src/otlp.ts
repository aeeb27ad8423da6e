/**
 * OTLP logs in JSON, with the bodies of the collector's Windows event log receiver: a map, or the event XML with `raw`. The
 * protobuf form decodes to the same shape.
 *
 * Source: FORMATS.md section 8. Event data have had three shapes; all are read.
 */
import { type Decoded, type EventData, failure, namedData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type DecodeContext, type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { wordsOf } from "./json-data.ts";
import { fieldReader, objectsIn } from "./json-fields.ts";
import { dataText, fieldOf, isObject, type JsonObject, type JsonValue, pathOf, textOf } from "./json-text.ts";

export const otlp: Format = {
  name: "otlp",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    return Array.isArray(camelField(record.value, "resourceLogs")) || isBody(record.value) ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    if (isBody(record.value)) {
      yield finishEvent({ ...draftOfBody(record.value), original: record.text, marks: record.marks }, context);
      return;
    }
    for (const resource of objectsIn(camelField(record.value, "resourceLogs"))) {
      const scopes = camelField(resource, "scopeLogs") ?? camelField(resource, "instrumentationLibraryLogs");
      for (const scope of objectsIn(scopes)) {
        const logs = camelField(scope, "logRecords") ?? fieldOf(scope, "logs");
        for (const log of objectsIn(logs)) yield* logRecord(log, record, context);
      }
    }
  },
};

/** A field by its JSON name, or by its name in protobuf, which printers of it may keep: `resource_logs`. */
function camelField(value: JsonObject, name: string): JsonValue | undefined {
  return (
    fieldOf(value, name) ??
    fieldOf(
      value,
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
  );
}

/** A body alone, as file exporters and stanza write it. */
function isBody(value: JsonObject): boolean {
  return isObject(fieldOf(value, "event_id")) && pathOf(value, "event_id.id") !== undefined;
}

function* logRecord(log: JsonObject, record: InputRecord, context: DecodeContext): Iterable<Decoded<WindowsEvent>> {
  const body = plainValue(fieldOf(log, "body"), ANY_VALUE_DEPTH_MAX);
  const attributes = attributeMap(fieldOf(log, "attributes"));
  const time = textOf(camelField(log, "timeUnixNano"));
  const received = textOf(camelField(log, "observedTimeUnixNano"));
  const original = textOf(attributes.get("log.record.original"));
  const carrier = { original: JSON.stringify(log), marks: record.marks, received };
  const xml = typeof body === "string" && body.trimStart().startsWith("<") ? body : original;
  if (xml?.trimStart().startsWith("<Event") === true) {
    const defaults = isObject(body) ? draftOfBody(body) : {};
    yield decodeEventXml(xml, context, { ...carrier, defaults: { time, ...defaults } });
  } else if (isObject(body) && isBody(body)) {
    const draft = draftOfBody(body);
    yield finishEvent({ ...draft, time: draft.time ?? time, ...carrier }, context);
  } else if (isObject(body)) {
    yield* context.inner(JSON.stringify(body), context);
  } else if (typeof body === "string" && body.trim() !== "") {
    yield* context.inner(lineOrFile(body, attributes, log), context);
  } else {
    yield failure("otlp.body-unknown", "a log record without a body that is an event");
  }
}

/** A line that the filelog receiver read, in the shape of a forwarded line. */
function lineOrFile(body: string, attributes: ReadonlyMap<string, JsonValue>, log: JsonObject): string {
  const path = textOf(attributes.get("log.file.path") ?? attributes.get("log.file.name"));
  if (path === undefined) return body;
  const host = textOf(attributes.get("host.name"));
  const nanos = textOf(camelField(log, "timeUnixNano") ?? camelField(log, "observedTimeUnixNano"));
  return JSON.stringify({ "@timestamp": nanos, log: { file: { path } }, message: body, host: { name: host } });
}

const ANY_VALUE_DEPTH_MAX = 16;

/** OTLP's typed value as plain JSON; keys of a map that repeat: the last wins. */
function plainValue(value: JsonValue | undefined, depth: number): JsonValue {
  if (!isObject(value) || depth === 0) return null;
  for (const name of ["stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"]) {
    const scalar = camelField(value, name);
    if (scalar !== undefined) return scalar;
  }
  const items = valuesIn(camelField(value, "arrayValue"));
  if (Array.isArray(items)) return items.map((item) => plainValue(item, depth - 1));
  const entries = valuesIn(camelField(value, "kvlistValue"));
  const map: JsonObject = Object.create(null);
  for (const entry of objectsIn(entries)) {
    const key = textOf(fieldOf(entry, "key"));
    if (key !== undefined) map[key] = plainValue(fieldOf(entry, "value"), depth - 1);
  }
  return map;
}

function valuesIn(value: JsonValue | undefined): JsonValue | undefined {
  return isObject(value) ? fieldOf(value, "values") : undefined;
}

function attributeMap(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> {
  const map = new Map<string, JsonValue>();
  for (const entry of objectsIn(value)) {
    const key = textOf(fieldOf(entry, "key"));
    if (key !== undefined) map.set(key, plainValue(fieldOf(entry, "value"), ANY_VALUE_DEPTH_MAX));
  }
  return map;
}

function draftOfBody(body: JsonObject): EventDraft {
  const text = fieldReader(body);
  return {
    provider: text("provider.name"),
    providerAlias: text("provider.event_source"),
    channel: text("channel"),
    computer: text("computer"),
    eventId: text("event_id.id"),
    qualifiers: text("event_id.qualifiers"),
    version: text("version"),
    level: text("level"),
    keywords: wordsOf(fieldOf(body, "keywords")),
    task: text("task"),
    opcode: text("opcode"),
    time: text("system_time"),
    recordId: text("record_id"),
    processId: text("execution.process_id"),
    threadId: text("execution.thread_id"),
    activityId: text("correlation.activity_id"),
    userId: text("security.user_id"),
    data: dataOf(fieldOf(body, "event_data")),
    message: text("message"),
  };
}

const UNNAMED = /^Data[1-9]\d{0,2}$/;

/** A map of values; `data` that is an array of one-key maps; or a flat map with `Data1`, `Data2` for unnamed values. */
function dataOf(value: JsonValue | undefined): EventData | undefined {
  if (!isObject(value)) return undefined;
  const pairs: [string, string][] = [];
  const items = fieldOf(value, "data");
  const inItems = Array.isArray(items);
  for (const item of inItems ? objectsIn(items) : []) {
    for (const key of Object.keys(item)) pairs.push([key, dataText(item[key])]);
  }
  for (const key of Object.keys(value)) {
    if (inItems && key === "data") continue;
    const text = dataText(value[key]);
    if (key === "binary") {
      if (text !== "") pairs.push(["Binary", text]);
    } else if (!inItems || key !== "name") {
      pairs.push([UNNAMED.test(key) ? "" : key, text]);
    }
  }
  return namedData(pairs);
}
