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

const SLOT_OF: ReadonlyMap<string, number> = new Map([
  ["Provider@Name", SLOTS.provider],
  ["Provider@EventSourceName", SLOTS.eventSourceName],
  ["Provider@Guid", SLOTS.guid],
  ["EventID", SLOTS.eventId],
  ["EventID@Qualifiers", SLOTS.qualifiers],
  ["Version", SLOTS.version],
  ["Level", SLOTS.level],
  ["Task", SLOTS.task],
  ["Opcode", SLOTS.opcode],
  ["Keywords", SLOTS.keywords],
  ["TimeCreated@SystemTime", SLOTS.systemTime],
  ["EventRecordID", SLOTS.recordId],
  ["Correlation@ActivityID", SLOTS.activityId],
  ["Correlation@RelatedActivityID", SLOTS.relatedActivityId],
  ["Execution@ProcessID", SLOTS.processId],
  ["Execution@ThreadID", SLOTS.threadId],
  ["Channel", SLOTS.channel],
  ["Computer", SLOTS.computer],
  ["Security@UserID", SLOTS.userId],
]);

/** The place of an element of System, or of one of its attributes; `undefined` for what no field holds. */
export function slotOf(element: string, attribute?: string): number | undefined {
  return SLOT_OF.get(attribute === undefined ? element : `${element}@${attribute}`);
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
