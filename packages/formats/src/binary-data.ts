/**
 * The binary part of an event, where it says more than the text: EventLog 6008 holds the last time the machine was alive
 * as two SYSTEMTIMEs, free of the locale that its text parameters are printed in; the Service Control Manager holds the
 * key name of the service, while `param1` is the display name in the machine's language.
 *
 * Source: FORMATS.md section 0, "Binary worth reading"; System logs of Windows 7 to 11.
 */
import { type EventData, isoOf, providerKey } from "@culprit/model";

/** Names that the binary part goes by in events of any format. */
const BINARY_NAMES = new Set(["binary", "data_binary", "eventdata_binary"]);
const HEX = /^(?:[0-9a-f]{2})*$/i;
const EVENT_LOG = "microsoft-windows-eventlog";
const SERVICE_CONTROL_MANAGER = "microsoft-windows-service control manager";
const UNEXPECTED_SHUTDOWN = 6008;

/**
 * Named values read out of the binary part: `LastAliveTime` (ISO, UTC) of 6008 and `ServiceKeyName` of SCM events.
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
  return [];
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
