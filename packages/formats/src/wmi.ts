/**
 * Win32_NTLogEvent: MOF text of Sumo Logic and WMI dumps, `wmic ntevent list` (`Key=value` a line), the same keys as JSON,
 * and Rapid7's `insertionStrings`.
 *
 * Source: FORMATS.md section 11; corpora/open-xp-rules (wmi).
 */
import { namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfArray, dataOfObject, hexOfBytes, joinData } from "./json-data.ts";
import { fieldReader, hasAll } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue } from "./json-text.ts";

export const wmi: Format = {
  name: "wmi",
  text: { extent: "block", starts: (line) => MOF_START.test(line) || LIST_START.test(line) },
  sniff(record) {
    if (record.shape === "text") return isMof(record.text) || isList(record.text) ? SURE_MATCH : NO_MATCH;
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    return hasAll(value, "Logfile", "SourceName") || hasAll(value, "insertionStrings", "eventCode")
      ? SURE_MATCH
      : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape === "xml") return;
    const value = record.shape === "json" ? record.value : readText(record.text);
    yield finishEvent({ ...draftOfWmi(value), original: record.text, marks: record.marks }, context);
  },
};

const MOF_START = /^\s{0,8}instance of Win32_NTLogEvent/i;
/** The first of the keys, which `wmic` writes in the order of the alphabet. */
const LIST_START = /^Category=\d{1,5}\s{0,4}$/;

function isMof(text: string): boolean {
  return MOF_START.test(text);
}

function isList(text: string): boolean {
  return /^Category=\d{1,5}\s/.test(text);
}

function readText(text: string): JsonObject {
  return isMof(text) ? readMof(text) : readList(text);
}

/** `Key=value` a line; a line that is none goes on with the value before. */
function readList(text: string): JsonObject {
  const texts = new Map<string, string>();
  let open = "";
  for (const line of text.split("\n").map((one) => one.trimEnd())) {
    const [, key, value] = /^(\w{2,40})=(.*)$/.exec(line) ?? [];
    // The message is the one that has lines, and no key stands in it that is not one of ours.
    if (key !== undefined && (open !== "Message" || LIST_KEYS.has(key))) {
      open = key;
      texts.set(key, value ?? "");
    } else if (open !== "" && line !== "") texts.set(open, `${texts.get(open) ?? ""}\n${line}`);
  }
  const fields: JsonObject = Object.create(null);
  for (const [key, value] of texts) fields[key] = value.startsWith("{") ? readMofValue(value, 0).value : value;
  return fields;
}

/** The keys behind the message. */
const LIST_KEYS = new Set(["RecordNumber", "SourceName", "TimeGenerated", "TimeWritten", "Type", "User"]);

/** WMI's own numbers of the type, which are neither levels nor those of the classic API. */
const TYPE_LEVELS: Readonly<Record<string, number>> = { "1": 2, "2": 3, "3": 4, "4": 0, "5": 0 };

function draftOfWmi(value: JsonObject): EventDraft {
  const text = fieldReader(value);
  const type = text("Type", "type");
  const inserts = fieldOf(value, "InsertionStrings") ?? fieldOf(value, "insertionStrings");
  const map = fieldOf(value, "eventData");
  const bytes = hexOfBytes(fieldOf(value, "Data"));
  return {
    provider: text("SourceName", "sourceName"),
    channel: text("Logfile", "logFile"),
    computer: text("ComputerName", "computerName"),
    eventId: text("EventIdentifier", "EventCode", "eventCode"),
    level: type ?? TYPE_LEVELS[text("EventType") ?? ""],
    task: text("CategoryString", "Category"),
    time: text("TimeGenerated", "timeGenerated", "timeWritten"),
    received: text("TimeWritten"),
    recordId: text("RecordNumber", "recordNumber"),
    userId: text("sid"),
    data: joinData(
      isObject(map) ? dataOfObject(map) : Array.isArray(inserts) ? dataOfArray(inserts) : undefined,
      bytes === undefined ? undefined : namedData([["Binary", bytes]]),
    ),
    message: messageOf(text("Message")),
  };
}

/** A dash stands for a message that could not be made. */
function messageOf(text: string | undefined): string | undefined {
  return text === "-" ? undefined : text;
}

/** `Key = value;` pairs; strings in quotes may run over lines, arrays stand in braces. Reads on past what it cannot. */
function readMof(text: string): JsonObject {
  const value: JsonObject = Object.create(null);
  let at = text.indexOf("{") + 1;
  while (at > 0 && at < text.length) {
    const equals = text.indexOf("=", at);
    if (equals === -1) break;
    const name = text.slice(at, equals).replace(/[\s;]/g, "");
    const read = readMofValue(text, equals + 1);
    if (/^\w{1,40}$/.test(name)) value[name] = read.value;
    const end = text.indexOf(";", read.end);
    if (end === -1) break;
    at = end + 1;
  }
  return value;
}

function readMofValue(text: string, start: number): { value: JsonValue; end: number } {
  let at = start;
  while (/\s/.test(text[at] ?? "")) at += 1;
  if (text[at] === '"') return readMofString(text, at);
  if (text[at] === "{") {
    const items: JsonValue[] = [];
    at += 1;
    while (at < text.length && text[at] !== "}") {
      if (text[at] === '"') {
        const item = readMofString(text, at);
        items.push(item.value);
        at = item.end;
      } else {
        const bare = /^[^",}\s]{1,64}/.exec(text.slice(at, at + 64))?.[0];
        if (bare !== undefined) items.push(bare);
        at += bare?.length ?? 1;
      }
    }
    return { value: items, end: at + 1 };
  }
  const end = text.indexOf(";", at);
  return { value: text.slice(at, end === -1 ? text.length : end).trim(), end: end === -1 ? text.length : end };
}

const MOF_ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function readMofString(text: string, start: number): { value: string; end: number } {
  let value = "";
  let at = start + 1;
  for (; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] !== "\\") value += text[at];
    else {
      at += 1;
      value += MOF_ESCAPES[text[at] ?? ""] ?? `\\${text[at] ?? ""}`;
    }
  }
  return { value, end: at + 1 };
}
