/**
 * Where markup in a byte stream begins and ends an event, without reading it. Used by the framer only.
 *
 * States of `endOfEvent`: in content the scan hops from `<` to `<`; in a tag it runs to the `>` that stands outside
 * quotes. CDATA and comments are passed over whole. A quoted value that is broken off by a line with a new `<Event` ends
 * the record: the attribute was cut. A document type and the element that it stands before are one record, so that they
 * are refused together.
 */
import type { UnitEnd } from "./framing.ts";

export type Markup =
  | { readonly kind: "event"; readonly start: number }
  /** Declarations, comments, end tags and elements that only hold others: passed over. */
  | { readonly kind: "wrapper"; readonly end: number }
  | { readonly kind: "none" }
  | "incomplete";

const LESS = 0x3c;
const GREATER = 0x3e;
const LF = 0x0a;
const AMPERSAND = 0x26;
const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const NAME_SAMPLE_BYTES = 64;
const WRAPPER_MAX_BYTES = 4096;
/** Elements that begin an event: the event itself, or what is left of one whose beginning was lost. */
const EVENT_NAMES = new Set(["Event", "System", "Provider", "EventID"]);
const ESCAPED_EVENT = "&lt;Event ";
const ESCAPED_END = "&lt;/Event&gt;";
const CLIXML = "Objs";
const PREFIX_OF_TAG = /^<([\w.-]{1,30}:)/;
const NAME_OF_TAG = /^<((?:[\w.-]{1,30}:)?[A-Za-z_][\w.-]{0,60})(?=[\s/>]|$)/;

const NONE: Markup = { kind: "none" };
const LATIN = new TextDecoder("latin1");

/** What the `<`, `- <` or `&lt;` at `at` begins. */
export function markupAt(bytes: Uint8Array, at: number, last: boolean): Markup {
  const sample = LATIN.decode(bytes.subarray(at, at + NAME_SAMPLE_BYTES));
  if (!last && bytes.length - at < NAME_SAMPLE_BYTES) return "incomplete";
  const dash = /^-\s{0,8}(?=<|&lt;)/.exec(sample)?.[0].length ?? 0;
  const text = sample.slice(dash);
  const start = at + dash;
  if (text.startsWith("&lt;")) {
    return /^&lt;(?:Event|System)[\s&/]/.test(text) ? { kind: "event", start } : NONE;
  }
  if (/^<!DOCTYPE/i.test(text)) return { kind: "event", start };
  if (text.startsWith("<!--")) return until(bytes, start, "-->", last);
  if (text.startsWith("<?")) return until(bytes, start, "?>", last);
  const name = /^<\/?(?:[\w.-]{1,30}:)?([A-Za-z_][\w.-]{0,60})(?=[\s/>]|$)/.exec(text)?.[1];
  if (name === undefined) return NONE;
  if (text.startsWith("</")) return until(bytes, start, ">", last);
  if (EVENT_NAMES.has(name) || name === CLIXML) return { kind: "event", start };
  return wrapper(bytes, start, last);
}

/** An element that is followed by markup only wraps it; one that is followed by text is a line of text. */
function wrapper(bytes: Uint8Array, start: number, last: boolean): Markup {
  const end = endOfTag(bytes, start);
  if (end === -1) return last || bytes.length - start > WRAPPER_MAX_BYTES ? NONE : "incomplete";
  let next = end;
  while (next < bytes.length && (bytes[next] as number) <= 0x20) next += 1;
  if (next === bytes.length && !last) return "incomplete";
  return next < bytes.length && bytes[next] === LESS ? { kind: "wrapper", end } : NONE;
}

/** A declaration or comment up to its mark; one that does not end in the same piece of 4 KiB is text. */
function until(bytes: Uint8Array, start: number, mark: string, last: boolean): Markup {
  const end = LATIN.decode(bytes.subarray(start, start + WRAPPER_MAX_BYTES)).indexOf(mark);
  if (end !== -1) return { kind: "wrapper", end: start + end + mark.length };
  return last || bytes.length - start >= WRAPPER_MAX_BYTES ? NONE : "incomplete";
}

/** The end of the event, of the Clixml document, or of the document with a type, that begins at `start`. */
export function endOfEvent(bytes: Uint8Array, start: number, last: boolean): UnitEnd {
  if (bytes[start] !== LESS) return endOfEscaped(bytes, start, last);
  if (bytes[start + 1] === EXCLAMATION) return endOfTyped(bytes, start, last);
  return endOfElement(bytes, start, last);
}

/** A document type runs to the end of the element after it, whatever its name is. */
function endOfTyped(bytes: Uint8Array, start: number, last: boolean): UnitEnd {
  const typeEnd = endOfDoctype(bytes, start);
  const at = typeEnd === -1 ? -1 : bytes.indexOf(LESS, typeEnd);
  const sample = at === -1 ? "" : LATIN.decode(bytes.subarray(at, at + NAME_SAMPLE_BYTES));
  if (!last && sample.length < NAME_SAMPLE_BYTES) return "incomplete";
  const name = NAME_OF_TAG.exec(sample)?.[1];
  if (name === undefined) return { end: at === -1 ? bytes.length : at, shape: "xml" };
  if (EVENT_NAMES.has(name)) return endOfElement(bytes, at, last);
  const close = find(bytes, `</${name}`, at);
  const end = close === -1 ? -1 : bytes.indexOf(GREATER, close);
  if (end !== -1) return { end: end + 1, shape: "xml" };
  return last ? { end: bytes.length, shape: "xml" } : "incomplete";
}

