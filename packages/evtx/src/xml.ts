/**
 * Event XML of a record, as Windows writes it: no indentation, attributes in single quotes, empty elements closed at once,
 * every character that XML does not allow replaced. The text of an event is hostile; nothing of it leaves its place.
 */
import { rootOf } from "./assemble.ts";
import { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import type { EventRecord } from "./record.ts";
import type { RecordSource } from "./source.ts";
import { type Attribute, buildTree, type Child, type Element } from "./tree.ts";

const NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event";

/**
 * The record as event XML, without line breaks of its own.
 *
 * Shape: what the log holds, in its order; of a record without binary XML (classic `.evt`), its fields in the order of the
 * event schema. Errors: none; a record that was decoded can be rendered.
 */
export function toXml(record: EventRecord): string {
  return renderElement(eventOf(record.source) ?? treeOf(record));
}

/** The event as it stands in the log; `undefined` where there is none, or the bytes have been changed meanwhile. */
function eventOf(source: RecordSource | undefined): Element | undefined {
  if (source === undefined) return undefined;
  const { chunk, at, end } = source;
  try {
    // A reading of its own, with limits of its own: records are rendered in any order and number.
    return rootOf(buildTree(new ChunkData(chunk.bytes, chunk.offset, chunk.ansiEncoding), at, end));
  } catch (thrown) {
    if (thrown instanceof Damage) return undefined;
    throw thrown;
  }
}

function renderChild(child: Child): string {
  if (typeof child === "string") return escapeText(child);
  if (child.kind === "element") return renderElement(child);
  // A data part with the closing mark in it would end the instruction early.
  return `<?${xmlName(child.target)} ${allowedCharacters(child.data).replaceAll("?>", "? >")}?>`;
}

function renderElement({ name, attributes, children }: Element): string {
  const tag = xmlName(name);
  const start = tag + distinct(attributes).map(renderAttribute).join("");
  if (children.length === 0) return hasOwnEnd(name) ? `<${start}></${tag}>` : `<${start}/>`;
  return `<${start}>${children.map(renderChild).join("")}</${tag}>`;
}

function renderAttribute({ name, value }: Attribute): string {
  return ` ${xmlName(name)}='${escapeAttribute(value)}'`;
}

/** XML allows a name once; the first counts. */
function distinct(attributes: readonly Attribute[]): readonly Attribute[] {
  if (attributes.length < 2) return attributes;
  const first = new Map<string, Attribute>();
  for (const attribute of attributes) {
    const name = xmlName(attribute.name);
    if (!first.has(name)) first.set(name, attribute);
  }
  return [...first.values()];
}

/** Windows closes empty values with a tag of their own. */
function hasOwnEnd(name: string): boolean {
  return name === "Data" || name === "Binary";
}

const NOT_IN_NAMES = /[^\p{L}\p{N}_.:-]/gu;
const NOT_FIRST_IN_NAMES = /^[^\p{L}_]/u;

/** A name as it stands, with what would break out of a tag replaced. */
function xmlName(name: string): string {
  return name.replace(NOT_IN_NAMES, "_").replace(NOT_FIRST_IN_NAMES, "_") || "_";
}

// Everything but tab, line feed, carriage return and what lies from the space on, without the two non-characters.
const NOT_ALLOWED = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function allowedCharacters(text: string): string {
  return text.toWellFormed().replace(NOT_ALLOWED, "\ufffd");
}

const TEXT_ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;" };

/** Element content. Carriage returns are escaped, since XML readers drop bare ones. */
function escapeText(text: string): string {
  return allowedCharacters(text).replace(/[&<>\r]/g, (character) => TEXT_ESCAPES[character] ?? character);
}

const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = {
  ...TEXT_ESCAPES,
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
  "\t": "&#9;",
};

function escapeAttribute(text: string): string {
  return allowedCharacters(text).replace(/[&<>\r\n\t"']/g, (character) => ATTRIBUTE_ESCAPES[character] ?? character);
}

/** The tree of a record that was never XML. */
function treeOf(record: EventRecord): Element {
  const system = element("System", [
    element("Provider", [], { Name: record.provider, Guid: record.guid, EventSourceName: record.eventSourceName }),
    element("EventID", [String(record.eventId)], { Qualifiers: record.qualifiers }),
    ...valued("Version", record.version),
    ...valued("Level", record.level),
    ...valued("Task", record.task),
    ...valued("Opcode", record.opcode),
    ...valued("Keywords", record.keywords),
    element("TimeCreated", [], { SystemTime: record.timeText }),
    element("EventRecordID", [record.recordId]),
    element("Correlation", [], { ActivityID: record.activityId, RelatedActivityID: record.relatedActivityId }),
    element("Execution", [], { ProcessID: record.processId, ThreadID: record.threadId }),
    element("Channel", textual(record.channel)),
    element("Computer", textual(record.computer)),
    element("Security", [], { UserID: record.userId }),
  ]);
  const { names, values } = record.data;
  const fields = values.map((value, i) => {
    const name = names[i] ?? "";
    if (name === "Binary") return element("Binary", textual(value));
    return element("Data", textual(value), { Name: name === "" ? undefined : name });
  });
  return element("Event", [system, element("EventData", fields)], { xmlns: NAMESPACE });
}

function element(
  name: string,
  children: readonly Child[],
  attributes: Readonly<Record<string, string | number | undefined>> = {},
): Element {
  const given: Attribute[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) given.push({ name: key, value: String(value) });
  }
  return { kind: "element", name, attributes: given, children };
}

function valued(name: string, value: string | number | undefined): Element[] {
  return value === undefined ? [] : [element(name, [String(value)])];
}

function textual(text: string): string[] {
  return text === "" ? [] : [text];
}
