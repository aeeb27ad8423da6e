/**
 * Winlogbeat and Elastic Agent documents (ECS with a `winlog` object), those of Winlogbeat 1 to 6 without one, and hits of
 * an Elasticsearch search that carry one in `_source`.
 *
 * Source: FORMATS.md section 3; samples in corpora/elastic-beats.
 */
import type { EventData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { draftOf } from "./event-xml.ts";
import { type Format, type InputRecord, LIKELY_MATCH, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfObject, joinData, wordsOf } from "./json-data.ts";
import { glanceWinlogbeat } from "./json-select.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue, pathOf, textOf } from "./json-text.ts";
import { isWanted } from "./selection.ts";
import { readXml } from "./xml-tree.ts";

export const winlogbeat: Format = {
  name: "winlogbeat",
  sniff(record: InputRecord) {
    if (record.shape !== "json") return NO_MATCH;
    const document = documentOf(record.value);
    if (isObject(fieldOf(document, "winlog")) || fieldOf(document, "winlog.event_id") !== undefined) return SURE_MATCH;
    const old = ["event_id", "log_name", "source_name"].every((name) => fieldOf(document, name) !== undefined);
    return old ? LIKELY_MATCH : NO_MATCH;
  },
  select: (bytes, selection) => isWanted(glanceWinlogbeat(bytes), selection),
  *decode(record, context) {
    if (record.shape !== "json") return;
    const document = documentOf(record.value);
    const draft =
      isObject(fieldOf(document, "winlog")) || fieldOf(document, "winlog.event_id") !== undefined
        ? draftOfEcs(document)
        : draftOfOld(document);
    yield finishEvent({ ...draft, original: record.text, marks: record.marks }, context);
  },
};

/** A search hit carries the document in `_source`. */
function documentOf(value: JsonObject): JsonObject {
  const source = fieldOf(value, "_source");
  return isObject(source) ? source : value;
}

/** `xml_name` is Winlogbeat's own: the name of UserData's child. */
const NOT_DATA = new Set(["xml_name"]);

function draftOfEcs(document: JsonObject): EventDraft {
  const text = (...paths: string[]): string | undefined => {
    for (const path of paths) {
      const found = textOf(pathOf(document, path));
      if (found !== undefined && found !== "") return found;
    }
    return undefined;
  };
  const draft: EventDraft = {
    provider: text("winlog.provider_name", "event.provider"),
    channel: text("winlog.channel"),
    computer: text("winlog.computer_name", "host.name", "host.hostname", "agent.hostname"),
    eventId: text("winlog.event_id", "event.code"),
    qualifiers: text("winlog.qualifiers"),
    version: text("winlog.version"),
    level: text("log.level", "winlog.level"),
    keywords: wordsOf(pathOf(document, "winlog.keywords")),
    task: text("winlog.task"),
    opcode: text("winlog.opcode"),
    time: text("winlog.time_created", "@timestamp"),
    received: text("event.created"),
    recordId: text("winlog.record_id"),
    processId: text("winlog.process.pid"),
    threadId: text("winlog.process.thread.id"),
    activityId: text("winlog.activity_id"),
    userId: text("winlog.user.identifier"),
    data: joinData(section(document, "winlog.event_data"), section(document, "winlog.user_data")),
    message: text("message"),
  };
  return fillFromOriginal(draft, text("event.original"));
}

/** Winlogbeat 1 to 6. */
function draftOfOld(document: JsonObject): EventDraft {
  const text = (name: string): string | undefined => textOf(fieldOf(document, name));
  const inserts = fieldOf(document, "message_inserts");
  const data = joinData(section(document, "event_data"), section(document, "user_data"));
  return {
    provider: text("source_name"),
    channel: text("log_name"),
    computer: text("computer_name") ?? textOf(pathOf(document, "beat.hostname")),
    eventId: text("event_id"),
    version: text("version"),
    level: text("level"),
    keywords: wordsOf(fieldOf(document, "keywords")),
    task: text("task") ?? text("category"),
    opcode: text("opcode"),
    time: text("@timestamp"),
    recordId: text("record_number"),
    processId: text("process_id"),
    threadId: text("thread_id"),
    activityId: text("activity_id"),
    userId: textOf(pathOf(document, "user.identifier")),
    data: data.names.length === 0 && Array.isArray(inserts) ? positional(inserts) : data,
    message: text("message"),
  };
}

function section(document: JsonObject, path: string): EventData | undefined {
  const value = pathOf(document, path);
  return isObject(value) ? dataOfObject(value, NOT_DATA) : undefined;
}

function positional(inserts: readonly JsonValue[]): EventData {
  return { names: inserts.map(() => ""), values: inserts.map((insert) => textOf(insert) ?? "") };
}

/** `include_xml` keeps the event XML, which has the qualifiers and the classic source name that the document lacks. */
function fillFromOriginal(draft: EventDraft, original: string | undefined): EventDraft {
  if (original === undefined || !original.trimStart().startsWith("<Event")) return draft;
  const tree = readXml(original);
  const event = tree.ok ? tree.value.roots.find((root) => root.name === "Event") : undefined;
  if (event === undefined) return draft;
  const { data, ...fields } = draftOf(event);
  const filled: EventDraft = { ...fields };
  for (const [key, value] of Object.entries(draft)) {
    if (value !== undefined && value !== "") filled[key as keyof EventDraft] = value as never;
  }
  if (draft.data === undefined || draft.data.names.length === 0) filled.data = data;
  return filled;
}
