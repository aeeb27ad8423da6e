/**
 * Cuts a stream of ASCII-like bytes into records without reading them: JSON objects (a line each, pretty-printed,
 * concatenated, or the items of an array), event elements, and lines of text. Chunks in, frames out; memory is bounded by
 * the longest record allowed.
 *
 * States: between records, blanks are passed over, and so are the brackets and commas of a JSON array, XML declarations
 * and elements that only wrap events. `{` begins a JSON object, which ends at the brace that closes it outside strings. A
 * line break inside a string, or a line that begins with `{"` while a one-line object is open, means that the object was
 * cut off: it ends there, and the next line begins a record. `<Event` begins an event element, which ends after its
 * `</Event>` outside quotes and CDATA, or where the next `<Event` begins. Everything else is a line of text.
 */
import { endOfEvent, markupAt } from "./xml-framing.ts";

export interface Frame {
  readonly shape: "json" | "xml" | "text" | "too-long";
  readonly bytes: Uint8Array;
  /** Byte offset of the frame in the input. */
  readonly offset: number;
  /** Empty lines that stand before it; they belong to a text that goes on. */
  readonly emptyLines: number;
}

/** Longest record that is read; envelopes of many events count as one. */
export const RECORD_MAX_BYTES = 32 * 1024 * 1024;
/** Longest line of text; a longer one is cut into pieces of this size. */
const LINE_MAX_BYTES = 1024 * 1024;

const LF = 0x0a;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const LESS = 0x3c;
const LITTLE_BYTES = 16 * 1024;
/** How much of a record that is too long is shown. */
const SAMPLE_BYTES = 256;
const EMPTY = new Uint8Array(0);

export interface FramerOptions {
  /** Only lines: for files known to be text logs. */
  readonly linesOnly?: boolean;
  readonly recordMaxBytes?: number;
}

/** Where a scan ended: after a whole unit, or nowhere yet. */
export type UnitEnd = { readonly end: number; readonly shape: Frame["shape"] | "wrapper" } | "incomplete";

/** Cuts records out of chunks as they come. */
export class Framer {
  readonly #linesOnly: boolean;
  readonly #recordMax: number;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Position in the input of the first byte kept. */
  #offset = 0;
  /** Bytes that must be there before another look at an unfinished record pays; grows with it, so the work stays linear. */
  #wanted = 1;
  #arrayDepth = 0;
  /** Passing over the rest of a line or record that was too long. */
  #skipping = false;
  #lineBreaks = 1;
  /** The last line break found in the bytes at hand. */
  #lineEnd = -1;

  constructor(options: FramerOptions = {}) {
    this.#linesOnly = options.linesOnly ?? false;
    this.#recordMax = options.recordMaxBytes ?? RECORD_MAX_BYTES;
  }

  /** Whole records that the chunk completes. The chunk is not changed, and not kept longer than its records. */
  push(chunk: Uint8Array): Frame[] {
    if (chunk.length === 0) return [];
    this.#pieces.push(chunk);
    this.#pieceBytes += chunk.length;
    // While little is kept, every chunk is looked at, so that a record of a live stream does not wait for the next one.
    return this.#pieceBytes < this.#wanted && this.#pieceBytes > LITTLE_BYTES ? [] : this.#cut(false);
  }

  /** The rest of the input as records. */
  end(): Frame[] {
    return this.#cut(true);
  }

  /** Whether it is between records, with nothing kept, so that a line may be left out. */
  get isIdle(): boolean {
    return this.#pieceBytes === 0 && !this.#skipping && this.#arrayDepth === 0;
  }

  /** Leaves out lines of the input that hold one record each. Only while it is idle. */
  leaveOut(length: number): void {
    this.#offset += length;
    this.#lineBreaks = 1;
  }

