/**
 * Wazuh's JSON of the event channel: alerts and archives of 4.x (`data.win.system`, keys in lowerCamelCase), 3.8
 * (`EventChannel`, PascalCase), and what an agent sends (`{"Message", "Event": "<Event …>"}`).
 *
 * Source: FORMATS.md section 12; corpora/pasted-in-issues/wazuh-alert-defrag-264.json.
 */
import { type EventData, namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfObject } from "./json-data.ts";
import { fieldReader } from "./json-fields.ts";
import { dataText, fieldOf, isObject, type JsonObject, pathOf, textOf } from "./json-text.ts";

export const wazuh: Format = {
  name: "wazuh",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    return windowsPart(record.value) !== undefined || agentXml(record.value) !== undefined ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const received = textOf(fieldOf(record.value, "timestamp"));
    const carrier = { original: record.text, marks: record.marks, received };
    const xml = agentXml(record.value);
    const windows = windowsPart(record.value);
    if (windows !== undefined) yield finishEvent({ ...draftOfWindows(windows), ...carrier }, context);
    else if (xml !== undefined) {
      const message = textOf(fieldOf(record.value, "Message"));
      yield decodeEventXml(xml, context, { ...carrier, message: message?.trim() });
    }
  },
};

/** The object with `system` and `eventdata`, under each of its names. */
function windowsPart(value: JsonObject): JsonObject | undefined {
  for (const path of ["data.win", "win", "EventChannel"]) {
    const part = pathOf(value, path);
    if (isObject(part) && (isObject(fieldOf(part, "system")) || isObject(fieldOf(part, "System")))) return part;
  }
  return undefined;
}

function agentXml(value: JsonObject): string | undefined {
  const event = textOf(fieldOf(value, "Event"));
  return event?.trimStart().startsWith("<Event") === true ? event : undefined;
}

function draftOfWindows(windows: JsonObject): EventDraft {
  const system = fieldOf(windows, "system") ?? fieldOf(windows, "System");
  const read = fieldReader(isObject(system) ? system : {});
  const text = (name: string): string | undefined => read(name, name.charAt(0).toUpperCase() + name.slice(1));
  return {
    provider: text("providerName"),
    providerAlias: text("eventSourceName"),
    channel: text("channel"),
    computer: text("computer"),
    eventId: text("eventID"),
    version: text("version"),
    level: text("level") ?? text("severityValue"),
    keywords: text("keywords"),
    task: text("task"),
    opcode: text("opcode"),
    time: text("systemTime"),
    recordId: text("eventRecordID"),
    processId: text("processID"),
    threadId: text("threadID"),
    data: dataOf(windows),
    message: unquoted(text("message")),
  };
}

/** Sections of UserData stand beside `eventdata` under their own name. */
function dataOf(windows: JsonObject): EventData {
  const pairs: (readonly [string, string])[] = [];
  for (const name of Object.keys(windows)) {
    const section = fieldOf(windows, name);
    if (!isObject(section) || name.toLowerCase() === "system") continue;
    for (const field of Object.keys(section)) {
      const value = section[field];
      if (field === "data" && typeof value === "string") pairs.push(...joinedValues(value));
      else if (isObject(value) || Array.isArray(value)) pairs.push(...entries(field, dataOfObject({ [field]: value })));
      else pairs.push([field === "binary" ? "Binary" : field, dataText(value)]);
    }
  }
  return namedData(pairs);
}

function entries(_field: string, data: EventData): (readonly [string, string])[] {
  return data.names.map((name, i) => [name, data.values[i] ?? ""] as const);
}

/** Unnamed data are joined with a comma and a blank; a value that holds one cannot be told from two. */
function joinedValues(text: string): (readonly [string, string])[] {
  return text.split(", ").map((value) => ["", value] as const);
}

/** The message has literal quotes around it. */
function unquoted(text: string | undefined): string | undefined {
  return text !== undefined && text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
