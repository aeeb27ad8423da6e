/**
 * The frames of lumberjack version 2 out of a stream of bytes. All integers are big-endian, 32 bits.
 *
 * `2W count` opens a window, `2C length zlib` holds frames, `2J sequence length json` is an event. Nothing is allocated by
 * what a length claims: an event above the limit is passed over and only its beginning kept; a compressed frame above the
 * limit is bad.
 * Source: FORMATS.md section 3.2.
 */
import { ByteQueue } from "../streams/byte-queue.ts";

export type LumberjackFrame =
  | { readonly kind: "window"; readonly count: number }
  | { readonly kind: "compressed"; readonly bytes: Uint8Array }
  | { readonly kind: "event"; readonly sequence: number; readonly bytes: Uint8Array; readonly isCut: boolean }
  /** What no lumberjack sender sends; nothing after it can be read. */
  | { readonly kind: "bad"; readonly detail: string };

export interface FrameLimits {
  readonly recordMaxBytes: number;
  readonly frameMaxBytes: number;
}

const VERSION = 0x32;
const WINDOW = 0x57;
const COMPRESSED = 0x43;
const EVENT = 0x4a;
const SHORT_HEADER = 6;
const EVENT_HEADER = 10;

export class LumberjackReader {
  readonly #limits: FrameLimits;
  readonly #queue = new ByteQueue();
  #passing = 0;
  #isBad = false;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Bytes in memory. */
  get size(): number {
    return this.#queue.length;
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#queue.length > 0 || this.#passing > 0;
  }

  /** The frames that a chunk completes; nothing after a bad one. */
  *push(chunk: Uint8Array): Generator<LumberjackFrame, void, void> {
    this.#queue.add(chunk);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) yield frame;
  }

  #next(): LumberjackFrame | undefined {
    if (this.#isBad || !this.#passOver()) return undefined;
    const { bytes } = this.#queue;
    const [version, kind] = bytes;
    if (version === undefined) return undefined;
    if (version !== VERSION) return this.#bad(`version byte 0x${version.toString(16)}`);
    if (bytes.length < SHORT_HEADER) return undefined;
    const number = bytes.readUInt32BE(2);
    switch (kind) {
      case WINDOW:
        this.#queue.drop(SHORT_HEADER);
        return { kind: "window", count: number };
      case COMPRESSED:
        if (number > this.#limits.frameMaxBytes) return this.#bad(`a compressed frame of ${number} bytes`);
        if (bytes.length < SHORT_HEADER + number) return undefined;
        this.#queue.drop(SHORT_HEADER);
        return { kind: "compressed", bytes: this.#queue.take(number) };
      case EVENT:
        return bytes.length < EVENT_HEADER ? undefined : this.#event(number, bytes.readUInt32BE(SHORT_HEADER));
      default:
        return this.#bad(`frame type 0x${(kind ?? 0).toString(16)}`);
    }
  }

  #event(sequence: number, length: number): LumberjackFrame | undefined {
    const kept = Math.min(length, this.#limits.recordMaxBytes);
    if (this.#queue.length < EVENT_HEADER + kept) return undefined;
    this.#queue.drop(EVENT_HEADER);
    this.#passing = length - kept;
    return { kind: "event", sequence, bytes: this.#queue.take(kept), isCut: kept < length };
  }

  /** Passes over the rest of an event that is too long; false where more of it has to come. */
  #passOver(): boolean {
    const passed = Math.min(this.#passing, this.#queue.length);
    this.#queue.drop(passed);
    this.#passing -= passed;
    return this.#passing === 0;
  }

  #bad(detail: string): LumberjackFrame {
    this.#isBad = true;
    return { kind: "bad", detail };
  }
}

/** The answer: everything up to this sequence is safe; 0 says only that we are still here. */
export function lumberjackAck(sequence: number): Uint8Array {
  const ack = Buffer.from([VERSION, 0x41, 0, 0, 0, 0]);
  ack.writeUInt32BE(sequence, 2);
  return ack;
}
