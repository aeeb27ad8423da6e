/**
 * What a record that no rule wants shows of itself without being decoded: whose log it is, its number in it and its time.
 * Used for coverage only, where knowing nothing is safe and a wrong answer is not: whatever is ambiguous counts as unknown.
 */
import type { EpochMs } from "@culprit/model";
import type { Shown } from "./selection.ts";

/** Records longer than this are not looked at. */
const LOOK_MAX_BYTES = 256 * 1024;

const XML = {
  computer: /<(?:\w{1,20}:)?Computer(?:\s[^<>]{0,100})?>([^<>]{1,255})</g,
  channel: /<(?:\w{1,20}:)?Channel(?:\s[^<>]{0,100})?>([^<>]{1,255})</g,
  recordId: /<(?:\w{1,20}:)?EventRecordID(?:\s[^<>]{0,100})?>\s{0,20}(\d{1,20})\s{0,20}</g,
  at: /<(?:\w{1,20}:)?TimeCreated\s[^<>]{0,100}?SystemTime\s{0,4}=\s{0,4}["']([^"'<>]{1,40})["']/g,
  created: /$^/g,
};

/** Counts before the document's own stamp. */
const TIME_CREATED = '"time_created"';

const JSON_TEXT = {
  computer: /"computer_name"\s{0,8}:\s{0,8}"([^"\\]{1,255})"/g,
  channel: /"channel"\s{0,8}:\s{0,8}"([^"\\]{1,255})"/g,
  recordId: /"record_id"\s{0,8}:\s{0,8}"?(\d{1,20})"?/g,
  at: /"@timestamp"\s{0,8}:\s{0,8}"([^"\\]{1,40})"/g,
  created: /"time_created"\s{0,8}:\s{0,8}"([^"\\]{1,40})"/g,
};

const NOTHING: Shown = {
  computer: undefined,
  channel: undefined,
  at: undefined,
  receivedAt: undefined,
  recordId: undefined,
};

/** Looks at the bytes of one record of event XML or Winlogbeat JSON. */
export function shownBy(record: Uint8Array): Shown {
  if (record.length > LOOK_MAX_BYTES) return NOTHING;
  const text = new TextDecoder().decode(record);
  const shape = text.trimStart().startsWith("<") ? XML : JSON_TEXT;
  const recordId = Number(only(text, shape.recordId) ?? Number.NaN);
  return {
    computer: only(text, shape.computer),
    channel: only(text, shape.channel),
    at: instantOf(only(text, text.includes(TIME_CREATED) ? shape.created : shape.at) ?? ""),
    receivedAt: undefined,
    recordId: Number.isSafeInteger(recordId) ? recordId : undefined,
  };
}

/** What follows the keywords in a System part as Windows writes it. */
const SYSTEM =
  /<TimeCreated SystemTime=['"]([^'"<>&]{1,40})['"]\s*\/>\s*<EventRecordID>(\d{1,15})<\/EventRecordID>(?:(?!<Channel)[\s\S])*<Channel>([!-~][ -%'-;=?-~]*)<\/Channel>\s*<Computer>([!-~]{1,255})<\/Computer>/;

/** Reads the System part of an event, with nothing behind it; `undefined` where it is written in another way. */
export function shownBySystem(text: string): Shown | undefined {
  const match = SYSTEM.exec(text);
  if (match === null) return undefined;
  const [, time = "", recordId, channel = "", computer = ""] = match;
  if (computer.includes("&") || computer.includes("<") || channel.endsWith(" ")) return undefined;
  return { computer, channel, at: instantOf(time), receivedAt: undefined, recordId: Number(recordId) };
}

/** The one value that a pattern finds; nothing where it finds several different ones or a reference in it. */
function only(text: string, pattern: RegExp): string | undefined {
  let found: string | undefined;
  for (const match of text.matchAll(pattern)) {
    const value = match[1];
    if (
      value === undefined ||
      value.includes("&") ||
      value.trim() !== value ||
      (found !== undefined && found !== value)
    )
      return undefined;
    found = value;
  }
  return found;
}

const UTC_INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:)([0-5]\d)(?:\.(\d{1,9}))?Z$/;
/** Records of a log come minute by minute. */
let lastMinute = { text: "", at: Number.NaN };

function instantOf(text: string): EpochMs | undefined {
  const match = UTC_INSTANT.exec(text);
  if (match === null) return undefined;
  const [, minute = "", seconds, fraction = ""] = match;
  if (minute !== lastMinute.text) lastMinute = { text: minute, at: Date.parse(`${minute}00Z`) };
  const at = lastMinute.at + Number(seconds) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
  return Number.isNaN(at) ? undefined : at;
}
