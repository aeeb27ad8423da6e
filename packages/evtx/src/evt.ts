/**
 * Classic event logs of Windows NT to 2003 (`.evt`): a header of 48 bytes and a ring of records behind it. The ring's bounds
 * stand in the header, which is stale while the log is open, and in the end record, which is not.
 *
 * Source: learn.microsoft.com "EVENTLOGRECORD", "Event Log File Format"; libevt "Windows Event Log (EVT) format".
 */
import type { EvtxItem } from "./chunk.ts";
import { decodeEvtRecord, EVT_HEAD_SIZE, EVT_RECORD_MIN, EVT_SIGNATURE } from "./evt-record.ts";
import type { EvtxReason } from "./failure.ts";

const HEADER_SIZE = 0x30;
const FLAG_DIRTY = 0x0001;
/** The end record: its size, four words that no record starts with, bounds of the ring, numbers, size again. */
const END_SIZE = 0x28;
const END_WORDS = [0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444] as const;

export interface EvtOptions {
  /** The log's name, which the file does not hold: `System`, `Application`, `Security`. */
  readonly channel?: string;
  /** Also gives what is left of older records outside of the ring, marked `isRecovered`. */
  readonly recover?: boolean;
}

/** Whether bytes start as a classic log does. */
export function isEvt(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && viewOf(bytes).getUint32(4, true) === EVT_SIGNATURE;
}

/**
 * Every record of a classic log, oldest first, in the shape of an EVTX record: strings are unnamed data, binary data is hex
 * under the name `Binary`.
 *
 * Units: the format keeps whole seconds. Errors: none, whatever the bytes; what is unreadable is told and stepped over.
 */
export function* readEvt(bytes: Uint8Array, options: EvtOptions = {}): Generator<EvtxItem, void, void> {
  if (bytes.length === 0) return;
  const log = new EvtLog(bytes, options);
  const bounds = log.bounds();
  if (bounds === undefined) {
    yield failed("evt.file-header", "neither header nor end record; whatever is a record is read", 0);
    yield* log.scattered(false);
    return;
  }
  yield* log.ring(bounds);
  if (options.recover) yield* log.scattered(true);
}

/** Offsets of the oldest record and of the end record. */
interface Bounds {
  readonly first: number;
  readonly end: number;
}

class EvtLog {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly channel: string;
  /** Starts of the records that the ring gave, where the rest is asked for. */
  private readonly seen: Set<number> | undefined;

  constructor(bytes: Uint8Array, options: EvtOptions) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.channel = options.channel ?? "";
    this.seen = options.recover ? new Set() : undefined;
  }

  /** The ring's bounds: the header's where the log was closed, else those of the end record. */
  bounds(): Bounds | undefined {
    const { bytes, view } = this;
    if (bytes.length >= HEADER_SIZE && isEvt(bytes) && (view.getUint32(36, true) & FLAG_DIRTY) === 0) {
      const bounds = { first: view.getUint32(16, true), end: view.getUint32(20, true) };
      if (this.isInside(bounds.first) && this.isEnd(bounds.end)) return bounds;
    }
    let found: Bounds | undefined;
    for (let at = 0; at + END_SIZE <= bytes.length; at += 4) {
      if (!this.isEnd(at)) continue;
      const first = view.getUint32(at + 20, true);
      if (!this.isInside(first)) continue;
      found = { first, end: at };
      // An end record that names its own place is the last one written; others are left over.
      if (view.getUint32(at + 24, true) === at) break;
    }
    return found;
  }

  /** The records from the oldest to the end record, over the end of the file where the ring goes on at its start. */
  *ring({ first, end }: Bounds): Generator<EvtxItem, void, void> {
    if (end >= first) {
      yield* this.run(first, end);
      return;
    }
    const next = yield* this.run(first, this.bytes.length);
    yield* this.run(next, end);
  }

  /**
   * Records from `at` to `end`. Behind a broken one reading goes on at the next that is sound.
   * Returns where the ring goes on when `end` is the end of the file.
   */
  private *run(from: number, end: number): Generator<EvtxItem, number, void> {
    const isLap = end === this.bytes.length;
    let at = from;
    while (at + 4 <= end) {
      // Too small a rest at the end of the file is filled with its own mark.
      if (isLap && at + EVT_HEAD_SIZE > end) break;
      const size = this.view.getUint32(at, true);
      if (this.isRecord(at, end)) {
        this.seen?.add(at);
        yield this.item(at, this.bytes.subarray(at, at + size), false);
        at += size;
        continue;
      }
      const lapped = isLap ? this.lapped(at, size) : undefined;
      if (lapped !== undefined) {
        this.seen?.add(at);
        yield this.item(at, lapped, false);
        return HEADER_SIZE + size - (end - at);
      }
      const next = this.nextRecord(at + 4, end);
      yield failed("evt.record-frame", `no sound record; ${(next ?? end) - at} bytes skipped`, at);
      if (next === undefined) break;
      at = next;
    }
    return HEADER_SIZE;
  }

  /** Records wherever they stand, in the order of the file; those of the ring are left out. */
  *scattered(isRecovered: boolean): Generator<EvtxItem, void, void> {
    const { length } = this.bytes;
    let at = 0;
    while (at + EVT_RECORD_MIN <= length) {
      if (!this.isRecord(at, length)) {
        at += 4;
        continue;
      }
      const size = this.view.getUint32(at, true);
      if (!this.seen?.has(at)) yield this.item(at, this.bytes.subarray(at, at + size), isRecovered);
      // Never back into a record, so that the whole stays linear in the size of the file.
      at += size;
    }
  }

  private item(at: number, bytes: Uint8Array, isRecovered: boolean): EvtxItem {
    return { ok: true, record: decodeEvtRecord(bytes, { offset: at, channel: this.channel, isRecovered }) };
  }

  /** A record that begins at the end of the file and goes on behind the header; its bytes put together. */
  private lapped(at: number, size: number): Uint8Array | undefined {
    const { bytes, view } = this;
    const here = bytes.length - at;
    if (view.getUint32(at + 4, true) !== EVT_SIGNATURE || size <= here || size - here > bytes.length - HEADER_SIZE) {
      return undefined;
    }
    const whole = new Uint8Array(size);
    whole.set(bytes.subarray(at));
    whole.set(bytes.subarray(HEADER_SIZE, HEADER_SIZE + size - here), here);
    return viewOf(whole).getUint32(size - 4, true) === size ? whole : undefined;
  }

  private nextRecord(from: number, end: number): number | undefined {
    for (let at = from; at + EVT_RECORD_MIN <= end; at += 1) if (this.isRecord(at, end)) return at;
    return undefined;
  }

  /** Whether a record stands at an offset with its size at both ends. */
  private isRecord(at: number, end: number): boolean {
    if (at + EVT_RECORD_MIN > end || this.view.getUint32(at + 4, true) !== EVT_SIGNATURE) return false;
    const size = this.view.getUint32(at, true);
    return size >= EVT_RECORD_MIN && size <= end - at && this.view.getUint32(at + size - 4, true) === size;
  }

  private isInside(at: number): boolean {
    return at >= HEADER_SIZE && at + 4 <= this.bytes.length;
  }

  private isEnd(at: number): boolean {
    if (at < HEADER_SIZE || at + END_SIZE > this.bytes.length) return false;
    return END_WORDS.every((word, i) => this.view.getUint32(at + 4 + 4 * i, true) === word);
  }
}

function failed(reason: EvtxReason, detail: string, offset: number): EvtxItem {
  return { ok: false, failure: { reason, detail, offset } };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
