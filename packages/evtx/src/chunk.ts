/**
 * One chunk of 64 KiB: a header of 512 bytes and records one after the other. A chunk stands alone: its strings and
 * templates are its own, so chunks may be read in any order, and a damaged one costs only its own records.
 *
 * Source: libevtx "Windows XML Event Log (EVTX)", sections "Chunk", "Event record", "Corruption scenarios".
 */
import type { Stored } from "./assemble.ts";
import { ChunkData } from "./chunk-data.ts";
import { type Crc32, crc32 } from "./crc32.ts";
import { Decoder, decodePlain } from "./decode.ts";
import { type EvtxFailure, type EvtxReason, failureOf } from "./failure.ts";
import { CHUNK_SIZE, startsWith } from "./file-header.ts";
import type { EventRecord } from "./record.ts";
import type { Select, SkippedRecords } from "./selection.ts";
import { grow, Skips, storedId } from "./skips.ts";

const CHUNK_HEADER_SIZE = 512;
const SIGNATURE = "ElfChnk\0";
const RECORD_SIGNATURE = 0x00002a2a;
/** Signature, size, id and time. */
const RECORD_HEAD = 24;
/** The head and the copy of the size behind the binary XML. */
const RECORD_SIZE_MIN = RECORD_HEAD + 4;

export interface ReadOptions {
  readonly select?: Select;
  /** Checks checksums, with this function or the built-in one; `false` leaves them unchecked. */
  readonly crc32?: Crc32 | false;
  /**
   * Also reads what stands behind damage: records behind a broken one, and those of a chunk that the file's end cuts.
   * They may be older than the log says, so they are marked `isRecovered`, and are left out unless asked for.
   */
  readonly recover?: boolean;
  /** Encoding of ANSI strings, a label that `TextDecoder` knows; windows-1252 unless given. */
  readonly ansiEncoding?: string;
}

export type EvtxItem =
  | { readonly ok: true; readonly record: EventRecord }
  | { readonly ok: false; readonly failure: EvtxFailure };

export interface ChunkContent {
  /** Records and failures in the order of the file. A failed checksum comes first, and the records still follow. */
  readonly items: readonly EvtxItem[];
  /** What the selection left out. */
  readonly skipped: readonly SkippedRecords[];
}

/** Whether a chunk starts at an offset. */
export function isChunk(bytes: Uint8Array, at = 0): boolean {
  return startsWith(bytes, at, SIGNATURE);
}

/**
 * Reads one chunk. `bytes` start with it and are read for at most 64 KiB; fewer are a cut chunk.
 * `fileOffset` is where they stand in the file, for the offsets in records and failures.
 *
 * Shape: at most about 2,300 items. Errors: none, whatever the bytes.
 */
export function readChunk(bytes: Uint8Array, fileOffset: number, options: ReadOptions = {}): ChunkContent {
  const reader = new ChunkReader(bytes.subarray(0, CHUNK_SIZE), fileOffset, options);
  reader.read();
  return { items: reader.items, skipped: reader.skipped() };
}

class ChunkReader {
  readonly items: EvtxItem[] = [];
  private readonly skips = new Skips();
  private readonly chunk: ChunkData;
  private readonly decoder: Decoder;
  private readonly select: Select | undefined;
  private readonly crc32: Crc32 | undefined;
  private readonly recover: boolean;
  /** Whether reading has passed damage. */
  private isBehindDamage = false;

  constructor(bytes: Uint8Array, fileOffset: number, options: ReadOptions) {
    this.chunk = new ChunkData(bytes, fileOffset, options.ansiEncoding ?? "windows-1252");
    this.decoder = new Decoder(this.chunk);
    this.select = options.select;
    this.recover = options.recover ?? false;
    this.crc32 = options.crc32 === false ? undefined : (options.crc32 ?? crc32);
  }

  read(): void {
    const { chunk } = this;
    if (!isChunk(chunk.bytes)) {
      this.fail("evtx.chunk-magic", "no chunk starts here", 0);
      return;
    }
    if (chunk.length < CHUNK_SIZE) {
      this.fail("evtx.cut-chunk", `${chunk.length} of ${CHUNK_SIZE} bytes are there`, 0);
      this.isBehindDamage = true;
      if (!this.recover) return;
    }
    if (chunk.length < CHUNK_HEADER_SIZE) return;
    const free = chunk.view.getUint32(48, true);
    const isFreeSound = free >= CHUNK_HEADER_SIZE && free <= CHUNK_SIZE;
    if (this.crc32 !== undefined) this.check(this.crc32, isFreeSound ? free : CHUNK_SIZE);
    this.records(Math.min(isFreeSound ? free : CHUNK_SIZE, chunk.length));
  }

