/** EvtxECmd's JSON lines; its CSV has the same columns. Source: FORMATS.md section 13. */
import type { EventData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { eventDataOfJson } from "./event-json.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { dataOfObject } from "./json-data.ts";
import { fieldReader, hasAll } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, parseJson, textOf } from "./json-text.ts";

export const evtxEcmd: Format = {
  name: "evtx-ecmd",
  sniff: (record) =>
    record.shape === "json" && hasAll(record.value, "EventId", "Provider", "Payload") ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const text = fieldReader(record.value);
    yield finishEvent(
      {
        provider: text("Provider"),
        channel: text("Channel"),
        computer: text("Computer"),
        eventId: text("EventId"),
        level: text("Level"),
        keywords: text("Keywords"),
        time: text("TimeCreated"),
        recordId: text("EventRecordId"),
        processId: text("ProcessId"),
        threadId: text("ThreadId"),
        userId: text("UserId"),
        data: payloadOf(record.value),
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

/** The payload is a string of JSON: EventData or UserData by Newtonsoft's XML rule. */
function payloadOf(value: JsonObject): EventData | undefined {
  const text = textOf(fieldOf(value, "Payload"));
  const parsed = text === undefined ? undefined : parseJson(text);
  const payload = parsed?.ok === true ? parsed.value.value : undefined;
  if (!isObject(payload)) return undefined;
  const section = fieldOf(payload, "EventData");
  if (isObject(section)) return eventDataOfJson(section);
  const user = fieldOf(payload, "UserData");
  if (!isObject(user)) return undefined;
  const child = Object.values(user).find(isObject);
  return child === undefined ? undefined : dataOfObject(child, new Set(["@xmlns"]));
}
