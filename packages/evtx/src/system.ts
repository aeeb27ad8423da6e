/** The System part of an event: which element or attribute is which field, and how its text is read. */
import { elementsOf, localName, textOf } from "./section.ts";
import type { Element } from "./tree.ts";

/** The fields of System by place; the programs of `program.ts` hold one source of value for each. */
export const SLOTS = {
  provider: 0,
  eventSourceName: 1,
  guid: 2,
  eventId: 3,
  qualifiers: 4,
  version: 5,
  level: 6,
  task: 7,
  opcode: 8,
  keywords: 9,
  systemTime: 10,
  recordId: 11,
  activityId: 12,
  relatedActivityId: 13,
  processId: 14,
  threadId: 15,
  channel: 16,
  computer: 17,
  userId: 18,
} as const;
export const SLOT_COUNT = 19;

/** Places by element: of its text, and of its attributes. */
interface ElementSlots {
  readonly text?: number;
  readonly attributes?: Readonly<Record<string, number>>;
}

const ELEMENTS: ReadonlyMap<string, ElementSlots> = new Map<string, ElementSlots>([
  [
    "Provider",
    { attributes: names({ Name: SLOTS.provider, EventSourceName: SLOTS.eventSourceName, Guid: SLOTS.guid }) },
  ],
  ["EventID", { text: SLOTS.eventId, attributes: names({ Qualifiers: SLOTS.qualifiers }) }],
  ["Version", { text: SLOTS.version }],
  ["Level", { text: SLOTS.level }],
  ["Task", { text: SLOTS.task }],
  ["Opcode", { text: SLOTS.opcode }],
  ["Keywords", { text: SLOTS.keywords }],
  ["TimeCreated", { attributes: names({ SystemTime: SLOTS.systemTime }) }],
  ["EventRecordID", { text: SLOTS.recordId }],
  ["Correlation", { attributes: names({ ActivityID: SLOTS.activityId, RelatedActivityID: SLOTS.relatedActivityId }) }],
  ["Execution", { attributes: names({ ProcessID: SLOTS.processId, ThreadID: SLOTS.threadId }) }],
  ["Channel", { text: SLOTS.channel }],
  ["Computer", { text: SLOTS.computer }],
  ["Security", { attributes: names({ UserID: SLOTS.userId }) }],
]);

/** A record without a prototype: names come out of files. */
function names(slots: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.assign(Object.create(null), slots);
}

/** The place of an element of System, or of one of its attributes; `undefined` for what no field holds. */
export function slotOf(element: string, attribute?: string): number | undefined {
  const slots = ELEMENTS.get(element);
  return attribute === undefined ? slots?.text : slots?.attributes?.[attribute];
}

/** The texts of a System element by slot. The first of a repeated element counts. */
export function systemTexts(system: Element): (string | undefined)[] {
  const texts: (string | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
  const put = (slot: number | undefined, text: string): void => {
    if (slot !== undefined) texts[slot] ??= text;
  };
  for (const element of elementsOf(system.children)) {
    const name = localName(element.name);
    put(slotOf(name), textOf(element.children));
    for (const attribute of element.attributes) put(slotOf(name, attribute.name), attribute.value);
  }
  return texts;
}
