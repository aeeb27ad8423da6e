/**
 * Event XML: one `<Event>` element as WEF, `ToXml()`, wevtutil, Event Viewer and Splunk's XmlWinEventLog write it, whole or
 * damaged: cut off anywhere, escaped (`&lt;Event`), copied with the dashes of a tree view, or without its root.
 *
 * Source: FORMATS.md section 1.
 */
import { type Decoded, type EventData, failure, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type DecodeContext, type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { selectXml } from "./xml-select.ts";
import { childOf, leafText, readReferences, readXml, type XmlElement } from "./xml-tree.ts";

export const eventXml: Format = {
  name: "event-xml",
  sniff: (record: InputRecord) => (record.shape === "xml" && !record.text.startsWith("<Objs") ? SURE_MATCH : NO_MATCH),
  select: selectXml,
  *decode(record, context) {
    yield decodeEventXml(record.text, context, { marks: record.marks });
  },
};

/** What the carrier of the XML knows beside it. */
export interface XmlCarrier {
  readonly marks?: readonly string[];
  /** The carrier's own stamp of receipt. */
  readonly received?: string | number | undefined;
  /** The rendered text, where it stands outside the XML. */
  readonly message?: string | undefined;
  /** Defaults for System values that the XML lacks. */
  readonly defaults?: EventDraft;
  /** The whole record, where the XML is only a part of it. */
  readonly original?: string | undefined;
}

/** Reads the one event in a text. Errors: those of `readXml` and `finishEvent`, and `xml.no-event`. */
export function decodeEventXml(text: string, context: DecodeContext, carrier: XmlCarrier = {}): Decoded<WindowsEvent> {
  const plain = isEscaped(text) ? readReferences(text, new Set()) : text;
  const tree = readXml(plain);
  if (!tree.ok) return tree;
  const event = eventElement(tree.value.roots);
  const inside = event === undefined ? carriedIn(tree.value.roots) : undefined;
  if (inside !== undefined) return decodeEventXml(inside, context, { original: text, ...carrier });
  if (event === undefined) return failure("xml.no-event", "no System element, nor a part of one");
  const marks = [...tree.value.marks, ...(carrier.marks ?? [])];
  const own = draftOf(event);
  const draft: EventDraft = { ...carrier.defaults };
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined && value !== "") draft[key as keyof EventDraft] = value as never;
  }
  draft.message ??= carrier.message;
  draft.received ??= carrier.received;
  return finishEvent({ ...draft, original: carrier.original ?? text, marks }, context);
}

/** WS-Management delivers the event as CDATA of an element of the same name. Such an event holds no further one. */
function carriedIn([root]: readonly XmlElement[]): string | undefined {
  if (root?.name !== "Event" || root.children.length > 0) return undefined;
  return /^\s{0,64}<(?:\w{1,20}:)?Event[\s>][^>]{0,400}>\s{0,64}<(?:\w{1,20}:)?System[\s>]/.test(root.text)
    ? root.text
    : undefined;
}

const ESCAPED = /^[\s-]{0,16}&lt;(?:Event|System|Provider)[\s/&]/i;

function isEscaped(text: string): boolean {
  return ESCAPED.test(text.slice(0, 64));
}

/** The event, or an element that stands for it where the root or System itself was lost. */
function eventElement(roots: readonly XmlElement[]): XmlElement | undefined {
  for (const root of roots) {
    if (root.name === "Event" && root.children.length > 0) return root;
    const inside = root.name === "Events" ? eventElement(root.children) : undefined;
    if (inside !== undefined) return inside;
  }
  if (!roots.some((root) => root.name === "System" || root.name === "Provider" || root.name === "EventID")) {
    return undefined;
  }
  return { name: "Event", attributes: new Map(), children: roots, text: "" };
}

/** The draft of an event element; System's children may stand directly in it. */
export function draftOf(event: XmlElement): EventDraft {
  const system = childOf(event, "System") ?? event;
  const rendering = childOf(event, "RenderingInfo");
  const provider = childOf(system, "Provider");
  const eventId = childOf(system, "EventID");
  const time = childOf(system, "TimeCreated");
  const execution = childOf(system, "Execution");
  const text = (name: string): string | undefined => {
    const child = childOf(system, name);
    return child === undefined ? undefined : child.text.trim();
  };
  const message = childOf(rendering, "Message")?.text;
  return {
    provider: provider?.attributes.get("Name"),
    providerAlias: provider?.attributes.get("EventSourceName"),
    channel: text("Channel"),
    computer: text("Computer"),
    eventId: eventId?.text.trim(),
    qualifiers: eventId?.attributes.get("Qualifiers"),
    version: text("Version"),
    level: text("Level"),
    keywords: text("Keywords"),
    task: text("Task"),
    opcode: text("Opcode"),
    time: time?.attributes.get("SystemTime") ?? time?.attributes.get("RawTime"),
    recordId: text("EventRecordID"),
    processId: execution?.attributes.get("ProcessID"),
    threadId: execution?.attributes.get("ThreadID"),
    activityId: childOf(system, "Correlation")?.attributes.get("ActivityID"),
    userId: childOf(system, "Security")?.attributes.get("UserID"),
    data: dataOf(event),
    message,
  };
}

/** The sections that may hold an event's data; the first that is there counts. */
const DATA_SECTIONS = ["EventData", "UserData", "DebugData", "ProcessingErrorData", "BinaryEventData"];

function dataOf(event: XmlElement): EventData | undefined {
  for (const name of DATA_SECTIONS) {
    const section = childOf(event, name);
    if (section === undefined) continue;
    return name === "UserData" ? userDataOf(section) : eventDataOf(section);
  }
  return undefined;
}

/** `<Data Name>`, unnamed `<Data>`, `<Binary>`, `<ComplexData>`, in their order; other elements by their own name. */
export function eventDataOf(section: XmlElement): EventData {
  const names: string[] = [];
  const values: string[] = [];
  for (const child of section.children) {
    if (child.name === "Data" || child.name === "ComplexData") {
      names.push(child.attributes.get("Name") ?? "");
      values.push(child.children.length === 0 ? leafText(child) : nestedText(child));
    } else if (child.children.length === 0) {
      names.push(child.name);
      values.push(leafText(child));
    } else {
      flatten(child, child.name, names, values);
    }
  }
  return { names, values };
}

/** The fields of UserData's one child: nested names joined with a dot, attributes as fields. */
export function userDataOf(section: XmlElement): EventData {
  const names: string[] = [];
  const values: string[] = [];
  for (const child of section.children) {
    for (const field of child.children) flatten(field, field.name, names, values);
    if (child.children.length === 0 && leafText(child) !== "") {
      names.push(child.name);
      values.push(leafText(child));
    }
  }
  return { names, values };
}

function flatten(element: XmlElement, path: string, names: string[], values: string[]): void {
  for (const [name, value] of element.attributes) {
    if (name === "xmlns") continue;
    names.push(`${path}.${name}`);
    values.push(value);
  }
  if (element.children.length === 0) {
    const text = leafText(element);
    if (text !== "" || element.attributes.size === 0) {
      names.push(path);
      values.push(text);
    }
    return;
  }
  for (const child of element.children) flatten(child, `${path}.${child.name}`, names, values);
}

function nestedText(element: XmlElement): string {
  const inner = element.children.map((child) => (child.children.length === 0 ? child.text : nestedText(child)));
  return [element.text.trim(), ...inner].filter((text) => text !== "").join(" ");
}
