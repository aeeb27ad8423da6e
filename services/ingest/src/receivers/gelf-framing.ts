/**
 * Cuts GELF messages out of a TCP stream: each ends with NUL, or with LF where its JSON object is complete. Chunks in,
 * messages out.
 *
 * A message that is too long is given cut, and the rest of it passed over. Source: FORMATS.md section 7.
 */
import { ByteQueue } from "../streams/byte-queue.ts";

export interface GelfMessage {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

const NUL = 0x00;
const LF = 0x0a;
const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class GelfFramer {
  readonly #messageMaxBytes: number;
  readonly #queue = new ByteQueue();
  /** Bytes of the queue that were looked at, and what they left open. */
  #scanned = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #isPassing = false;

  constructor(messageMaxBytes: number) {
    this.#messageMaxBytes = messageMaxBytes;
  }

  /** Bytes in memory. */
  get size(): number {
    return this.#queue.length;
  }

  /** The messages that a chunk completes. */
  push(chunk: Uint8Array): GelfMessage[] {
    this.#queue.add(chunk);
    const messages: GelfMessage[] = [];
    for (let end = this.#messageEnd(); end !== undefined; end = this.#messageEnd()) {
      this.#give(this.#queue.take(end), { isCut: false, messages });
      this.#queue.drop(1);
      this.#begin();
      this.#isPassing = false;
    }
    if (this.#queue.length > this.#messageMaxBytes || this.#isPassing) {
      this.#give(this.#queue.take(this.#queue.length), { isCut: true, messages });
      this.#isPassing = true;
      this.#scanned = 0;
    }
    return messages;
  }

  /** The connection has ended: what is left is a message too. */
  end(): GelfMessage[] {
    const messages: GelfMessage[] = [];
    this.#give(this.#queue.take(this.#queue.length), { isCut: false, messages });
    return messages;
  }

  #begin(): void {
    this.#scanned = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#isEscaped = false;
  }

  #give(bytes: Uint8Array, { isCut, messages }: { isCut: boolean; messages: GelfMessage[] }): void {
    if (this.#isPassing || bytes.every((byte) => byte <= 0x20)) return;
    const kept = bytes.subarray(0, this.#messageMaxBytes);
    messages.push({ bytes: kept, isCut: isCut || kept.length < bytes.length });
  }

  /** Where the message at the front ends; each byte is looked at once. */
  #messageEnd(): number | undefined {
    const { bytes } = this.#queue;
    for (let at = this.#scanned; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === NUL || (byte === LF && (this.#depth <= 0 || this.#inString))) return at;
      if (byte === LF) {
        // An object that was cut off ends where a line begins the next one; no string runs over a line break either.
        const next = bytes[at + 1];
        if (next === OPEN_BRACE) return at;
        if (next === undefined) {
          this.#scanned = at;
          return undefined;
        }
      }
      this.#look(byte);
    }
    this.#scanned = bytes.length;
    return undefined;
  }

  #look(byte: number | undefined): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === QUOTE) this.#inString = !this.#inString;
    else if (this.#inString) this.#isEscaped = byte === BACKSLASH;
    else if (byte === OPEN_BRACE || byte === 0x5b) this.#depth += 1;
    else if (byte === 0x7d || byte === 0x5d) this.#depth -= 1;
  }
}
