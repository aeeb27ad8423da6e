/**
 * From what a format found to a Windows event. Every format fills a draft with the words that stood in the record, and
 * `finishEvent` reads them the same way for all: ids, qualifiers, levels, keywords, times, computer. So one event has one
 * identity, whoever forwarded it.
 */
import { type Decoded, type EventData, failure, foldHost, success, type WindowsEvent } from "@culprit/model";
import { readableBinary } from "./binary-data.ts";
import type { DecodeContext } from "./format.ts";
import { readTime, type TimeReading } from "./instant-text.ts";
import { levelOfAny } from "./level-words.ts";

/** What a record says, as it says it; `undefined` and "" mean that it does not. */
export interface EventDraft {
  provider?: string | undefined;
  providerAlias?: string | undefined;
  /** A binary log says that the record is there even where damage took its provider. */
  providerMayMiss?: boolean | undefined;
  channel?: string | undefined;
  computer?: string | undefined;
  /** 16 bit, or 32 bit with the qualifiers on top. */
  eventId?: string | number | undefined;
  qualifiers?: string | number | undefined;
  version?: string | number | undefined;
  /** A number, or a word in any language known. */
  level?: string | number | undefined;
  /** Hex, signed or unsigned decimal, or words. */
  keywords?: string | number | undefined;
  task?: string | number | undefined;
  opcode?: string | number | undefined;
  time?: string | number | undefined;
  /** The forwarder's own stamp. */
  received?: string | number | undefined;
  recordId?: string | number | undefined;
  processId?: string | number | undefined;
  threadId?: string | number | undefined;
  activityId?: string | undefined;
  userId?: string | undefined;
  data?: EventData | undefined;
  message?: string | undefined;
  original?: string | undefined;
  marks?: readonly string[] | undefined;
}

/** The computer of records that name none where the caller names none either. */
export const UNKNOWN_HOST = "unknown-host";
const EVENT_ID_MAX = 0xffff;
const EVENT_ID_32_MAX = 0xffffffff;

/**
 * Reads a draft into an event.
 * Shape: CRLF becomes LF in data and message, as Winlogbeat does it, so that one event has the same values from any
 * forwarder; `data` gains what `readableBinary` finds in the binary part.
 * Errors: `event.id-missing`, `event.id-unreadable`, `event.provider-missing`, `event.computer-too-long`.
 */
