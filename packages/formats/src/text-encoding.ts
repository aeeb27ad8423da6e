/**
 * What bytes are before they are text: a binary log, something compressed, UTF-16 or bytes of an ASCII-like encoding.
 * Bytes in; what they are, or the same text as UTF-8, out.
 */

export type ByteKind = "evtx" | "evt" | "compressed" | "utf-16le" | "utf-16be" | "bytes";

/** How many bytes `byteKind` wants to see, where there are so many. */
export const KIND_SAMPLE_BYTES = 64;

const EVTX_MAGIC = "ElfFile\0";
const EVT_MAGIC = "LfLe";
const CHUNK_MAGIC = "ElfChnk\0";
const COMPRESSED = ["\x1f\x8b", "PK\x03\x04", "7z\xbc\xaf\x27\x1c", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ"];

/** What an input is, by its first bytes. */
export function byteKind(start: Uint8Array): ByteKind {
  if (beginsWith(start, EVTX_MAGIC, 0) || beginsWith(start, CHUNK_MAGIC, 0)) return "evtx";
  if (beginsWith(start, EVT_MAGIC, 4)) return "evt";
  if (COMPRESSED.some((magic) => beginsWith(start, magic, 0))) return "compressed";
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  return zeroBytes(start);
}

/** UTF-16 without a mark: text in it has a zero in every second byte. */
function zeroBytes(start: Uint8Array): ByteKind {
  const sample = start.subarray(0, KIND_SAMPLE_BYTES);
  const zeros = { even: 0, odd: 0 };
  for (let i = 0; i < sample.length; i += 1) if (sample[i] === 0) zeros[i % 2 === 0 ? "even" : "odd"] += 1;
  const { even, odd } = zeros;
  const half = sample.length / 4;
  if (sample.length >= 4 && odd >= half && even === 0) return "utf-16le";
  if (sample.length >= 4 && even >= half && odd === 0) return "utf-16be";
  return "bytes";
}

function beginsWith(bytes: Uint8Array, magic: string, offset: number): boolean {
  for (let i = 0; i < magic.length; i += 1) if (bytes[offset + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Turns UTF-16 chunks into UTF-8 chunks; a character cut by a chunk border is put together again. */
export function utf8From(kind: "utf-16le" | "utf-16be"): { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array } {
  const decoder = new TextDecoder(kind);
  const encoder = new TextEncoder();
  return {
    push: (chunk) => encoder.encode(decoder.decode(chunk, { stream: true })),
    end: () => encoder.encode(decoder.decode()),
  };
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TOLERANT = new TextDecoder("utf-8", { ignoreBOM: true });
const ANSI = new TextDecoder("windows-1252");
const REPAIRED_UTF8 = "repaired-utf8";
const READ_AS_ANSI = "read-as-ansi";

/**
 * Bytes as text. Invalid UTF-8 is replaced by U+FFFD and marked `repaired-utf8`; with `ansi`, it is read as Windows-1252
 * and marked `read-as-ansi`: what `wevtutil` and old agents write is in the code page of the machine, and 1252 has all
 * ASCII in its place.
 */
export function readUtf8(bytes: Uint8Array, options: { ansi?: boolean } = {}): { text: string; marks: string[] } {
  try {
    return { text: STRICT.decode(bytes), marks: [] };
  } catch {
    return options.ansi === true
      ? { text: ANSI.decode(bytes), marks: [READ_AS_ANSI] }
      : { text: TOLERANT.decode(bytes), marks: [REPAIRED_UTF8] };
  }
}
