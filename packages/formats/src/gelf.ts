/**
 * GELF messages as NXLog and others send them (fields with an underscore in front), and documents of Graylog, which
 * flattens Winlogbeat's with underscores.
 *
 * Source: FORMATS.md section 7. Chunks, compression and framing are the transport's affair.
 */
import { namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type Format, LIKELY_MATCH, NO_MATCH, SURE_MATCH } from "./format.ts";
import { fieldReader, hasAll } from "./json-fields.ts";
import { dataText, fieldOf, type JsonObject, textOf } from "./json-text.ts";
import { draftOfNxlog } from "./nxlog.ts";

export const gelf: Format = {
  name: "gelf",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    if (graylogPrefix(value) !== undefined) return LIKELY_MATCH;
    const message = fieldOf(value, "short_message") ?? fieldOf(value, "full_message");
    return message !== undefined && hasAll(value, "host") ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const prefix = graylogPrefix(value);
    const host = textOf(fieldOf(value, "host"));
    const within = host === undefined ? context : { ...context, host };
    if (prefix !== undefined) {
      yield finishEvent({ ...draftOfGraylog(value, prefix), original: record.text, marks: record.marks }, within);
      return;
    }
    const fields = withoutUnderscores(value);
    if (fieldReader(fields)("EventID", "event_id") !== undefined) {
      yield finishEvent({ ...draftOfGelf(value, fields), original: record.text, marks: record.marks }, within);
    } else {
      // A message that only carries a text: syslog, XML or JSON of another agent.
      yield* context.inner(fieldReader(value)("full_message", "short_message", "message") ?? "", within);
    }
  },
};

const GELF_FIELDS = new Set([
  "version",
  "host",
  "short_message",
  "full_message",
  "timestamp",
  "level",
  "facility",
  "message",
]);

/** Additional fields under their own names, `_EventID` as `EventID`. */
function withoutUnderscores(value: JsonObject): JsonObject {
  const fields: JsonObject = Object.create(null);
  for (const key of Object.keys(value)) {
    if (!GELF_FIELDS.has(key)) fields[key.startsWith("_") ? key.slice(1) : key] = value[key] ?? null;
  }
  return fields;
}

function draftOfGelf(value: JsonObject, fields: JsonObject): EventDraft {
  const text = fieldReader(value);
  const draft = draftOfNxlog(fields);
  return {
    ...draft,
    provider: draft.provider ?? fieldReader(fields)("ProviderName", "provider_name", "source_name"),
    eventId: draft.eventId ?? fieldReader(fields)("event_id"),
    // NXLog's own stamp is local time without a zone; GELF's is epoch seconds.
    time: text("timestamp") ?? draft.time,
    level: draft.level ?? syslogLevel(text("level")),
    message: text("full_message") ?? draft.message ?? text("short_message"),
  };
}

/** Syslog severities 0 to 7 as levels. */
function syslogLevel(severity: string | undefined): number | undefined {
  if (severity === undefined || !/^[0-7]$/.test(severity)) return undefined;
  return [1, 1, 1, 2, 3, 4, 4, 5][Number(severity)];
}

/** In documents and exports; Graylog's own GELF output puts an underscore before each. */
const GRAYLOG_PREFIXES = ["winlogbeat_winlog_", "winlog_", "winlogbeat_"].flatMap((prefix) => [prefix, `_${prefix}`]);

function graylogPrefix(value: JsonObject): string | undefined {
  return GRAYLOG_PREFIXES.find((prefix) => hasAll(value, `${prefix}event_id`) && hasAll(value, `${prefix}channel`));
}

function draftOfGraylog(value: JsonObject, prefix: string): EventDraft {
  const text = fieldReader(value);
  const own = (name: string): string | undefined => text(`${prefix}${name}`);
  const data = Object.keys(value).flatMap((key) => {
    const name = /^(?:event_data|user_data)_(.+)$/.exec(key.startsWith(prefix) ? key.slice(prefix.length) : "")?.[1];
    return name === undefined || name === "xml_name" ? [] : [[name, dataText(value[key])] as const];
  });
  return {
    provider: own("provider_name"),
    channel: own("channel"),
    computer: own("computer_name") ?? text("source"),
    eventId: own("event_id"),
    version: own("version"),
    level: text("winlogbeat_log_level", "log_level", "_winlogbeat_log_level", "_log_level", `${prefix}level`),
    keywords: own("keywords"),
    task: own("task"),
    opcode: own("opcode"),
    time: text("timestamp", "@timestamp", "winlogbeat_@timestamp"),
    received: text("winlogbeat_event_created", "event_created", "_winlogbeat_event_created", "_event_created"),
    recordId: own("record_id"),
    processId: own("process_pid"),
    threadId: own("process_thread_id"),
    data: namedData(data),
    message: text("message", "full_message", "short_message"),
  };
}
