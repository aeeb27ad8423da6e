/**
 * Flat JSON of nobody's own: an event id and a provider under any of their usual names, the rest data (Velociraptor's rows,
 * Zircolite's and other flattened logs, home-made forwarders).
 */
import { type EventDraft, finishEvent } from "./draft.ts";
import { FIELD_NAMES, type FieldName, plainKey } from "./field-names.ts";
import { FAINT_MATCH, type Format, NO_MATCH } from "./format.ts";
import { dataOfArray, dataOfObject, joinData, wordsOf } from "./json-data.ts";
import { isObject, type JsonObject, type JsonValue } from "./json-text.ts";

export const flatJson: Format = {
  name: "flat-json",
  isLastResort: true,
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const fields = fieldsOf(record.value);
    const id = textAt(record.value, fields.get("eventId"));
    const isId = id !== undefined && /^\s{0,4}-?(?:\d{1,10}|0x[0-9a-f]{1,8})\s{0,4}$/i.test(id);
    return isId && textAt(record.value, fields.get("provider")) !== undefined ? FAINT_MATCH + 10 : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const fields = fieldsOf(value);
    const draft: EventDraft = {};
    for (const [field, key] of fields) draft[field] = textAt(value, key);
    const used = new Set([...fields.values(), ...SECTIONS]);
    const sections = SECTIONS.map((name) => sectionOf(value[name]));
    const data = joinData(...sections, dataOfObject(value, used));
    yield finishEvent({ ...draft, data, original: record.text, marks: record.marks }, context);
  },
};

/** Where some keep the data apart from the rest. */
const SECTIONS = ["EventData", "UserData", "event_data", "user_data"];

function sectionOf(value: JsonValue | undefined) {
  if (Array.isArray(value)) return dataOfArray(value);
  return isObject(value) ? dataOfObject(value) : undefined;
}

/** The key of each field that is there: of several that could mean it, the likelier. */
function fieldsOf(value: JsonObject): ReadonlyMap<FieldName, string> {
  const keys = new Map<string, string>();
  for (const key of Object.keys(value)) {
    const plain = plainKey(key);
    if (!keys.has(plain)) keys.set(plain, key);
  }
  const fields = new Map<FieldName, string>();
  for (const field of Object.keys(FIELD_NAMES) as FieldName[]) {
    const name = FIELD_NAMES[field].find((one) => textAt(value, keys.get(one)) !== undefined);
    const key = name === undefined ? undefined : keys.get(name);
    if (key !== undefined) fields.set(field, key);
  }
  return fields;
}

function textAt(value: JsonObject, key: string | undefined): string | undefined {
  if (key === undefined || isObject(value[key])) return undefined;
  const text = wordsOf(value[key]);
  return text === undefined || text.trim() === "" ? undefined : text;
}
