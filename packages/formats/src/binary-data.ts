/**
 * The binary part of an event, where it says more than the text: EventLog 6008 holds the last time the machine was alive
 * as two SYSTEMTIMEs, free of the locale that its text parameters are printed in; the Service Control Manager holds the
 * key name of the service, while `param1` is the display name in the machine's language; NETLOGON holds the status behind a
 * `%%1311`; VSS says in ASCII who called it; drivers hold the packet of their error, with the status of the request.
 *
 * Source: FORMATS.md section 0, "Binary worth reading"; System and Application logs of Windows 2003 to 11;
 * IO_ERROR_LOG_PACKET in the driver kit.
 */
import { type EventData, isoOf, providerKey, statusText } from "@culprit/model";

/** Names that the binary part goes by in events of any format. */
const BINARY_NAMES = new Set(["binary", "data_binary", "eventdata_binary"]);
const HEX = /^(?:[0-9a-f]{2})*$/i;
const EVENT_LOG = "microsoft-windows-eventlog";
const SERVICE_CONTROL_MANAGER = "microsoft-windows-service control manager";
const NETLOGON = "netlogon";
const VSS = "vss";
const UNEXPECTED_SHUTDOWN = 6008;

/**
 * Named values read out of the binary part: `LastAliveTime` (ISO, UTC) of 6008, `ServiceKeyName` of SCM events,
 * `BinaryStatus` of NETLOGON's, `BinaryText` of VSS's, `FinalStatus` of drivers' (both as `0xC000005E`).
 * Errors: an odd number of digits or other characters add the mark `binary-unreadable`, and nothing is read.
 */
export function readableBinary(event: {
  provider: string;
  eventId: number;
  data: EventData;
  marks: Set<string>;
}): readonly (readonly [string, string])[] {
  const place = event.data.names.findIndex((name) => BINARY_NAMES.has(name.toLowerCase()));
  if (place === -1) return [];
  const hex = (event.data.values[place] as string).trim();
  if (!HEX.test(hex)) {
    event.marks.add("binary-unreadable");
    return [];
  }
  const key = providerKey(event.provider);
  if (key === EVENT_LOG && event.eventId === UNEXPECTED_SHUTDOWN) return lastAliveTime(hex);
  if (key === SERVICE_CONTROL_MANAGER) return serviceKeyName(hex);
  if (key === NETLOGON) return netlogonStatus(hex);
  if (key === VSS) return asciiText(hex);
  return finalStatus(hex, event.eventId);
}

/** A little-endian word of 32 bits; `undefined` beyond the end. */
function wordAt(hex: string, offset: number): number | undefined {
  const bytes = hex.slice(offset * 2, offset * 2 + 8);
  if (bytes.length < 8) return undefined;
  return Number.parseInt(bytes.replace(/(..)(..)(..)(..)/, "$4$3$2$1"), 16);
}

function netlogonStatus(hex: string): readonly (readonly [string, string])[] {
  const status = hex.length === 8 ? wordAt(hex, 0) : undefined;
  return status === undefined || status === 0 ? [] : [["BinaryStatus", statusText(status)]];
}

const TEXT_MAX = 2_000;

function asciiText(hex: string): readonly (readonly [string, string])[] {
  const text = Array.from({ length: Math.min(hex.length / 2, TEXT_MAX) }, (_, i) =>
    String.fromCharCode(Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)),
  ).join("");
  return /^[\x20-\x7e]{8,}$/.test(text) ? [["BinaryText", text.trim()]] : [];
}

const ERROR_CODE_OFFSET = 12;
const FINAL_STATUS_OFFSET = 20;

/** The packet is known by its error code, which is the event's own id with severity and facility on top. */
function finalStatus(hex: string, eventId: number): readonly (readonly [string, string])[] {
  const code = wordAt(hex, ERROR_CODE_OFFSET);
  const status = wordAt(hex, FINAL_STATUS_OFFSET);
  if (code === undefined || status === undefined || status === 0) return [];
  return code >>> 16 !== 0 && code % 0x10000 === eventId ? [["FinalStatus", statusText(status)]] : [];
}

const SYSTEMTIME_DIGITS = 32;

/** Two SYSTEMTIMEs of eight little-endian words: local time, then UTC. */
function lastAliveTime(hex: string): readonly (readonly [string, string])[] {
  const at = systemTime(hex.slice(SYSTEMTIME_DIGITS, 2 * SYSTEMTIME_DIGITS));
  return at === undefined ? [] : [["LastAliveTime", isoOf(at)]];
}

function systemTime(hex: string): number | undefined {
  if (hex.length !== SYSTEMTIME_DIGITS) return undefined;
  const word = (n: number): number =>
    Number.parseInt(hex.slice(n * 4 + 2, n * 4 + 4) + hex.slice(n * 4, n * 4 + 2), 16);
  // Year, month, day of the week, day, hour, minute, second, millisecond.
  const [year, month, day] = [word(0), word(1), word(3)];
  if (year < 1980 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  return Date.UTC(year, month - 1, day, word(4), word(5), word(6), word(7));
}

const SERVICE_NAME_MAX = 256;
/** 7036 ends the name with a slash and the new state: `wuauserv/4`. */
const STATE_SUFFIX = /\/\d$/;

/** The key name as UTF-16LE, up to its NUL. */
function serviceKeyName(hex: string): readonly (readonly [string, string])[] {
  let name = "";
  for (let i = 0; i + 4 <= hex.length && name.length <= SERVICE_NAME_MAX; i += 4) {
    const unit = Number.parseInt(hex.slice(i + 2, i + 4) + hex.slice(i, i + 2), 16);
    if (unit === 0) break;
    name += String.fromCharCode(unit);
  }
  name = name.replace(STATE_SUFFIX, "");
  // A control character or an overlong name means that these bytes are something else.
  const readable = name !== "" && name.length <= SERVICE_NAME_MAX && name.isWellFormed() && !hasControl(name);
  return readable ? [["ServiceKeyName", name]] : [];
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
