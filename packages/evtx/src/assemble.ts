/** A record from its tree: the plain way, which every shape of event can go. */
import type { DataSection, EventRecord, RecordData } from "./record.ts";
import { elementsOf, eventDataFields, localName, textOf, userDataFields } from "./section.ts";
import type { RecordSource } from "./source.ts";
import { SLOT_COUNT, SLOTS, systemTexts } from "./system.ts";
import { fileTimeMs, fileTimeText, readStamp } from "./time.ts";
import type { Child, Element } from "./tree.ts";

/** What the record's frame says, outside of its XML. */
export interface Stored {
  readonly offset: number;
  readonly storedId: string;
  readonly low: number;
  readonly high: number;
  readonly isRecovered: boolean;
  readonly source: RecordSource;
}

export const NO_DATA: RecordData = Object.freeze({ names: Object.freeze([]), values: Object.freeze([]) });

interface EventBody {
  readonly section: DataSection;
  readonly dataElement: string | undefined;
  readonly data: RecordData;
}

const NO_BODY: EventBody = { section: "none", dataElement: undefined, data: NO_DATA };

/** The record that a tree says; what the tree lacks is "" or undefined, or stands in the record's frame. */
export function recordOfTree(tree: readonly Child[], stored: Stored): EventRecord {
  const event = rootOf(tree);
  const parts = event === undefined ? [] : elementsOf(event.children);
  const part = (name: string): Element | undefined => parts.find((element) => localName(element.name) === name);
  const system = part("System");
  const texts = system === undefined ? new Array(SLOT_COUNT).fill(undefined) : systemTexts(system);
  const rendering = part("RenderingInfo");
  const message = rendering === undefined ? undefined : elementsOf(rendering.children).find(isMessage);
  return {
    offset: stored.offset,
    storedId: stored.storedId,
    storedAt: fileTimeMs(stored.low, stored.high),
    ...systemFields(texts, stored),
    ...bodyOf(parts),
    message: message === undefined ? undefined : presentText(textOf(message.children)),
    isRecovered: stored.isRecovered,
    source: stored.source,
  };
}

/** The event among the elements of a fragment. */
export function rootOf(tree: readonly Child[]): Element | undefined {
  const roots = elementsOf(tree);
  return roots.find((element) => localName(element.name) === "Event") ?? roots[0];
}

function isMessage(element: Element): boolean {
  return localName(element.name) === "Message";
}

/** The first section that holds data; the events that Windows writes have one at most. */
function bodyOf(parts: readonly Element[]): EventBody {
  for (const part of parts) {
    const section = localName(part.name);
    switch (section) {
      case "EventData":
      case "DebugData":
      case "ProcessingErrorData":
        return { section, dataElement: undefined, data: eventDataFields(part) };
      case "UserData":
        return { section, ...userDataFields(part) };
      case "BinaryEventData":
        return { section, dataElement: undefined, data: { names: ["Binary"], values: [textOf(part.children)] } };
      default:
    }
  }
  return NO_BODY;
}

function systemFields(texts: readonly (string | undefined)[], stored: Stored) {
  const text = (slot: number): string | undefined => presentText(texts[slot]);
  const integer = (slot: number): number | undefined => integerOf(texts[slot]);
  const stamp = readStamp(texts[SLOTS.systemTime] ?? "");
  const id = integer(SLOTS.eventId) ?? 0;
  return {
    provider: text(SLOTS.provider) ?? text(SLOTS.eventSourceName) ?? "",
    eventSourceName: text(SLOTS.eventSourceName),
    guid: text(SLOTS.guid),
    eventId: shortEventId(id),
    qualifiers: qualifiersOf(id, integer(SLOTS.qualifiers)),
    version: integer(SLOTS.version),
    level: integer(SLOTS.level),
    task: integer(SLOTS.task),
    opcode: integer(SLOTS.opcode),
    keywords: text(SLOTS.keywords),
    timeCreated: stamp?.ms ?? fileTimeMs(stored.low, stored.high),
    timeText: stamp?.text ?? fileTimeText(stored.low, stored.high),
    recordId: recordIdOf(texts[SLOTS.recordId]) ?? stored.storedId,
    activityId: text(SLOTS.activityId),
    relatedActivityId: text(SLOTS.relatedActivityId),
    processId: integer(SLOTS.processId),
    threadId: integer(SLOTS.threadId),
    channel: texts[SLOTS.channel] ?? "",
    computer: texts[SLOTS.computer] ?? "",
    userId: text(SLOTS.userId),
  };
}

/** A text that says something. */
export function presentText(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

const INTEGER = /^\s{0,8}(?:\d{1,15}|0x[0-9a-f]{1,12})\s{0,8}$/i;

/** A non-negative integer in decimal or `0x…`; `undefined` for anything else. */
export function integerOf(text: string | undefined): number | undefined {
  return text !== undefined && INTEGER.test(text) ? Number(text) : undefined;
}

const DECIMAL = /^\d{1,20}$/;

/** A record id as it stands in the XML, or `undefined`. */
export function recordIdOf(text: string | undefined): string | undefined {
  return text !== undefined && DECIMAL.test(text) ? text : undefined;
}

/** The 16-bit id; some writers put the whole classic id with its qualifiers into EventID. */
export function shortEventId(id: number): number {
  return id & 0xffff;
}

/** Qualifiers as given, else the upper half of an event id of 32 bits. */
export function qualifiersOf(id: number, given: number | undefined): number | undefined {
  return given ?? (id > 0xffff ? (id >>> 16) & 0xffff : undefined);
}
