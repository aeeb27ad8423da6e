/**
 * NXLog's `to_json()` of im_msvistalog and im_mseventlog, and everything that took over its shape: fields of the event and
 * its data side by side. OpenWEC's `Nxlog` output and the Security-Datasets files are of it.
 *
 * Source: FORMATS.md section 4; corpora/OTRF-Security-Datasets.
 */
import { namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type Format, LIKELY_MATCH, NO_MATCH } from "./format.ts";
import { fieldReader, hasAll, otherFields } from "./json-fields.ts";
import { fieldOf, type JsonObject } from "./json-text.ts";

export const nxlog: Format = {
  name: "nxlog",
  sniff(record) {
    if (record.shape !== "json" || !hasAll(record.value, "EventID", "SourceName")) return NO_MATCH;
    const telling = ["Hostname", "EventTime", "SourceModuleName", "SeverityValue", "RecordNumber", "EventReceivedTime"];
    return telling.some((name) => fieldOf(record.value, name) !== undefined) ? LIKELY_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    yield finishEvent({ ...draftOfNxlog(record.value), original: record.text, marks: record.marks }, context);
  },
};

/** Fields that im_msvistalog and its carriers write of their own; all others are data of the event. */
const OWN_FIELDS = new Set([
  ...["EventTime", "EventReceivedTime", "TimeCreated", "@timestamp", "@version", "Hostname", "host", "HostIP", "port"],
  ...["Keywords", "EventType", "SeverityValue", "Severity", "EventID", "SourceName", "ProviderGuid", "Version", "Task"],
  ...[
    "TaskValue",
    "OpcodeValue",
    "RecordNumber",
    "EventRecordID",
    "ActivityID",
    "RelatedActivityID",
    "ThreadID",
    "Level",
  ],
  ...[
    "ExecutionProcessID",
    "ExecutionThreadID",
    "Channel",
    "FileName",
    "UserID",
    "AccountName",
    "AccountType",
    "Domain",
  ],
  ...["Message", "Category", "Opcode", "SourceModuleName", "SourceModuleType", "tags", "OpenWEC", "Qualifiers", "type"],
]);

/** Security-Datasets and version 5 call the event's own process `ExecutionProcessID`; `ProcessID` is then a data field. */
function ownProcess(value: JsonObject): string {
  return fieldOf(value, "ExecutionProcessID") === undefined ? "ProcessID" : "ExecutionProcessID";
}

/** What NXLog writes as `EventType`; Sysmon's registry events have data of that name (`CreateKey`), which overwrites it. */
const EVENT_TYPES = new Set([
  ...["CRITICAL", "ERROR", "WARNING", "INFO", "VERBOSE", "AUDIT_SUCCESS", "AUDIT_FAILURE", "SUCCESS", "DEBUG"],
]);

/** The draft of NXLog's fields, for carriers that prefix or wrap them. */
export function draftOfNxlog(value: JsonObject): EventDraft {
  const text = fieldReader(value);
  const process = ownProcess(value);
  const own = new Set([...OWN_FIELDS, process]);
  const isOwnType = EVENT_TYPES.has(text("EventType")?.toUpperCase() ?? "INFO");
  if (!isOwnType) own.delete("EventType");
  return {
    provider: text("SourceName"),
    channel: text("Channel", "FileName"),
    // Graylog's documents have the sender in `source`.
    computer: text("Hostname", "hostname", "HostName", "host") ?? (text("gl2_source_input") && text("source")),
    eventId: text("EventID"),
    qualifiers: text("Qualifiers"),
    version: text("Version"),
    // AUDIT_SUCCESS and the like are level 0, as Windows has it.
    level: isOwnType ? text("Level", "EventType", "Severity") : text("Level", "Severity"),
    keywords: text("Keywords"),
    task: text("Task", "TaskValue", "Category"),
    opcode: text("OpcodeValue", "Opcode"),
    time: text("EventTime", "TimeCreated", "@timestamp"),
    received: text("EventReceivedTime", "OpenWEC.TimeReceived"),
    recordId: text("RecordNumber", "EventRecordID"),
    processId: text(process),
    threadId: text(process === "ProcessID" ? "ThreadID" : "ExecutionThreadID"),
    activityId: text("ActivityID"),
    userId: text("UserID"),
    data: namedData(otherFields(value, own)),
    message: text("Message"),
  };
}
