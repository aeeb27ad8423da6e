/** One record of a classic log: EVENTLOGRECORD as an event record. */
import { NO_DATA } from "./assemble.ts";
import type { EventRecord, RecordData } from "./record.ts";
import { utf16Text } from "./text.ts";
import { binaryText, sidText } from "./value.ts";

export const EVT_SIGNATURE = 0x654c_664c;
/** The fixed part; the source name stands behind it. */
export const EVT_HEAD_SIZE = 56;
/** The fixed part, and the copy of the size at the end. */
export const EVT_RECORD_MIN = EVT_HEAD_SIZE + 4;

const TYPE_AUDIT_SUCCESS = 8;
const TYPE_AUDIT_FAILURE = 16;
/** Levels of the event types 1 (error), 2 (warning) and 4 (information); audits are logged always, as on later Windows. */
const LEVELS: ReadonlyMap<number, number> = new Map([
  [1, 2],
  [2, 3],
  [4, 4],
  [TYPE_AUDIT_SUCCESS, 0],
  [TYPE_AUDIT_FAILURE, 0],
]);
const LEVEL_INFORMATION = 4;
/** Classic event, with the mark of an audit where it is one. */
const KEYWORDS: ReadonlyMap<number, string> = new Map([
  [TYPE_AUDIT_SUCCESS, "0xa0000000000000"],
  [TYPE_AUDIT_FAILURE, "0x90000000000000"],
]);
const KEYWORD_CLASSIC = "0x80000000000000";

/** Reads a record whose frame is sound: `bytes` are the whole of it, at least `EVT_RECORD_MIN`. */
export function decodeEvtRecord(
  bytes: Uint8Array,
  { offset, channel, isRecovered }: { offset: number; channel: string; isRecovered: boolean },
): EventRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 4;
  const number = String(view.getUint32(8, true));
  const generated = view.getUint32(12, true) * 1_000;
  const id = view.getUint32(20, true);
  const type = view.getUint16(24, true);
  const source = textAt(view, EVT_HEAD_SIZE, end);
  const computer = textAt(view, source.next, end);
  const data = dataOf(bytes, view, end);
  return {
    offset,
    storedId: number,
    storedAt: view.getUint32(16, true) * 1_000,
    provider: source.text,
    eventSourceName: source.text === "" ? undefined : source.text,
    guid: undefined,
    eventId: id & 0xffff,
    qualifiers: id >>> 16,
    version: undefined,
    level: LEVELS.get(type) ?? LEVEL_INFORMATION,
    task: view.getUint16(28, true),
    opcode: undefined,
    keywords: KEYWORDS.get(type) ?? KEYWORD_CLASSIC,
    timeCreated: generated,
    timeText: new Date(generated).toISOString().replace(".000Z", ".0000000Z"),
    recordId: number,
    activityId: undefined,
    relatedActivityId: undefined,
    processId: undefined,
    threadId: undefined,
    channel,
    computer: computer.text,
    userId: sidOf(view, end),
    section: data === NO_DATA ? "none" : "EventData",
    dataElement: undefined,
    data,
    message: undefined,
    isRecovered,
    source: undefined,
  };
}

function dataOf(bytes: Uint8Array, view: DataView, end: number): RecordData {
  const names: string[] = [];
  const values: string[] = [];
  let at = view.getUint32(36, true);
  for (let left = view.getUint16(26, true); left > 0 && at >= EVT_HEAD_SIZE && at + 2 <= end; left -= 1) {
    const { text, next } = textAt(view, at, end);
    names.push("");
    values.push(text);
    at = next;
  }
  const size = view.getUint32(48, true);
  const start = view.getUint32(52, true);
  if (size > 0 && start >= EVT_HEAD_SIZE && start + size <= end) {
    names.push("Binary");
    values.push(binaryText(bytes, start, size));
  }
  return names.length === 0 ? NO_DATA : { names, values };
}

function sidOf(view: DataView, end: number): string | undefined {
  const size = view.getUint32(40, true);
  const at = view.getUint32(44, true);
  return size >= 8 && at >= EVT_HEAD_SIZE && at + size <= end ? sidText(view, at, size) : undefined;
}

/** The text up to its NUL or the end of the record, and where the next one starts. */
function textAt(view: DataView, at: number, end: number): { readonly text: string; readonly next: number } {
  let stop = at;
  while (stop + 2 <= end && view.getUint16(stop, true) !== 0) stop += 2;
  return { text: stop > at ? utf16Text(view, at, stop - at) : "", next: stop + 2 };
}
