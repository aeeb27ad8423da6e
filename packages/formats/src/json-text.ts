/**
 * JSON as it arrives: hostile, deep, with 64-bit numbers and keys given twice. Text in, a parsed value and what was odd
 * about it out.
 *
 * Integers beyond 2^53 and numbers that overflow a double come out as the text that stood there, so a record id of
 * 18446744073709551615 is kept exactly. `__proto__` is a plain own key, as `JSON.parse` makes it: read values with
 * `fieldOf`, never with a dot.
 */
import { type Decoded, failure, success } from "@culprit/model";

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Levels of nesting that a record may have; real ones stay under 20. */
const JSON_DEPTH_MAX = 64;
/** Keys that one object may have; an envelope may hold many objects. */
const JSON_KEYS_MAX = 10_000;

export interface ParsedJson {
  readonly value: JsonValue;
  readonly marks: readonly string[];
}

/**
 * Parses one JSON text.
 * Errors: `json.too-deep`, `json.too-many-keys`, `json.syntax` with line and column.
 */
export function parseJson(text: string): Decoded<ParsedJson> {
  const seen = scan(text);
  if (seen.depth > JSON_DEPTH_MAX) return failure("json.too-deep", `more than ${JSON_DEPTH_MAX} levels of nesting`);
  try {
    const value = (seen.exactNumbers ? JSON.parse(text, keepExact) : JSON.parse(text)) as JsonValue;
    const size = { keys: 0, widest: 0 };
    measure(value, size);
    if (size.widest > JSON_KEYS_MAX) {
      return failure("json.too-many-keys", `${size.widest} keys in one object, at most ${JSON_KEYS_MAX} are read`);
    }
    return success({ value, marks: size.keys < seen.keys ? ["duplicate-key"] : [] });
  } catch (error) {
    return failure("json.syntax", describe(text, error));
  }
}

/** A field of an object by exact name; `undefined` for anything that is not an own field. */
export function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
  return value[name];
}

/** A field reached through nested objects, or through one key with dots (`"winlog.channel"`), as some exporters write it. */
export function pathOf(value: JsonValue | undefined, path: string): JsonValue | undefined {
  const flat = fieldOf(value, path);
  if (flat !== undefined) return flat;
  let dot = path.indexOf(".");
  while (dot !== -1) {
    const head = fieldOf(value, path.slice(0, dot));
    if (head !== undefined) {
      const found = pathOf(head, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
    dot = path.indexOf(".", dot + 1);
  }
  return undefined;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A scalar as text; `undefined` for null, objects and arrays. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return undefined;
}

/** Any value as data text: scalars as they are, null as "", the rest as JSON. */
export function dataText(value: JsonValue | undefined): string {
  return textOf(value) ?? (value === null || value === undefined ? "" : JSON.stringify(value));
}

interface Scan {
  readonly depth: number;
  readonly keys: number;
  readonly exactNumbers: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DIGITS_EXACT_MAX = 15;

/** One pass over the text, strings skipped: nesting, number of keys, and whether a number needs its text kept. */
function scan(text: string): Scan {
  let depth = 0;
  let deepest = 0;
  let keys = 0;
  let digits = 0;
  let exactNumbers = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c >= 0x30 && c <= 0x39) {
      digits += 1;
      if (digits > DIGITS_EXACT_MAX) exactNumbers = true;
      continue;
    }
    // 1e400 overflows; "e" also stands in true and false, where no digit precedes it.
    if ((c === 0x65 || c === 0x45) && digits > 0) exactNumbers = true;
    digits = 0;
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === 0x3a) keys += 1;
    else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return { depth: deepest, keys, exactNumbers };
}

/** Index of the quote that ends the string which opens at `start`; the text's length when none does. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Counts all keys, and those of the widest object. Depth has been checked before. */
function measure(value: JsonValue, size: { keys: number; widest: number }): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) measure(item, size);
    return;
  }
  const keys = Object.keys(value);
  size.keys += keys.length;
  if (keys.length > size.widest) size.widest = keys.length;
  for (const key of keys) measure(value[key] as JsonValue, size);
}

/** Numbers that a double does not hold exactly become their text (JSON.parse source text access, ES2026). */
function keepExact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  if (!Number.isFinite(value)) return context.source;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? context.source : value;
}

/** Line and column where V8 says so, else what it says. */
function describe(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const at = /position (\d+)/.exec(message);
  if (at === null) return message.slice(0, 120);
  const position = Number(at[1]);
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const column = position - before.lastIndexOf("\n");
  return `not JSON at line ${line}, column ${column}`;
}
