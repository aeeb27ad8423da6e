/**
 * Event XML turned to JSON, by any of the rules in use: evtx_dump (`#attributes`, `#text`, `X_attributes`), MaxPatrol and
 * Datadog (attributes beside the text), Velociraptor (`EventID.Value`), OpenWEC, EvtxECmd's payload and xml2js (`$`, `_`,
 * `@Name`, everything in arrays). One tolerant reader serves them all.
 *
 * Source: FORMATS.md sections 2, 11 and 13; corpora/omerbenamram-evtx, corpora/open-xp-rules, corpora/SigmaHQ-regression.
 */
import { type EventData, namedData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { eventDataOf, userDataOf } from "./event-xml.ts";
import { type Format, LIKELY_MATCH, NO_MATCH } from "./format.ts";
import { wordsOf } from "./json-data.ts";
import { dataText, fieldOf, isObject, type JsonObject, type JsonValue, textOf } from "./json-text.ts";
import { readXml } from "./xml-tree.ts";

export const eventJson: Format = {
  name: "event-json",
  sniff: (record) => (record.shape === "json" && eventIn(record.value) !== undefined ? LIKELY_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const event = record.shape === "json" ? eventIn(record.value) : undefined;
    if (record.shape !== "json" || event === undefined) return;
    const draft = draftOfEventJson(event);
    draft.message ??= textOf(fieldOf(record.value, "message") ?? fieldOf(record.value, "Message"));
    // Datadog keeps the level's word beside the event; System has the number.
    draft.level ??= textOf(fieldOf(record.value, "level"));
    yield finishEvent({ ...draft, original: record.text, marks: record.marks }, context);
  },
};

/** The object that holds System: the record itself, or its `Event`. */
export function eventIn(value: JsonObject): JsonObject | undefined {
  for (const candidate of [first(fieldOf(value, "Event")), value]) {
    if (isObject(candidate) && isObject(first(fieldOf(candidate, "System")))) return candidate;
  }
  return undefined;
}

/** The draft of an event given as JSON. */
export function draftOfEventJson(event: JsonObject): EventDraft {
  const system = first(fieldOf(event, "System"));
  if (!isObject(system)) return {};
  const rendering = first(fieldOf(event, "RenderingInfo"));
  const text = (name: string): string | undefined => textIn(first(fieldOf(system, name)));
  const attribute = (name: string, key: string): string | undefined => attributeOf(system, name, key);
  return {
    provider: attribute("Provider", "Name") ?? text("Provider"),
    providerAlias: attribute("Provider", "EventSourceName"),
    channel: text("Channel"),
    computer: text("Computer"),
    eventId: text("EventID"),
    qualifiers: attribute("EventID", "Qualifiers") ?? text("EventIDQualifiers") ?? text("EventIDQualifier"),
    version: text("Version"),
    level: text("Level"),
    keywords: text("Keywords"),
    task: text("Task"),
    opcode: text("Opcode"),
    time: attribute("TimeCreated", "SystemTime") ?? text("TimeCreated"),
    recordId: text("EventRecordID"),
    processId: attribute("Execution", "ProcessID"),
    threadId: attribute("Execution", "ThreadID"),
    activityId: attribute("Correlation", "ActivityID"),
    userId: attribute("Security", "UserID") ?? text("UserID"),
    data: dataOf(event),
    message: isObject(rendering) ? textIn(first(fieldOf(rendering, "Message"))) : undefined,
  };
}

const ATTRIBUTE_OBJECTS = ["#attributes", "$", "attr", "@attributes", "_attributes"];
const ATTRIBUTE_PREFIXES = ["@", "@_", "-", ""];
const TEXT_KEYS = ["#text", "text", "_", "$t", "_text", "Value", "value", "#value"];

/** xml2js puts every child into an array. */
function first(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** An attribute of a child, wherever the converter put it. */
function attributeOf(parent: JsonObject, name: string, key: string): string | undefined {
  const element = first(fieldOf(parent, name));
  return textOf(attributesOf(element, fieldOf(parent, `${name}_attributes`)).get(key));
}

/** The attributes of an element; only keys that can be nothing else, and plain ones where there is no child element. */
function attributesOf(element: JsonValue | undefined, separate?: JsonValue): ReadonlyMap<string, JsonValue> {
  const found = new Map<string, JsonValue>();
  const add = (holder: JsonValue | undefined, prefix: string): void => {
    if (!isObject(holder)) return;
    for (const key of Object.keys(holder)) {
      const value = holder[key] as JsonValue;
      if (!key.startsWith(prefix) || typeof value === "object") continue;
      if (!found.has(key.slice(prefix.length))) found.set(key.slice(prefix.length), value);
    }
  };
  add(separate, "");
  if (isObject(element)) {
    for (const name of ATTRIBUTE_OBJECTS) add(fieldOf(element, name), "");
    for (const prefix of ATTRIBUTE_PREFIXES) add(element, prefix);
  }
  return found;
}

/** The text of an element: a scalar, or the text key of an object; `undefined` where it has children only. */
function textIn(element: JsonValue | undefined): string | undefined {
  if (Array.isArray(element)) return wordsOf(element);
  if (!isObject(element)) return textOf(element);
  for (const key of TEXT_KEYS) {
    const text = textOf(first(fieldOf(element, key)));
    if (text !== undefined) return text;
  }
  return undefined;
}

function dataOf(event: JsonObject): EventData | undefined {
  const eventData = first(fieldOf(event, "EventData"));
  if (isObject(eventData)) return eventDataOfJson(eventData);
  if (typeof eventData === "string" && eventData.includes("<")) return xmlData(eventData);
  const userData = first(fieldOf(event, "UserData"));
  if (typeof userData === "string" && userData.includes("<")) return xmlData(userData);
  if (isObject(userData)) return userDataOfJson(userData);
  for (const name of ["DebugData", "ProcessingErrorData", "BinaryEventData"]) {
    const section = first(fieldOf(event, name));
    if (isObject(section)) return eventDataOfJson(section);
  }
  return undefined;
}

/** A section that was kept as XML: with its element around it, or only what was inside. */
export function xmlData(xml: string): EventData | undefined {
  const tree = readXml(xml);
  if (!tree.ok) return undefined;
  const { roots } = tree.value;
  const [root] = roots;
  if (root === undefined) return undefined;
  if (root.name === "UserData") return userDataOf(root);
  if (root.name === "EventData") return eventDataOf(root);
  const inner = root.name === "DataItem" ? root.children[0] : undefined;
  if (inner !== undefined) return inner.name === "UserData" ? userDataOf(inner) : eventDataOf(inner);
  const section = { name: "", attributes: new Map(), children: roots, text: "" };
  const isEventData = roots.some((child) => child.name === "Data" || child.name === "Binary" || child.name === "Param");
  return isEventData ? eventDataOf(section) : userDataOf(section);
}

/** Keys that belong to the element itself and are no data. */
function isOwnKey(key: string): boolean {
  return key === "xmlns" || key === "@xmlns" || ATTRIBUTE_OBJECTS.includes(key);
}

/** `EventData`: a map of named values, with `Data` for the unnamed ones, or `Data` for all. */
export function eventDataOfJson(section: JsonObject): EventData {
  const pairs: [string, string][] = [];
  for (const key of Object.keys(section)) {
    const value = section[key] as JsonValue;
    if (isOwnKey(key)) continue;
    if (key.endsWith("_attributes") && fieldOf(section, key.slice(0, -"_attributes".length)) !== undefined) continue;
    if (key === "Data" || key === "ComplexData") pairs.push(...dataElements(value));
    else flatten(key, value, pairs);
  }
  return namedData(pairs);
}

/** `<Data>` elements: one or an array of scalars, of objects with a `Name`, a map, or evtx_dump's `{"#text": [...]}`. */
function dataElements(value: JsonValue): [string, string][] {
  if (Array.isArray(value)) return value.flatMap(dataElements);
  if (!isObject(value)) return [["", dataText(value)]];
  const attributes = attributesOf(value);
  const texts = fieldOf(value, "#text");
  const name = textOf(attributes.get("Name"));
  if (Array.isArray(texts)) return texts.map((text) => [name ?? "", dataText(text)]);
  const text = textIn(value);
  if (name !== undefined) return [[name, text ?? ""]];
  if (text !== undefined && TEXT_KEYS.some((key) => Object.keys(value).every((own) => own === key || isOwnKey(own)))) {
    return [["", text]];
  }
  const pairs: [string, string][] = [];
  for (const key of Object.keys(value)) if (!isOwnKey(key)) flatten(key, value[key] as JsonValue, pairs);
  return pairs;
}

/** `UserData`: the fields of its one child. */
function userDataOfJson(section: JsonObject): EventData {
  const pairs: [string, string][] = [];
  for (const key of Object.keys(section)) {
    if (isOwnKey(key) || key.endsWith("_attributes")) continue;
    const child = first(section[key]);
    if (!isObject(child)) {
      pairs.push([key, dataText(child)]);
      continue;
    }
    for (const field of Object.keys(child)) {
      if (!isOwnKey(field)) flatten(field, child[field] as JsonValue, pairs);
    }
  }
  return namedData(pairs);
}

/** Nested names joined with a dot; attributes as fields, as the XML reader gives them. */
function flatten(path: string, value: JsonValue, pairs: [string, string][]): void {
  if (path.endsWith("_attributes")) {
    if (isObject(value)) attributesInto(path.slice(0, -"_attributes".length), value, pairs);
  } else if (Array.isArray(value)) {
    for (const item of value) flatten(path, item, pairs);
  } else if (!isObject(value)) {
    pairs.push([path, dataText(value)]);
  } else {
    for (const key of Object.keys(value)) {
      const inner = value[key] as JsonValue;
      if (ATTRIBUTE_OBJECTS.includes(key)) {
        if (isObject(inner)) attributesInto(path, inner, pairs);
      } else if (TEXT_KEYS.includes(key)) flatten(path, inner, pairs);
      else if (key !== "xmlns") flatten(`${path}.${key.replace(/^@_?/, "")}`, inner, pairs);
    }
  }
}

function attributesInto(path: string, attributes: JsonObject, pairs: [string, string][]): void {
  for (const key of Object.keys(attributes))
    if (key !== "xmlns") pairs.push([`${path}.${key}`, dataText(attributes[key])]);
}
