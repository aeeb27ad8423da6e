/**
 * Exports of tools that hunt in logs: Chainsaw's hits (each with its whole event) and Hayabusa's timeline (a rule's hit, with
 * a part of the event).
 *
 * Source: FORMATS.md section 13. One event may have several hits, and the same identity in each.
 */
import { type EventData, namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { draftOfEventJson, eventIn } from "./event-json.ts";
import { type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfObject } from "./json-data.ts";
import { fieldReader, hasAll, objectsIn } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, type JsonValue, pathOf } from "./json-text.ts";

export const chainsaw: Format = {
  name: "chainsaw",
  sniff: (record) => (documentsOf(record).length > 0 ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    for (const document of documentsOf(record)) {
      yield finishEvent({ ...draftOfEventJson(document), original: record.text, marks: record.marks }, context);
    }
  },
};

/** The events of a hit: `document` of an individual one, `documents` of an aggregate. */
function documentsOf(record: InputRecord): readonly JsonObject[] {
  if (record.shape !== "json" || fieldOf(record.value, "kind") === undefined) return [];
  const single = fieldOf(record.value, "document");
  const documents = isObject(single) ? [single] : objectsIn(fieldOf(record.value, "documents"));
  return documents.flatMap((document) => {
    const data = pathOf(document, "data");
    const event = isObject(data) ? eventIn(data) : undefined;
    return event === undefined ? [] : [event];
  });
}

/** Hayabusa shortens the names of the common logs. */
const CHANNELS: Readonly<Record<string, string>> = {
  Sys: "System",
  App: "Application",
  Sec: "Security",
  Setup: "Setup",
  Sysmon: "Microsoft-Windows-Sysmon/Operational",
  PwSh: "Microsoft-Windows-PowerShell/Operational",
  PwShClassic: "Windows PowerShell",
  TaskSch: "Microsoft-Windows-TaskScheduler/Operational",
  WMI: "Microsoft-Windows-WMI-Activity/Operational",
  Defender: "Microsoft-Windows-Windows Defender/Operational",
};
/** Logs with one provider: a hit names none. */
const PROVIDERS: Readonly<Record<string, string>> = {
  Sec: "Microsoft-Windows-Security-Auditing",
  Sysmon: "Microsoft-Windows-Sysmon",
  PwSh: "Microsoft-Windows-PowerShell",
  PwShClassic: "PowerShell",
  TaskSch: "Microsoft-Windows-TaskScheduler",
  WMI: "Microsoft-Windows-WMI-Activity",
  Defender: "Microsoft-Windows-Windows Defender",
};

export const hayabusa: Format = {
  name: "hayabusa",
  sniff: (record) =>
    record.shape === "json" && hasAll(record.value, "RuleTitle", "EventID", "Channel") ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const text = fieldReader(value);
    const channel = text("Channel") ?? "";
    yield finishEvent(
      {
        provider: text("Provider", "Provider_Name") ?? PROVIDERS[channel],
        // System and Application are of many providers; a hit without one is kept, and matches by log and id only.
        providerMayMiss: true,
        channel: CHANNELS[channel] ?? channel,
        computer: text("Computer"),
        eventId: text("EventID"),
        time: text("Timestamp"),
        recordId: text("RecordID"),
        data: detailsOf(fieldOf(value, "AllFieldInfo") ?? fieldOf(value, "Details")),
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

/** Details as an object, or as `a: b ¦ c: d`. */
function detailsOf(value: JsonValue | undefined): EventData | undefined {
  if (isObject(value)) return dataOfObject(value);
  if (typeof value !== "string") return undefined;
  return namedData(
    value.split(" ¦ ").map((part) => {
      const colon = part.indexOf(": ");
      return colon === -1 ? (["", part] as const) : ([part.slice(0, colon), part.slice(colon + 2)] as const);
    }),
  );
}