  #cut(last: boolean): Frame[] {
    const bytes = this.#joined();
    this.#lineEnd = bytes.indexOf(LF);
    const frames: Frame[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#skipping) {
        const next = bytes.indexOf(LF, at);
        this.#skipping = next === -1;
        at = next === -1 ? bytes.length : next + 1;
        continue;
      }
      at = this.#betweenRecords(bytes, at, last);
      if (at >= bytes.length) break;
      const unit = this.#unit(bytes, at, last);
      if (unit === "incomplete") {
        if (bytes.length - at <= this.#recordMax) break;
        frames.push(this.#frame("too-long", bytes.subarray(at, at + SAMPLE_BYTES), at));
        this.#skipping = true;
        continue;
      }
      if (unit.end - at > this.#recordMax)
        frames.push(this.#frame("too-long", bytes.subarray(at, at + SAMPLE_BYTES), at));
      else if (unit.end > at && unit.shape !== "wrapper") {
        frames.push(this.#frame(unit.shape, bytes.subarray(at, unit.end), at));
      }
      at = Math.max(unit.end, at + 1);
    }
    this.#keep(bytes, Math.min(at, bytes.length));
    return frames;
  }

  #frame(shape: Frame["shape"], bytes: Uint8Array, at: number): Frame {
    const emptyLines = Math.max(0, this.#lineBreaks - 1);
    this.#lineBreaks = 0;
    return { shape, bytes, offset: this.#offset + at, emptyLines };
  }

  #joined(): Uint8Array {
    const [only] = this.#pieces;
    // A Buffer finds a byte several times faster than a plain array does.
    if (this.#pieces.length <= 1) return only === undefined ? EMPTY : asBuffer(only);
    const bytes = Buffer.allocUnsafeSlow(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** Keeps the unfinished rest; a copy, so that the chunk it came in can go. */
  #keep(bytes: Uint8Array, from: number): void {
    const rest = bytes.length - from;
    this.#offset += from;
    this.#pieces = rest === 0 ? [] : [from === 0 ? bytes : new Uint8Array(bytes.subarray(from))];
    this.#pieceBytes = rest;
    this.#wanted = rest + Math.max(1, rest >> 3);
  }

  /** Passes over what stands between records. */
  #betweenRecords(bytes: Uint8Array, start: number, last: boolean): number {
    let at = start;
    for (; at < bytes.length; at += 1) {
      const c = bytes[at] as number;
      if (c === LF) this.#lineBreaks += 1;
      if (isBlank(c) || c === 0 || c === 0x1e) continue;
      if (c === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) {
        at += 2;
      } else if (this.#linesOnly) {
        break;
      } else if (c === OPEN_BRACKET) {
        const next = nextSolid(bytes, at + 1);
        if (next === bytes.length && !last && bytes.length - at < 64) return lineStart(bytes, start, at);
        if (bytes[next] !== OPEN_BRACE && bytes[next] !== OPEN_BRACKET && bytes[next] !== 0x5d) break;
        this.#arrayDepth += 1;
      } else if (c === 0x5d && this.#arrayDepth > 0) {
        this.#arrayDepth -= 1;
      } else if (c !== 0x2c || this.#arrayDepth === 0) break;
    }
    return at < bytes.length ? lineStart(bytes, start, at) : at;
  }

  #unit(bytes: Uint8Array, at: number, last: boolean): UnitEnd {
    if (!this.#linesOnly) {
      const solid = nextSolid(bytes, at);
      const c = bytes[solid];
      if (c === OPEN_BRACE) {
        const end = endOfJson(bytes, solid, this.#nextLineEnd(bytes, solid), last);
        if (end !== "text") return end;
      } else if (c === LESS || c === 0x2d || c === 0x26) {
        const markup = markupAt(bytes, solid, last);
        if (markup === "incomplete") return "incomplete";
        if (markup.kind === "event") return endOfEvent(bytes, markup.start, last);
        if (markup.kind === "wrapper") return { end: markup.end, shape: "wrapper" };
      }
    }
    return endOfLine(bytes, at, this.#nextLineEnd(bytes, at), last);
  }

  /** The next line break, or -1; looked for once for all records of a line, however many they are. */
  #nextLineEnd(bytes: Uint8Array, from: number): number {
    if (this.#lineEnd !== -1 && this.#lineEnd < from) this.#lineEnd = bytes.indexOf(LF, from);
    return this.#lineEnd;
  }
}

function asBuffer(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Indented text keeps its indent: the record begins with its line, unless it is markup or JSON. */
function lineStart(bytes: Uint8Array, start: number, at: number): number {
  const c = bytes[at];
  if (c === OPEN_BRACE || c === LESS) return at;
  let first = at;
  while (first > start && (bytes[first - 1] === 0x20 || bytes[first - 1] === 0x09)) first -= 1;
  return first;
}

function endOfLine(bytes: Uint8Array, at: number, next: number, last: boolean): UnitEnd {
  const end = next === -1 ? bytes.length : next;
  if (end - at > LINE_MAX_BYTES) return { end: at + LINE_MAX_BYTES, shape: "text" };
  if (next === -1 && !last) return "incomplete";
  return { end, shape: "text" };
}

/** The objects that stand one after the other in a frame of JSON, each with its place in it. */
export function splitObjects(bytes: Uint8Array): readonly { readonly bytes: Uint8Array; readonly at: number }[] {
  const objects: { bytes: Uint8Array; at: number }[] = [];
  for (let at = nextSolid(bytes, 0); at < bytes.length; at = nextSolid(bytes, at)) {
    const unit = bytes[at] === OPEN_BRACE ? endOfJson(bytes, at, -1, true) : "text";
    const end = unit === "text" || unit === "incomplete" ? bytes.length : unit.end;
    objects.push({ bytes: bytes.subarray(at, end), at });
    at = end;
  }
  return objects;
}

/**
 * The end of a JSON object that begins at `start`; "text" where a brace does not begin one.
 * The usual line is found by its line break alone: an object that ends its line and is followed by a line that begins
 * with `{"` can only end there, because JSON has no brace after a brace without a comma. Such a line may hold several
 * objects: `splitObjects` parts them.
 */
function endOfJson(bytes: Uint8Array, start: number, lineEnd: number, last: boolean): UnitEnd | "text" {
  const first = nextSolid(bytes, start + 1);
  if (first === bytes.length && !last) return "incomplete";
  if (bytes[first] !== QUOTE && bytes[first] !== 0x7d) return "text";
  const oneLine = first === start + 1;
  if (lineEnd !== -1 && bytes[lineEnd + 1] === OPEN_BRACE && bytes[lineEnd + 2] === QUOTE) {
    if (bytes[lastSolid(bytes, lineEnd)] === 0x7d) return { end: lineEnd, shape: "json" };
  }
  let depth = 0;
  let inString = false;
  for (let at = start; at < bytes.length; at += 1) {
    const c = bytes[at];
    if (inString) {
      if (c === 0x5c) at += 1;
      else if (c === QUOTE) inString = false;
      else if (c === LF) return { end: at, shape: "json" };
    } else if (c === QUOTE) inString = true;
    else if (c === OPEN_BRACE || c === OPEN_BRACKET) depth += 1;
    else if (c === 0x7d || c === 0x5d) {
      depth -= 1;
      if (depth === 0) return { end: at + 1, shape: "json" };
    } else if (c === LF && oneLine && bytes[at + 1] === OPEN_BRACE && bytes[at + 2] === QUOTE) {
      return { end: at, shape: "json" };
    }
  }
  if (!last) return "incomplete";
  return { end: lineEnd === -1 || !oneLine ? bytes.length : lineEnd, shape: "json" };
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === LF || c === 0x0d || c === 0x09;
}

function nextSolid(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isBlank(bytes[at] as number)) at += 1;
  return at;
}

function lastSolid(bytes: Uint8Array, before: number): number {
  let at = before - 1;
  while (at > 0 && isBlank(bytes[at] as number)) at -= 1;
  return at;
}
