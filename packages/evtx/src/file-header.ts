/**
 * The header of an EVTX file: 4096 bytes, of which 128 say something. It is a hint only: a log that was not closed has a
 * stale count of chunks and a wrong checksum, and is read to its end all the same.
 *
 * Source: libevtx "Windows XML Event Log (EVTX)", section "File header".
 */
import { type Crc32, crc32 } from "./crc32.ts";

export const FILE_HEADER_SIZE = 4_096;
export const CHUNK_SIZE = 65_536;

const READ_SIZE = 128;
const CHECKSUM_SIZE = 120;
const SIGNATURE = "ElfFile\0";
/** Flag: checksums are not kept. */
const NO_CHECKSUMS = 0x0004;

export interface FileHeader {
  readonly firstChunk: bigint;
  readonly lastChunk: bigint;
  readonly nextRecordId: bigint;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly chunkCount: number;
  /** The log was open when it was copied, or its machine stopped. */
  readonly isDirty: boolean;
  readonly isFull: boolean;
  readonly hasChecksums: boolean;
  readonly isChecksumRight: boolean;
}

/** Whether bytes start as an EVTX file does. */
export function isEvtx(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0, SIGNATURE);
}

/** The header at the start of a file, or `undefined` where there is none. Bytes after the first 128 are not looked at. */
export function readFileHeader(bytes: Uint8Array, options: { readonly crc32?: Crc32 } = {}): FileHeader | undefined {
  if (bytes.length < READ_SIZE || !isEvtx(bytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, READ_SIZE);
  const flags = view.getUint32(120, true);
  return {
    firstChunk: view.getBigUint64(8, true),
    lastChunk: view.getBigUint64(16, true),
    nextRecordId: view.getBigUint64(24, true),
    minorVersion: view.getUint16(36, true),
    majorVersion: view.getUint16(38, true),
    chunkCount: view.getUint16(42, true),
    isDirty: (flags & 0x0001) !== 0,
    isFull: (flags & 0x0002) !== 0,
    hasChecksums: (flags & NO_CHECKSUMS) === 0,
    isChecksumRight: (options.crc32 ?? crc32)(bytes.subarray(0, CHECKSUM_SIZE)) === view.getUint32(124, true),
  };
}

/** Whether an ASCII text stands at an offset. */
export function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
