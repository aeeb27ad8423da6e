/**
 * Cuts syslog messages out of a TCP stream, in either framing. Chunks in, messages out; memory is bounded by the longest
 * message allowed, never by what a count claims.
 *
 * States: undecided, until the first bytes tell: `57 <13>…` or `57 {…` is octet counting for the whole connection, anything
 * else are lines, ended by LF or by NUL, whichever is seen first. Counted: each message is as long as it says; where no count stands,
 * the text up to the next LF is a message of its own, and where no LF comes either the place is lost. Lines: a line that
 * begins with a priority begins a message, and lines without one go on with it, because a Windows message of several lines is
 * split by this framing; the last message is therefore held until the next begins or the connection is quiet.
 *
 * A connection keeps its framing: a text could else pretend to be a count and swallow the messages after it.
 * Source: RFC 6587 section 3.4, FORMATS.md section 6, RELIABILITY B33, B34.
 */
import { ByteQueue } from "../streams/byte-queue.ts";

export interface SyslogMessage {
  readonly bytes: Uint8Array;
  /** It was longer than is allowed. */
  readonly isCut: boolean;
}

/**
 * What was wrong with the framing.
 * @internal
 */
export type FramingTrouble = "bad-count" | "mixed-framing" | "cut" | "lost";

export interface SyslogFramerOptions {
  readonly messageMaxBytes: number;
  onTrouble(trouble: FramingTrouble): void;
}

const LF = 0x0a;
const CR = 0x0d;
const NUL = 0x00;
const SPACE = 0x20;
const LESS = 0x3c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** `9999999999 <`: as much as is looked at to know the framing. */
const COUNT_DIGITS_MAX = 10;
/** A message may be so many times too long and is still passed over by its count; above, the count is a lie. */
const OVERLONG_MAX = 16;
const EVENT_ENDS = ["</Event>", "</Events>"];

export class SyslogFramer {
  readonly #options: SyslogFramerOptions;
  readonly #queue = new ByteQueue();
  #framing: "undecided" | "counted" | "lines" = "undecided";
  #lineEnd: number | undefined;
  /** Bytes at the front of the queue without a line end. */
  #scanned = 0;
  /** Bytes of an overlong message still to be passed over; `line` for the rest of a line. */
  #passing: number | "line" = 0;
  #held:
    | { readonly lines: Uint8Array[]; size: number; readonly goesOn: "priority" | "markup" | "object"; isCut: boolean }
    | undefined;
  #isLost = false;

  constructor(options: SyslogFramerOptions) {
    this.#options = options;
  }

  /** Whether a whole message waits for lines that may go on with it. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** Whether it is not known any more where messages begin: the connection is of no use. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Bytes in memory. */
  get size(): number {
    return this.#queue.length + (this.#held?.size ?? 0);
  }