function isDoctype(bytes: Uint8Array, at: number): boolean {
  return /^<!DOCTYPE/i.test(LATIN.decode(bytes.subarray(at, at + 9)));
}

/** Index after the `>` that stands outside quotes, comments and the brackets of the declarations inside; -1 without one. */
function endOfDoctype(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const c = bytes[at] as number;
    if (c === 0x22 || c === 0x27) {
      at = bytes.indexOf(c, at + 1);
      if (at === -1) return -1;
    } else if (c === LESS && matches(bytes, at, "<!--")) {
      at = after(bytes, at, "-->") - 1;
      if (at < 0) return -1;
    } else if (c === LESS) depth += 1;
    else if (c === GREATER) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function endOfElement(bytes: Uint8Array, start: number, last: boolean): UnitEnd {
  const prefix = PREFIX_OF_TAG.exec(LATIN.decode(bytes.subarray(start, start + NAME_SAMPLE_BYTES)))?.[1] ?? "";
  const opening = `${prefix}Event`;
  const closing = isTag(bytes, start, CLIXML) ? "/Objs" : `/${opening}`;
  const initial = opening.charCodeAt(0);
  let at = start;
  let first = true;
  while (at !== -1 && at < bytes.length) {
    const letter = bytes[at + 1];
    if (letter === EXCLAMATION && matches(bytes, at, "<![CDATA[")) at = after(bytes, at, "]]>");
    else if (letter === EXCLAMATION && matches(bytes, at, "<!--")) at = after(bytes, at, "-->");
    else if (letter === EXCLAMATION && isDoctype(bytes, at)) at = endOfDoctype(bytes, at);
    else {
      const isEvent = letter === initial && isTag(bytes, at, opening);
      if (isEvent && !first && closing !== "/Objs") return { end: at, shape: "xml" };
      const end = endOfTag(bytes, at);
      if (end < -1) return { end: -end, shape: "xml" };
      if (end === -1) break;
      if (letter === SLASH && isTag(bytes, at, closing)) return { end, shape: "xml" };
      // `<Event/>` holds nothing, and ends at once.
      if (isEvent && first && bytes[end - 2] === SLASH) return { end, shape: "xml" };
      at = end;
    }
    first = false;
    if (at !== -1) at = bytes.indexOf(LESS, at);
  }
  return last ? { end: bytes.length, shape: "xml" } : "incomplete";
}

/** `&lt;Event` runs to `&lt;/Event&gt;`, or to the next `&lt;Event`. */
function endOfEscaped(bytes: Uint8Array, start: number, last: boolean): UnitEnd {
  for (let at = bytes.indexOf(AMPERSAND, start + 1); at !== -1; at = bytes.indexOf(AMPERSAND, at + 1)) {
    if (matches(bytes, at, ESCAPED_END)) return { end: at + ESCAPED_END.length, shape: "xml" };
    if (matches(bytes, at, ESCAPED_EVENT)) return { end: at, shape: "xml" };
  }
  return last ? { end: bytes.length, shape: "xml" } : "incomplete";
}

/**
 * Index after the `>` of the tag at `at`; -1 where it does not end; the negative index of a new `<Event` where that
 * begins on a line of its own inside the tag.
 */
function endOfTag(bytes: Uint8Array, at: number): number {
  let quote = 0;
  for (let i = at + 1; i < bytes.length; i += 1) {
    const c = bytes[i] as number;
    if (c === LESS) {
      if (quote === 0) return i;
      if (bytes[i - 1] === LF && isTag(bytes, i, "Event")) return -i;
    } else if (quote !== 0) {
      if (c === quote) quote = 0;
    } else if (c === 0x22 || c === 0x27) {
      // A quote opens a value only after `=`; elsewhere it is a stray character.
      if (isAfterEquals(bytes, i)) quote = c;
    } else if (c === GREATER) return i + 1;
  }
  return -1;
}

function isAfterEquals(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while (before > 0 && (bytes[before] as number) <= 0x20) before -= 1;
  return bytes[before] === 0x3d;
}

function isTag(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (bytes[at + 1 + i] !== name.charCodeAt(i)) return false;
  const c = bytes[at + 1 + name.length];
  // At the end of what has come, `<Event` may still become `<EventRecordID`.
  return c !== undefined && (c <= 0x20 || c === GREATER || c === 0x2f);
}

function matches(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function after(bytes: Uint8Array, at: number, mark: string): number {
  const found = find(bytes, mark, at);
  return found === -1 ? -1 : found + mark.length;
}

function find(bytes: Uint8Array, mark: string, from: number): number {
  const first = mark.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (matches(bytes, at, mark)) return at;
  }
  return -1;
}
