/**
 * `Get-WinEvent | ConvertTo-Json` and `Get-EventLog | ConvertTo-Json`, of Windows PowerShell 5.1 and PowerShell 7.
 *
 * Source: FORMATS.md section 14. Many events at the default depth lose their properties (the text of a type stands there
 * instead); then only the message is left.
 */
import { type EventData, namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfArray, hexOfBytes, joinData, wordsOf } from "./json-data.ts";
import { type FieldReader, fieldReader, hasAll } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue } from "./json-text.ts";

export const powershellJson: Format = {
  name: "powershell-json",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    const winEvent = hasAll(value, "Id", "ProviderName", "LogName");
    return winEvent || hasAll(value, "InstanceId", "Source", "TimeGenerated") ? SURE_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    yield finishEvent({ ...draftOfPowershell(record.value), original: record.text, marks: record.marks }, context);
  },
};

/** The draft of an event object of either cmdlet, as JSON or as a row of CSV. */
export function draftOfPowershell(value: JsonObject): EventDraft {
  const text = fieldReader(value);
  return hasAll(value, "ProviderName") ? draftOfWinEvent(value, text) : draftOfEventLog(value, text);
}

function draftOfWinEvent(value: JsonObject, text: FieldReader): EventDraft {
  const bits = text("Keywords");
  return {
    provider: text("ProviderName"),
    channel: text("LogName"),
    computer: text("MachineName"),
    eventId: text("Id"),
    qualifiers: text("Qualifiers"),
    version: text("Version"),
    level: text("Level", "LevelDisplayName"),
    keywords: bits ?? wordsOf(fieldOf(value, "KeywordsDisplayNames")),
    task: text("Task", "TaskDisplayName"),
    opcode: text("Opcode", "OpcodeDisplayName"),
    time: text("TimeCreated", "TimeCreated.value", "TimeCreated.DateTime"),
    recordId: text("RecordId"),
    processId: text("ProcessId"),
    threadId: text("ThreadId"),
    activityId: text("ActivityId"),
    userId: text("UserId", "UserId.Value"),
    data: propertiesOf(fieldOf(value, "Properties")),
    message: text("Message"),
  };
}

function draftOfEventLog(value: JsonObject, text: FieldReader): EventDraft {
  const strings = fieldOf(value, "ReplacementStrings");
  const binary = hexOfBytes(fieldOf(value, "Data"));
  return {
    provider: text("Source"),
    channel: text("Log", "LogName"),
    computer: text("MachineName"),
    eventId: text("InstanceId", "EventID"),
    level: entryLevel(text("EntryType")),
    task: text("Category"),
    time: text("TimeGenerated", "TimeGenerated.value", "TimeWritten"),
    recordId: text("Index"),
    data: joinData(
      Array.isArray(strings) ? dataOfArray(strings) : undefined,
      binary === undefined ? undefined : namedData([["Binary", binary]]),
    ),
    message: text("Message"),
  };
}

/** EntryType is a word in CSV and the classic number in JSON: 1 error, 2 warning, 4 information, 8 and 16 audits. */
function entryLevel(type: string | undefined): string | number | undefined {
  const numbers: Readonly<Record<string, number>> = { "1": 2, "2": 3, "4": 4, "8": 0, "16": 0 };
  return type === undefined ? undefined : (numbers[type] ?? type);
}

/** `[{"Value": x}, …]`, positional; a lone object where there is one; the name of a type where the depth was too small. */
function propertiesOf(value: JsonValue | undefined): EventData | undefined {
  const items = Array.isArray(value) ? value : isObject(value) ? [value] : [];
  const values = items.map((item) => (isObject(item) ? fieldOf(item, "Value") : undefined));
  if (values.length === 0 || values.some((item) => item === undefined)) return undefined;
  return dataOfArray(values.map((item) => hexOfBytes(item) ?? item ?? null));
}