  /** The messages that a chunk completes. */
  push(chunk: Uint8Array): SyslogMessage[] {
    const messages: SyslogMessage[] = [];
    this.#queue.add(chunk);
    while (this.#step(messages));
    return messages;
  }

  /** The connection is quiet: what is held is whole. */
  lull(): SyslogMessage[] {
    return this.#release();
  }

  /** The connection has ended: what is left is a message too. */
  end(): SyslogMessage[] {
    const messages: SyslogMessage[] = [];
    if (this.#passing === 0 && this.#queue.length > 0) {
      const rest = this.#queue.take(this.#queue.length);
      if (this.#framing === "counted") messages.push({ bytes: rest, isCut: true });
      else this.#line(rest, { isCut: false, messages });
    }
    return [...messages, ...this.#release()];
  }

  /** One move; false where more bytes are needed. */
  #step(messages: SyslogMessage[]): boolean {
    if (this.#queue.length === 0 || this.#isLost) return false;
    if (this.#passing !== 0) return this.#passOver();
    if (this.#framing === "undecided") return this.#decide();
    return this.#framing === "counted" ? this.#counted(messages) : this.#nextLine(messages);
  }

  #passOver(): boolean {
    if (this.#passing === "line") {
      const end = this.#queue.bytes.indexOf(this.#lineEnd ?? LF);
      this.#queue.drop(end === -1 ? this.#queue.length : end + 1);
      if (end !== -1) this.#passing = 0;
      return end !== -1;
    }
    const passed = Math.min(this.#passing, this.#queue.length);
    this.#queue.drop(passed);
    this.#passing -= passed;
    return true;
  }

  #decide(): boolean {
    this.#dropBlanks();
    const count = readCount(this.#queue.bytes);
    if (count === "incomplete") return false;
    const first = count === undefined ? undefined : this.#queue.bytes[count.after];
    this.#framing = first === LESS || first === OPEN_BRACE ? "counted" : "lines";
    return true;
  }

  #counted(messages: SyslogMessage[]): boolean {
    this.#dropBlanks();
    const count = readCount(this.#queue.bytes);
    if (count === "incomplete") return false;
    const { messageMaxBytes, onTrouble } = this.#options;
    if (count === undefined || count.value > messageMaxBytes * OVERLONG_MAX)
      return this.#uncounted(messages, count !== undefined);
    const kept = Math.min(count.value, messageMaxBytes);
    if (this.#queue.length < count.after + kept) return false;
    this.#queue.drop(count.after);
    messages.push({ bytes: this.#queue.take(kept), isCut: kept < count.value });
    this.#passing = count.value - kept;
    if (this.#passing > 0) onTrouble("cut");
    return true;
  }

  /** No count where one should stand: the text up to the next LF is one message. */
  #uncounted(messages: SyslogMessage[], isBadCount: boolean): boolean {
    const { messageMaxBytes, onTrouble } = this.#options;
    const end = this.#findLineEnd(LF);
    if (end === -1 && this.#queue.length <= messageMaxBytes) return false;
    if (end === -1) {
      messages.push({ bytes: this.#queue.take(messageMaxBytes), isCut: true });
      this.#isLost = true;
      onTrouble("lost");
      return false;
    }
    onTrouble(isBadCount ? "bad-count" : "mixed-framing");
    const kept = Math.min(end, messageMaxBytes);
    messages.push({ bytes: withoutReturn(this.#queue.take(kept)), isCut: kept < end });
    this.#queue.drop(end - kept + 1);
    this.#scanned = 0;
    return true;
  }

  #nextLine(messages: SyslogMessage[]): boolean {
    const { messageMaxBytes, onTrouble } = this.#options;
    this.#lineEnd ??= firstLineEnd(this.#queue.bytes, this.#scanned);
    const end = this.#lineEnd === undefined ? -1 : this.#findLineEnd(this.#lineEnd);
    if (end === -1 && this.#queue.length <= messageMaxBytes) {
      if (this.#lineEnd === undefined) this.#scanned = this.#queue.length;
      return false;
    }
    const kept = end === -1 ? messageMaxBytes : Math.min(end, messageMaxBytes);
    const isCut = kept !== end;
    if (isCut) onTrouble("cut");
    const bytes = this.#queue.take(kept);
    if (end === -1) this.#passing = "line";
    else this.#queue.drop(end - kept + 1);
    this.#scanned = 0;
    this.#line(bytes, { isCut, messages });
    return true;
  }

  /** The next line end in the queue, each byte looked at once. */
  #findLineEnd(lineEnd: number): number {
    const end = this.#queue.bytes.indexOf(lineEnd, this.#scanned);
    if (end === -1) this.#scanned = this.#queue.length;
    return end;
  }

  #line(raw: Uint8Array, { isCut, messages }: { isCut: boolean; messages: SyslogMessage[] }): void {
    const line = withoutReturn(raw);
    // NUL ends whole messages, whatever line ends they hold.
    if (this.#lineEnd === NUL) {
      if (!isBlank(line)) messages.push({ bytes: line, isCut });
      return;
    }
    for (const { bytes, isLast } of partsOf(line)) {
      const goesOn = continuation(bytes);
      if (goesOn !== "priority" && this.#held !== undefined) {
        if (this.#append(bytes, isCut)) messages.push(...this.#release());
        return;
      }
      messages.push(...this.#release());
      if (isBlank(bytes)) continue;
      if (goesOn === undefined || !isLast) messages.push({ bytes, isCut });
      else this.#held = { lines: [bytes], size: bytes.length, goesOn, isCut };
    }
  }

  /** Adds a line to the message that is held; true where that ends it. */
  #append(line: Uint8Array, isCut: boolean): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    if (held.size + line.length + 1 > this.#options.messageMaxBytes) {
      if (!held.isCut) this.#options.onTrouble("cut");
      held.isCut = true;
    } else if (!held.isCut) {
      held.lines.push(line);
      held.size += line.length + 1;
      held.isCut = isCut;
    }
    if (held.goesOn === "priority") return false;
    return held.goesOn === "markup" ? isEventEnd(line) : line[0] === CLOSE_BRACE;
  }

  #release(): SyslogMessage[] {
    const held = this.#held;
    if (held === undefined) return [];
    this.#held = undefined;
    while (held.lines.length > 1 && isBlank(held.lines.at(-1) ?? BLANK)) held.lines.pop();
    const [only] = held.lines;
    if (held.lines.length === 1 && only !== undefined) return [{ bytes: only, isCut: held.isCut }];
    const joined = Buffer.concat(held.lines.flatMap((line) => [line, LINE_BREAK]));
    return [{ bytes: joined.subarray(0, -1), isCut: held.isCut }];
  }

  #dropBlanks(): void {
    const { bytes } = this.#queue;
    let blanks = 0;
    while (isBlankByte(bytes[blanks])) blanks += 1;
    this.#queue.drop(blanks);
    if (blanks > 0) this.#scanned = 0;
  }
}

const LINE_BREAK = Uint8Array.of(LF);
const BLANK = new Uint8Array(0);

/** `57 ` at the front; `incomplete` while it may still become one. */
function readCount(bytes: Uint8Array): { readonly value: number; readonly after: number } | "incomplete" | undefined {
  let value = 0;
  for (let at = 0; at <= COUNT_DIGITS_MAX; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return "incomplete";
    if (byte === SPACE && at > 0) return bytes.length > at + 1 ? { value, after: at + 1 } : "incomplete";
    if (!isDigit(byte) || (at === 0 && byte === 0x30)) return undefined;
    value = value * 10 + byte - 0x30;
  }
  return undefined;
}

/** The length of `<13>` at a place, 0 where none stands there. */
function priorityLength(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== LESS) return 0;
  let end = at + 1;
  while (isDigit(bytes[end]) && end - at <= 3) end += 1;
  return end > at + 1 && bytes[end] === 0x3e ? end + 1 - at : 0;
}

/** How lines may go on with one that begins so; `undefined` where it is whole by itself. */
function continuation(line: Uint8Array): "priority" | "markup" | "object" | undefined {
  const count = readCount(line);
  const at = typeof count === "object" ? count.after : 0;
  if (priorityLength(line, at) > 0) return "priority";
  if (line[0] === LESS) return isEventEnd(line) ? undefined : "markup";
  return line[0] === OPEN_BRACE && line.length === 1 ? "object" : undefined;
}

/**
 * A line that begins with counts: the messages that it holds one after the other, where each ends exactly where the next
 * count stands. A count never reaches over the end of its line.
 */
function* partsOf(line: Uint8Array): Generator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  let at = 0;
  for (;;) {
    const rest = line.subarray(at);
    const count = readCount(rest);
    if (typeof count !== "object" || priorityLength(rest, count.after) === 0) break;
    const end = count.after + count.value;
    const next = readCount(rest.subarray(end));
    if (end >= rest.length || typeof next !== "object" || priorityLength(rest, end + next.after) === 0) break;
    yield { bytes: rest.subarray(count.after, end), isLast: false };
    at += end;
  }
  yield { bytes: line.subarray(at), isLast: true };
}

function firstLineEnd(bytes: Buffer, from: number): number | undefined {
  const [lf, nul] = [bytes.indexOf(LF, from), bytes.indexOf(NUL, from)];
  if (lf === -1 && nul === -1) return undefined;
  return lf === -1 || (nul !== -1 && nul < lf) ? NUL : LF;
}

function isEventEnd(line: Uint8Array): boolean {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  return EVENT_ENDS.some((end) => bytes.includes(end));
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isBlankByte(byte: number | undefined): boolean {
  return byte === LF || byte === CR || byte === NUL || byte === SPACE || byte === 0x09;
}

function isBlank(line: Uint8Array): boolean {
  return line.every(isBlankByte);
}
