/**
 * JSON that only holds records: the answers of search APIs and the rows of exports (Elasticsearch, Splunk, Graylog, Loki,
 * Telegraf's batches), and documents that keep the event one level down (`_source`, `attributes`, `body`, `payload`).
 *
 * Asked last: whatever knows an object as its own comes before. An envelope in which nothing is an event is one failure,
 * however many records it holds.
 */
import { type Decoded, failure, type WindowsEvent } from "@culprit/model";
import { type DecodeContext, FAINT_MATCH, type Format, NO_MATCH } from "./format.ts";
import { fieldReader } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue, pathOf } from "./json-text.ts";

/** Where lists of records stand. */
const LISTS = [
  "hits.hits",
  "results",
  "result",
  "events",
  "messages",
  "metrics",
  "records",
  "items",
  "logs",
  "entries",
  "rows",
  "value",
  "data",
  "data.result",
  "Events",
];
/** Where one record stands. */
const CARRIERS = [
  "_source",
  "fields",
  "result",
  "attributes",
  "body",
  "payload",
  "record",
  "message",
  "data",
  "event",
  "document",
  "doc",
  "properties",
  "log",
  "content",
  "value",
  "Event",
];
/** Members that hold a whole record as text. */
const TEXTS = ["body", "data", "payload", "content", "line"];

export const envelope: Format = {
  name: "envelope",
  isLastResort: true,
  sniff: (record) => (record.shape === "json" && !groupsIn(record.value).next().done ? FAINT_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const host = fieldReader(record.value)("host.name", "hostname", "host");
    const within = host === undefined ? context : { ...context, host };
    for (const group of groupsIn(record.value)) {
      const items = [...itemsOf(group, within)];
      if (!items.some((item) => item.ok)) continue;
      yield* items;
      return;
    }
    yield failure("format.unknown", "no known format has this JSON object, nor what it holds");
  },
};

function* itemsOf(group: readonly JsonValue[], context: DecodeContext): Iterable<Decoded<WindowsEvent>> {
  for (const value of group) yield* context.inner(typeof value === "string" ? value : JSON.stringify(value), context);
}

/** What may be the records of an object, the likeliest first. */
function* groupsIn(value: JsonObject): Generator<readonly JsonValue[], void> {
  for (const path of LISTS) {
    const list = pathOf(value, path);
    if (!Array.isArray(list)) continue;
    const records = list.filter((item) => isObject(item) || typeof item === "string");
    // A stream of Loki's is read by the format of its push requests.
    if (path === "data.result") yield [{ streams: records }];
    else if (records.length > 0) yield records;
  }
  for (const name of CARRIERS) {
    const inside = fieldOf(value, name);
    if (isObject(inside)) yield [name === "fields" ? withoutLists(inside) : inside];
  }
  for (const name of TEXTS) {
    const text = fieldOf(value, name);
    if (typeof text === "string" && /^[\s\ufeff]{0,16}[<{]/.test(text)) yield [text];
  }
}

/** Elasticsearch's `fields` has every value in a list. */
function withoutLists(fields: JsonObject): JsonObject {
  const plain: JsonObject = Object.create(null);
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    plain[name] = (Array.isArray(value) && value.length === 1 ? value[0] : value) ?? null;
  }
  return plain;
}