  skipped(): readonly SkippedRecords[] {
    return this.skips.list(this.chunk.view);
  }

  private check(checksum: Crc32, free: number): void {
    const { bytes, view, length } = this.chunk;
    if (length < CHUNK_SIZE) return;
    const head = checksum(bytes.subarray(128, CHUNK_HEADER_SIZE), checksum(bytes.subarray(0, 120)));
    if (head !== view.getUint32(124, true)) this.fail("evtx.chunk-checksum", "header checksum does not match", 0);
    else if (checksum(bytes.subarray(CHUNK_HEADER_SIZE, free)) !== view.getUint32(52, true)) {
      this.fail("evtx.chunk-checksum", "checksum of the records does not match", 0);
    }
  }

  /** Records up to the free space; with `recover`, behind a broken frame from the next sound one on. */
  private records(end: number): void {
    const { view } = this.chunk;
    const last = view.getUint32(44, true);
    let at = CHUNK_HEADER_SIZE;
    while (at + RECORD_SIZE_MIN <= end) {
      const size = this.frameSize(at, end);
      if (size !== undefined) {
        this.record(at, size);
        at += size;
        continue;
      }
      // Behind the last record an archived log holds zeros up to its end; damage is what stands before it.
      if (at > last && view.getUint32(at, true) !== RECORD_SIGNATURE) return;
      const next = this.recover ? this.nextFrame(at + 4, end) : undefined;
      this.fail("evtx.record-frame", `no sound record; ${(next ?? end) - at} bytes skipped`, at);
      if (next === undefined) return;
      this.isBehindDamage = true;
      at = next;
    }
  }

  /** Size of the record at an offset, or `undefined` when its frame is broken. */
  private frameSize(at: number, end: number): number | undefined {
    const { view } = this.chunk;
    if (view.getUint32(at, true) !== RECORD_SIGNATURE) return undefined;
    const size = view.getUint32(at + 4, true);
    return size < RECORD_SIZE_MIN || size > end - at ? undefined : size;
  }

  /** The next record whose size stands at both its ends. */
  private nextFrame(from: number, end: number): number | undefined {
    const { view } = this.chunk;
    for (let at = from; at + RECORD_SIZE_MIN <= end; at += 1) {
      const size = view.getUint8(at) === 0x2a ? this.frameSize(at, end) : undefined;
      if (size !== undefined && view.getUint32(at + size - 4, true) === size) return at;
    }
    return undefined;
  }

  private record(at: number, size: number): void {
    const { chunk, decoder } = this;
    const { view } = chunk;
    const start = at + RECORD_HEAD;
    const end = at + size - 4;
    try {
      const known = decoder.open(start, end);
      if (this.select !== undefined && known && this.isSkipped(this.select, at)) return;
      const stored: Stored = {
        offset: chunk.offset + at,
        storedId: storedId(view, at),
        low: view.getUint32(at + 16, true),
        high: view.getUint32(at + 20, true),
        isRecovered: this.isBehindDamage,
        source: { chunk, at: start, end },
      };
      const record = (known ? decoder.record(stored) : undefined) ?? decodePlain(chunk, stored);
      if (this.select !== undefined && !known && !this.select(record.provider, record.eventId, record.channel)) {
        grow(this.skips.entry(record), at);
      } else this.items.push({ ok: true, record });
    } catch (thrown) {
      this.items.push({ ok: false, failure: failureOf(thrown, chunk.offset, at) });
    }
  }

  /** Asks the selection, and counts the record when it is not wanted. */
  private isSkipped(select: Select, at: number): boolean {
    const kind = this.decoder.kind();
    if (kind === undefined) return false;
    kind.isSelected ??= select(kind.provider, kind.eventId, kind.channel);
    if (kind.isSelected) return false;
    kind.skipped ??= this.skips.entry(kind);
    grow(kind.skipped, at);
    return true;
  }

  private fail(reason: EvtxReason, detail: string, at: number): void {
    this.items.push({ ok: false, failure: { reason, detail, offset: this.chunk.offset + at } });
  }
}
