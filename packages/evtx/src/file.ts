/**
 * A whole file: every chunk at its 64 KiB step, whatever the file header says. The header of a log that was copied while it
 * was open counts too few chunks; a damaged block is told and stepped over.
 */
import { type ChunkContent, type EvtxItem, isChunk, type ReadOptions, readChunk } from "./chunk.ts";
import type { EvtxFailure, EvtxReason } from "./failure.ts";
import { CHUNK_SIZE, FILE_HEADER_SIZE, readFileHeader } from "./file-header.ts";
import type { SkippedRecords } from "./selection.ts";

export interface FileOptions extends ReadOptions {
  /** Told, chunk by chunk, what the selection left out. */
  readonly onSkipped?: (skipped: readonly SkippedRecords[]) => void;
}

/**
 * Every record and every failure of an EVTX file, oldest chunk first.
 *
 * Shape: lazily, chunk by chunk; one chunk's items are in memory at a time.
 * Errors: none, whatever the bytes; a file without a header is read as if it had one.
 */
export function* readEvtx(bytes: Uint8Array, options: FileOptions = {}): Generator<EvtxItem, void, void> {
  if (bytes.length === 0) return;
  const headerFailure = checkHeader(bytes, options);
  if (headerFailure !== undefined) yield { ok: false, failure: headerFailure };
  for (const at of blockOffsets(bytes)) {
    const content = readBlock(bytes.subarray(at, at + CHUNK_SIZE), at, options);
    if (content === undefined) continue;
    yield* content.items;
    if (content.skipped.length > 0) options.onSkipped?.(content.skipped);
  }
}

/** One step of the file, or `undefined` for a block of zeros, which Windows keeps ahead of its last chunk. */
export function readBlock(block: Uint8Array, fileOffset: number, options: ReadOptions = {}): ChunkContent | undefined {
  return isChunk(block) || block.some((byte) => byte !== 0) ? readChunk(block, fileOffset, options) : undefined;
}

/** Where the blocks of a file start, oldest records first: a full log writes over its first chunks. */
function blockOffsets(bytes: Uint8Array): number[] {
  const blocks: { readonly at: number; readonly firstRecord: bigint }[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let newest = 0n;
  // Chunks alone, as carvers cut them out of a disk image, have no file header before them.
  for (let at = isChunk(bytes) ? 0 : FILE_HEADER_SIZE; at < bytes.length; at += CHUNK_SIZE) {
    // What is no chunk keeps its place behind the one before it.
    if (isChunk(bytes, at) && at + 16 <= bytes.length) newest = view.getBigUint64(at + 8, true);
    blocks.push({ at, firstRecord: newest });
  }
  blocks.sort((a, b) => (a.firstRecord < b.firstRecord ? -1 : a.firstRecord > b.firstRecord ? 1 : a.at - b.at));
  return blocks.map((block) => block.at);
}

function checkHeader(bytes: Uint8Array, options: ReadOptions): EvtxFailure | undefined {
  const header = readFileHeader(bytes, options.crc32 ? { crc32: options.crc32 } : {});
  if (header === undefined) return headerFailure("no EVTX file header; blocks that are chunks are read all the same");
  if (options.crc32 === false || !header.hasChecksums || header.isChecksumRight) return undefined;
  return headerFailure("header checksum does not match");
}

function headerFailure(detail: string): EvtxFailure {
  const reason: EvtxReason = "evtx.file-header";
  return { reason, detail, offset: 0 };
}
