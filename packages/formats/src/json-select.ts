/**
 * A cheap look at a Winlogbeat document as bytes: event ids, provider and channel by one walk over the text, without
 * parsing.
 *
 * States: the walk knows how deep it is and which key of the top level it is under; strings are passed over whole. Keys are
 * compared at the first two levels only, where the document has them. What could make the parsed document say something
 * else is not judged: an escape in such a key, a dotted key, a `_source` around the document, an end before the object's
 * end. A key given twice counts with all its values.
 */
import type { Glance } from "./selection.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

type Parent = "winlog" | "event" | "other";

interface Found {
  readonly eventIds: number[];
  readonly providers: string[];
  readonly channels: string[];
  winlog: boolean;
}

/** What the bytes show; `undefined` where they cannot be judged, or show no document of Winlogbeat. */
export function glanceWinlogbeat(bytes: Uint8Array): Glance | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  const found: Found = { eventIds: [], providers: [], channels: [], winlog: false };
  let depth = 0;
  let parent: Parent = "other";
  let ended = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const c = bytes[at] as number;
    if (c === QUOTE) {
      const end = endOfString(bytes, at);
      if (end === -1) return undefined;
      if (depth === 1 || (depth === 2 && parent !== "other")) {
        const colon = skipBlanks(bytes, end + 1);
        if (bytes[colon] === COLON) {
          const key = readKey(bytes, at + 1, end);
          if (key === undefined) return undefined;
          if (depth === 1) {
            if (key === "_source" || key.includes(".")) return undefined;
            parent = key === "winlog" || key === "event" ? key : "other";
            if (key === "winlog") {
              // Given twice, the last would count, and it may be no object.
              if (found.winlog || bytes[skipBlanks(bytes, colon + 1)] !== 0x7b) return undefined;
              found.winlog = true;
            }
          } else if (!note(found, parent, key, bytes, skipBlanks(bytes, colon + 1))) return undefined;
        }
      }
      at = end;
    } else if (c === 0x7b || c === 0x5b) {
      if (ended) return undefined;
      depth += 1;
    } else if (c === 0x7d || c === 0x5d) {
      depth -= 1;
      ended = depth <= 0;
    }
  }
  if (!ended || !found.winlog) return undefined;
  const provider = onlyOne(found.providers);
  const channel = onlyOne(found.channels);
  return {
    eventIds: found.eventIds,
    ...(provider === undefined ? {} : { provider }),
    ...(channel === undefined ? {} : { channel }),
  };
}

/** Takes down the value of a key that matters; false where it cannot be read. */
function note(found: Found, parent: Parent, key: string, bytes: Uint8Array, at: number): boolean {
  if (parent === "event") {
    if (key !== "code") return true;
  } else if (key === "provider_name" || key === "channel") {
    (key === "channel" ? found.channels : found.providers).push(readText(bytes, at) ?? "");
    return true;
  } else if (key !== "event_id") return true;
  const id = readDigits(bytes, at);
  // An empty value is as good as none: the other key decides.
  if (id === undefined) return isEmptyText(bytes, at);
  found.eventIds.push(id % 0x10000);
  return true;
}

const KEY_MAX_LENGTH = 40;

/** A key as text; "" for a long one, `undefined` for one with an escape. */
function readKey(bytes: Uint8Array, start: number, end: number): string | undefined {
  let key = "";
  const short = end - start <= KEY_MAX_LENGTH;
  for (let at = start; at < end; at += 1) {
    const c = bytes[at] as number;
    if (c === BACKSLASH) return undefined;
    if (short) key += String.fromCharCode(c);
    else if (c === 0x2e) return ".";
  }
  return key;
}

/** Whether an empty string stands at a place. */
export function isEmptyText(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === QUOTE && bytes[at + 1] === QUOTE;
}

/** Up to ten digits, in quotes or not, that end where a value ends. */
export function readDigits(bytes: Uint8Array, start: number): number | undefined {
  const quoted = bytes[start] === QUOTE;
  let at = quoted ? start + 1 : start;
  let value = 0;
  const first = at;
  for (; at - first < 11; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === first || at - first > 10) return undefined;
  const c = bytes[at];
  if (quoted) return c === QUOTE ? value : undefined;
  return c === 0x2c || c === 0x7d || c === 0x20 || c === 0x0a || c === 0x0d ? value : undefined;
}

const TEXT_MAX_LENGTH = 200;

/** A string of ASCII without escapes. */
export function readText(bytes: Uint8Array, start: number): string | undefined {
  if (bytes[start] !== QUOTE) return undefined;
  let text = "";
  for (let at = start + 1; at < bytes.length && text.length <= TEXT_MAX_LENGTH; at += 1) {
    const c = bytes[at] as number;
    if (c === QUOTE) return text;
    if (c === BACKSLASH || c > 0x7e) return undefined;
    text += String.fromCharCode(c);
  }
  return undefined;
}

/** The one value of a key; none where it stands with several values, or could not be read. */
function onlyOne(values: readonly string[]): string | undefined {
  const [first] = values;
  return first !== undefined && first.trim() !== "" && values.every((value) => value === first) ? first : undefined;
}

/** Short strings are walked, long ones (messages) searched. */
const WALKED_MAX = 48;

function endOfString(bytes: Uint8Array, start: number): number {
  const limit = Math.min(bytes.length, start + WALKED_MAX);
  let at = start + 1;
  for (; at < limit; at += 1) {
    const c = bytes[at];
    if (c === QUOTE) return at;
    if (c === BACKSLASH) at += 1;
  }
  for (let end = bytes.indexOf(QUOTE, at); end !== -1; end = bytes.indexOf(QUOTE, end + 1)) {
    let slashes = 0;
    while (end - 1 - slashes >= at && bytes[end - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

/** The place of the next byte that is no blank. */
export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; at < bytes.length; at += 1) {
    const c = bytes[at];
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
  }
  return at;
}
