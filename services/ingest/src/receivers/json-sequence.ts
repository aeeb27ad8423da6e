/**
 * JSON values one after another, with or without line breaks between them, as Splunk's HEC takes them. Finds where each
 * begins and ends without parsing, so that nesting and size are bounded before a parser sees them.
 */
import { type Decoded, failure, success } from "@culprit/model";

/** Levels of nesting that are parsed. */
export const DEPTH_MAX = 64;

export interface JsonPiece {
  /** Byte offsets in the body. */
  readonly start: number;
  readonly end: number;
  readonly object: Decoded<Readonly<Record<string, unknown>>>;
}

const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const OPEN_BRACE = 0x7b;

/**
 * The objects of a body in order. What is no object runs to the next line, and is a failure with line and column; an object
 * that is cut off ends where a later line begins with `{`.
 */
export function* jsonObjects(body: Uint8Array): Generator<JsonPiece, void, void> {
  let at = startOf(body);
  while (at < body.length) {
    const { end, depth } = body[at] === OPEN_BRACE ? endOfObject(body, at) : { end: endOfLine(body, at), depth: 0 };
    yield { start: at, end, object: parse(body, { start: at, end, depth }) };
    at = nextSolid(body, end);
  }
}

/** The one object that a body is, integers beyond 2^53 as the text that stood there. Errors: as those of a piece. */
export function soleObject(body: Uint8Array): JsonPiece["object"] {
  const start = startOf(body);
  if (body[start] !== OPEN_BRACE) return failure("json.not-an-object", "a JSON object is expected", start);
  const { end, depth } = endOfObject(body, start);
  const after = nextSolid(body, end);
  if (after < body.length) {
    const { line, column } = placeOf(body, after);
    return failure("json.syntax", `line ${line}, column ${column}: nothing may follow the object`, after);
  }
  return parse(body, { start, end, depth, exact: true });
}

function startOf(body: Uint8Array): number {
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return nextSolid(body, hasMark ? 3 : 0);
}

function nextSolid(body: Uint8Array, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === 0x20 || byte === LF || byte === 0x0d || byte === 0x09; byte = body[at]) at += 1;
  return at;
}

function endOfLine(body: Uint8Array, from: number): number {
  const end = body.indexOf(LF, from);
  return end === -1 ? body.length : end;
}

function endOfObject(body: Uint8Array, start: number): { end: number; depth: number } {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = start; at < body.length; at += 1) {
    const byte = body[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
      // No string runs over a line break, so the object was cut off here.
      else if (byte === LF) return { end: at, depth: deepest };
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (CLOSING.has(byte)) {
      depth -= 1;
      if (depth === 0) return { end: at + 1, depth: deepest };
    }
  }
  // It never ends: give up its first line only, so that what follows is still read.
  return { end: endOfLine(body, start), depth: deepest };
}

function parse(
  body: Uint8Array,
  { start, end, depth, exact = false }: { start: number; end: number; depth: number; exact?: boolean },
): JsonPiece["object"] {
  if (depth > DEPTH_MAX) return failure("json.too-deep", `more than ${DEPTH_MAX} levels of nesting`, start);
  try {
    const text = new TextDecoder().decode(body.subarray(start, end));
    const value: unknown = exact && BARE_LONG_NUMBER.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return success(value as Record<string, unknown>);
    }
    return failure("json.not-an-object", "a JSON object is expected", start);
  } catch (error) {
    const { line, column } = placeOf(body, start);
    const detail = error instanceof Error ? error.message : String(error);
    return failure("json.syntax", `line ${line}, column ${column}: ${detail}`, start);
  }
}

const BARE_LONG_NUMBER = /[:[,\s]-?\d{16}/;

function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isInexact = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact ? (context?.source ?? value) : value;
}

/** Line and column, counted from 1, of a byte. */
export function placeOf(body: Uint8Array, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = body.indexOf(LF); at !== -1 && at < offset; at = body.indexOf(LF, at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