export function finishEvent(draft: EventDraft, context: DecodeContext): Decoded<WindowsEvent> {
  const marks = new Set(draft.marks);
  const id = readEventId(draft.eventId, draft.qualifiers);
  if (!id.ok) return id;
  const provider =
    present(draft.provider) ?? present(draft.providerAlias) ?? (draft.providerMayMiss === true ? "" : undefined);
  if (provider === "") marks.add("no-provider");
  if (provider === undefined) return failure("event.provider-missing", "neither a provider nor a source name");
  const named = present(draft.computer) ?? context.host;
  if (named === undefined) marks.add("no-computer");
  const computer = wellFormed(named ?? UNKNOWN_HOST, marks);
  const host = foldHost(computer);
  if (host === undefined) return failure("event.computer-too-long", `a computer name of ${computer.length} characters`);
  const time = readTime(draft.time, context);
  for (const mark of time?.marks ?? []) marks.add(mark);
  if (time === undefined && present(draft.time) !== undefined) marks.add("time-unreadable");
  if (time !== undefined && isOdd(time)) marks.add("odd-time");

  const event: Mutable<WindowsEvent> = {
    provider: wellFormed(provider, marks),
    channel: wellFormed(present(draft.channel) ?? "", marks),
    computer,
    host,
    eventId: id.value.eventId,
    level: levelOfAny(draft.level),
    timeCreated: time?.at ?? context.receivedAt,
    timeQuality: time?.quality ?? "received",
    data: finishData(draft, provider, id.value.eventId, marks),
  };
  if (time?.text !== undefined) event.timeText = time.text;
  const alias = present(draft.providerAlias);
  if (alias !== undefined && alias !== provider) event.providerAlias = wellFormed(alias, marks);
  if (id.value.qualifiers !== undefined) event.qualifiers = id.value.qualifiers;
  setInteger(event, "version", draft.version);
  setInteger(event, "processId", draft.processId);
  setInteger(event, "threadId", draft.threadId);
  setText(event, "keywords", draft.keywords === undefined ? undefined : readKeywords(String(draft.keywords)), marks);
  setText(event, "task", draft.task, marks);
  setText(event, "opcode", draft.opcode, marks);
  setText(event, "activityId", draft.activityId, marks);
  setText(event, "userId", draft.userId, marks);
  const recordId = readRecordId(draft.recordId);
  if (recordId !== undefined) event.recordId = recordId;
  const received = readTime(draft.received, context);
  if (received !== undefined) event.receivedAt = received.at;
  const message = present(draft.message);
  if (message !== undefined) event.message = wellFormed(readableMessage(message), marks);
  if (draft.original !== undefined) event.original = wellFormed(draft.original, marks);
  if (marks.size > 0) event.marks = [...marks].sort();
  return success(event);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function present<T extends string | number>(value: T | undefined): T | undefined {
  return typeof value === "string" && value.trim() === "" ? undefined : value;
}

/** 16 bits and the qualifiers; a 32-bit id is taken apart as Windows does it: severity and facility on top. */
function readEventId(
  id: string | number | undefined,
  given: string | number | undefined,
): Decoded<{ eventId: number; qualifiers?: number }> {
  if (present(id) === undefined) return failure("event.id-missing", "no event id");
  const text = String(id).trim();
  const value = /^(?:-?\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  // Get-EventLog and WMI print the 32-bit id signed where the severity bits are set.
  const unsigned = value < 0 && value >= -0x80000000 ? value >>> 0 : value;
  if (!(unsigned >= 0 && unsigned <= EVENT_ID_32_MAX)) {
    return failure("event.id-unreadable", `"${text.slice(0, 40)}" is not an event id`);
  }
  const top = Math.floor(unsigned / 0x10000);
  const qualifiers = readQualifiers(given) ?? (top > 0 ? top : undefined);
  const eventId = unsigned % 0x10000;
  return success(qualifiers === undefined ? { eventId } : { eventId, qualifiers });
}

function readQualifiers(given: string | number | undefined): number | undefined {
  const value = integerOf(given);
  return value !== undefined && value >= 0 && value <= EVENT_ID_MAX ? value : undefined;
}

function integerOf(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value).trim();
  if (!/^(?:-?\d{1,15}|0x[0-9a-f]{1,13})$/i.test(text)) return undefined;
  return Number(text);
}

const KEYWORD_BITS = /^-?\d{1,20}$/;

/** 64 bits as `0x…` from hex, signed decimal (NXLog, PowerShell) or unsigned decimal (Velociraptor); words stay words. */
function readKeywords(text: string): string {
  const trimmed = text.trim();
  if (KEYWORD_BITS.test(trimmed)) return `0x${BigInt.asUintN(64, BigInt(trimmed)).toString(16)}`;
  return /^0x[0-9a-f]{1,16}$/i.test(trimmed) ? trimmed.toLowerCase() : trimmed;
}

/** Unsigned decimal without leading zeros. */
function readRecordId(value: string | number | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = String(value).trim();
  return /^\d{1,20}$/.test(text) ? BigInt(text).toString() : undefined;
}

const YEAR_1990 = Date.UTC(1990, 0, 1);
const YEAR_2200 = Date.UTC(2200, 0, 1);

/** FILETIME zero (1601) and clocks that were never set; kept as they are, because the sequence of records tells more. */
function isOdd(time: TimeReading): boolean {
  return time.at < YEAR_1990 || time.at > YEAR_2200;
}

const LITERAL_BREAK = "\\r\\n";

/** Line ends as LF; some relays write CRLF as the four characters backslash r backslash n. */
function readableMessage(message: string): string {
  const text = message.includes(LITERAL_BREAK) ? message.replaceAll(LITERAL_BREAK, "\n") : message;
  return (text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text).trimEnd();
}

function finishData(draft: EventDraft, provider: string, eventId: number, marks: Set<string>): EventData {
  const data = draft.data ?? { names: [], values: [] };
  const names = data.names.map((name) => wellFormed(name, marks));
  const values = data.values.map((value) =>
    wellFormed(value.includes("\r\n") ? value.replaceAll("\r\n", "\n") : value, marks),
  );
  for (const [name, value] of readableBinary({ provider, eventId, data, marks })) {
    names.push(name);
    values.push(value);
  }
  return { names, values };
}

function wellFormed(text: string, marks: Set<string>): string {
  if (text.isWellFormed()) return text;
  marks.add("repaired-surrogate");
  return text.toWellFormed();
}

function setInteger(
  event: Mutable<WindowsEvent>,
  field: "version" | "processId" | "threadId",
  value: string | number | undefined,
): void {
  const number = integerOf(value);
  if (number !== undefined && Number.isSafeInteger(number)) event[field] = number;
}

function setText(
  event: Mutable<WindowsEvent>,
  field: "keywords" | "task" | "opcode" | "activityId" | "userId",
  value: string | number | undefined,
  marks: Set<string>,
): void {
  const text = present(value);
  if (text !== undefined) event[field] = wellFormed(String(text), marks);
}
