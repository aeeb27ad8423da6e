/**
 * Azure Monitor: rows of the tables Event, SecurityEvent and WindowsEvent (exported to blobs or hubs, or read through the
 * API), and rows of the diagnostics extension (WAD).
 *
 * Source: FORMATS.md section 9.
 */
import { type Decoded, type EventData, failure, namedData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { xmlData } from "./event-json.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type DecodeContext, type Format, LIKELY_MATCH, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfObject } from "./json-data.ts";
import { fieldReader, hasAll, objectsIn, otherFields } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue, textOf } from "./json-text.ts";

export const azureRow: Format = {
  name: "azure-row",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    return kindOf(rowOf(record.value)) === undefined ? NO_MATCH : SURE_MATCH - 5;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const row = rowOf(record.value);
    const carrier = { original: record.text, marks: record.marks };
    const draft = draftOfRow(row);
    draft.time ??= fieldReader(record.value)("time");
    // The row of an event that could not be parsed holds its XML.
    const xml = fieldReader(row)("RawEventData", "RawXml");
    if (xml?.trimStart().startsWith("<Event") === true)
      yield decodeEventXml(xml, context, { ...carrier, defaults: draft });
    else yield finishEvent({ ...draft, ...carrier }, context);
  },
};

/** WAD rows may stand inside `properties`. */
function rowOf(value: JsonObject): JsonObject {
  const properties = fieldOf(value, "properties");
  return isObject(properties) && kindOf(properties) !== undefined ? properties : value;
}

type RowKind = "event" | "windows-event" | "security-event" | "wad";

function kindOf(row: JsonObject): RowKind | undefined {
  // Rows of a hub have the time beside the properties.
  const isWad = hasAll(row, "ProviderName", "EventId", "Channel") && hasAll(row, "DeploymentId");
  if (isWad || hasAll(row, "ProviderName", "EventId", "PreciseTimeStamp")) return "wad";
  if (!hasAll(row, "EventID", "TimeGenerated")) return undefined;
  if (hasAll(row, "EventLog", "Source")) return "event";
  if (hasAll(row, "Provider", "Channel")) return "windows-event";
  return hasAll(row, "EventSourceName", "Channel") ? "security-event" : undefined;
}

function draftOfRow(row: JsonObject): EventDraft {
  const text = fieldReader(row);
  const kind = kindOf(row);
  return {
    provider: text("Source", "Provider", "EventSourceName", "ProviderName"),
    channel: text("EventLog", "Channel"),
    computer: text("Computer", "RoleInstance"),
    eventId: text("EventID", "EventId"),
    version: text("Version"),
    // The Event table has the classic numbers of the old agent or those of today; the word says which is meant.
    level: kind === "event" ? text("EventLevelName", "EventLevel") : text("EventLevel", "Level", "EventLevelName"),
    keywords: text("Keywords"),
    task: text("Task"),
    opcode: text("Opcode"),
    time: text("TimeGenerated", "PreciseTimeStamp"),
    received: text("TimeCollected", "_TimeReceived"),
    recordId: text("EventRecordId", "EventRecordID"),
    processId: text("SystemProcessId", "Pid"),
    threadId: text("SystemThreadId", "Tid"),
    userId: text("SystemUserId"),
    data: dataOf(row, kind),
    message: text("RenderedDescription", "Message", "Description"),
  };
}

const SECURITY_FIELDS = new Set([
  ...[
    "TimeGenerated",
    "EventSourceName",
    "Channel",
    "EventID",
    "Activity",
    "Level",
    "Task",
    "EventData",
    "Computer",
    "Type",
  ],
  ...["EventOriginId", "SourceComputerId", "TimeCollected", "TenantId", "SourceSystem", "MG", "ManagementGroupName"],
  ...[
    "_ResourceId",
    "_SubscriptionId",
    "_TimeReceived",
    "EventRecordId",
    "Keywords",
    "Opcode",
    "Version",
    "PartitionKey",
  ],
  ...["RowKey", "StorageAccount", "AzureDeploymentID", "AzureTableName", "Correlation", "SystemProcessId"],
  ...["SystemThreadId", "SystemUserId", "Account", "AccountType", "EventLevelName"],
]);

function dataOf(row: JsonObject, kind: RowKind | undefined): EventData | undefined {
  const data = fieldOf(row, "EventData");
  if (isObject(data)) return dataOfObject(data);
  const text = textOf(data);
  const read = text?.includes("<") === true ? xmlData(text) : undefined;
  if (read !== undefined && read.names.length > 0) return read;
  const parameters = textOf(fieldOf(row, "ParameterXml"));
  if (parameters?.includes("<") === true) {
    const values = xmlData(parameters);
    return values && { names: values.names.map(() => ""), values: values.values };
  }
  if (kind !== "security-event") return undefined;
  return namedData(otherFields(row, SECURITY_FIELDS).filter(([, value]) => value !== ""));
}

/** `{"records": [...]}` of Event Hubs: rows of any table, one array per message. */
export const azureHub: Format = {
  name: "azure-hub",
  sniff(record) {
    const records = record.shape === "json" ? objectsIn(fieldOf(record.value, "records")) : [];
    return records.length > 0 && !records.some((row) => fieldOf(row, "data") !== undefined) ? LIKELY_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    for (const row of objectsIn(fieldOf(record.value, "records"))) yield* context.inner(JSON.stringify(row), context);
  },
};

/** The answer of the query API: tables with columns and rows. */
export const azureTables: Format = {
  name: "azure-tables",
  sniff(record) {
    const tables = record.shape === "json" ? objectsIn(fieldOf(record.value, "tables")) : [];
    return tables.some((table) => Array.isArray(fieldOf(table, "rows"))) ? LIKELY_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    for (const table of objectsIn(fieldOf(record.value, "tables"))) yield* tableRows(table, context);
  },
};

function* tableRows(table: JsonObject, context: DecodeContext): Iterable<Decoded<WindowsEvent>> {
  const columns = objectsIn(fieldOf(table, "columns")).map((column) => textOf(fieldOf(column, "name")) ?? "");
  const rows = fieldOf(table, "rows");
  for (const row of Array.isArray(rows) ? rows : []) {
    if (!Array.isArray(row)) {
      yield failure("azure-tables.row-unreadable", "a row is an array of values");
      continue;
    }
    const object: JsonObject = Object.create(null);
    columns.forEach((name, i) => {
      object[name] = (row[i] ?? null) as JsonValue;
    });
    yield* context.inner(JSON.stringify(object), context);
  }
}
