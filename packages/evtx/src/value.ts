/**
 * Values of binary XML as text, the way event XML shows them: integers in decimal, hex integers as `0x3e7`, booleans as
 * `true`, GUIDs in braces, SIDs as `S-1-…`, FILETIME with seven digits, binary in upper-case hex.
 *
 * Source: MS-EVEN6 2.2.12 and 3.1.4.7.5; compared with what Windows and evtx_dump print.
 */
import type { ChunkData } from "./chunk-data.ts";
import { ansiText, ansiTexts, utf16Text, utf16Texts } from "./text.ts";
import { fileTimeText, systemTimeText } from "./time.ts";

export const NULL_TYPE = 0x00;
export const STRING_TYPE = 0x01;
const ANSI_TYPE = 0x02;
const INT8 = 0x03;
export const UINT8 = 0x04;
const INT16 = 0x05;
export const UINT16 = 0x06;
const INT32 = 0x07;
export const UINT32 = 0x08;
const INT64 = 0x09;
export const UINT64 = 0x0a;
const REAL32 = 0x0b;
const REAL64 = 0x0c;
const BOOLEAN = 0x0d;
const GUID = 0x0f;
const SIZE = 0x10;
export const FILETIME = 0x11;
const SYSTEMTIME = 0x12;
const SID = 0x13;
const HEX32 = 0x14;
const HEX64 = 0x15;
export const BINXML_TYPE = 0x21;
const EVT_XML = 0x23;
/** Flag: an array of the type in the lower bits. */
export const ARRAY_FLAG = 0x80;

/** Bytes of one value; absent for types of any size. Booleans are 32 bits wide. */
const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [INT8, 1],
  [UINT8, 1],
  [INT16, 2],
  [UINT16, 2],
  [INT32, 4],
  [UINT32, 4],
  [INT64, 8],
  [UINT64, 8],
  [REAL32, 4],
  [REAL64, 8],
  [BOOLEAN, 4],
  [GUID, 16],
  [FILETIME, 8],
  [SYSTEMTIME, 16],
  [HEX32, 4],
  [HEX64, 8],
]);

/** Bytes that one value of a type takes, or `undefined` where the size is the value's own. */
export function fixedSize(type: number): number | undefined {
  return FIXED_SIZES.get(type);
}

const HEX_BYTES = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"));
const UPPER_HEX_BYTES = HEX_BYTES.map((digits) => digits.toUpperCase());

/**
 * One value as text. The range is inside the chunk. A value whose size does not fit its type is shown as hex.
 */
export function valueText(chunk: ChunkData, type: number, at: number, size: number): string {
  const { bytes, view } = chunk;
  if (size === 0) return "";
  switch (type) {
    case NULL_TYPE:
      return "";
    case STRING_TYPE:
    case EVT_XML:
      return utf16Text(view, at, size);
    case ANSI_TYPE:
      return ansiText(bytes.subarray(at, at + size), chunk.ansiEncoding);
    case SID:
      return sidText(view, at, size);
    case SIZE:
      if (size === 4) return hex32(view, at);
      if (size === 8) return hex64(view, at);
      return binaryText(bytes, at, size);
    default:
      return FIXED_SIZES.get(type) === size ? fixedText(view, bytes, type, at) : binaryText(bytes, at, size);
  }
}

function fixedText(view: DataView, bytes: Uint8Array, type: number, at: number): string {
  switch (type) {
    case INT8:
      return String(view.getInt8(at));
    case UINT8:
      return String(bytes[at]);
    case INT16:
      return String(view.getInt16(at, true));
    case UINT16:
      return String(view.getUint16(at, true));
    case INT32:
      return String(view.getInt32(at, true));
    case UINT32:
      return String(view.getUint32(at, true));
    case INT64:
      return String(view.getBigInt64(at, true));
    case UINT64:
      return unsigned64(view, at);
    case REAL32:
      return real32Text(view.getFloat32(at, true));
    case REAL64:
      return String(view.getFloat64(at, true));
    case BOOLEAN:
      return view.getUint32(at, true) === 0 ? "false" : "true";
    case GUID:
      return guidText(bytes, at);
    case FILETIME:
      return fileTimeText(view.getUint32(at, true), view.getUint32(at + 4, true));
    case SYSTEMTIME:
      return systemTimeText(view, at);
    case HEX32:
      return hex32(view, at);
    case HEX64:
      return hex64(view, at);
    default:
      return "";
  }
}

/** The items of an array value; `type` is without the array flag. What is left behind the last whole item is hex. */
export function arrayTexts(chunk: ChunkData, type: number, at: number, size: number): string[] {
  if (type === STRING_TYPE) return utf16Texts(chunk.view, at, size);
  if (type === ANSI_TYPE) return ansiTexts(chunk.bytes.subarray(at, at + size), chunk.ansiEncoding);
  const end = at + size;
  const texts: string[] = [];
  let start = at;
  while (start < end) {
    const step = Math.min(itemSize(chunk, type, start, end), end - start);
    texts.push(valueText(chunk, type, start, step));
    start += step;
  }
  return texts;
}

function itemSize(chunk: ChunkData, type: number, at: number, end: number): number {
  if (type === SID && at + 2 <= end) return 8 + 4 * (chunk.bytes[at + 1] as number);
  // Pointers of an array without a width of their own are those of a 64-bit Windows.
  if (type === SIZE) return 8;
  return FIXED_SIZES.get(type) ?? end - at;
}

/** A 64-bit unsigned integer in decimal. */
export function unsigned64(view: DataView, at: number): string {
  const high = view.getUint32(at + 4, true);
  // Below 2^53 a double holds it exactly.
  return high < 0x20_0000
    ? String(high * 0x1_0000_0000 + view.getUint32(at, true))
    : String(view.getBigUint64(at, true));
}

function hex32(view: DataView, at: number): string {
  return `0x${view.getUint32(at, true).toString(16)}`;
}

function hex64(view: DataView, at: number): string {
  const high = view.getUint32(at + 4, true);
  const low = view.getUint32(at, true).toString(16);
  return high === 0 ? `0x${low}` : `0x${high.toString(16)}${low.padStart(8, "0")}`;
}

/** The shortest decimal that reads back as the same 32-bit float. */
function real32Text(value: number): string {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

/** `{5770385f-c22a-43e0-bf4c-06f5698ffbd9}`; the first three groups are stored little-endian. */
function guidText(bytes: Uint8Array, at: number): string {
  const hex = (n: number): string => HEX_BYTES[bytes[at + n] as number] as string;
  return `{${hex(3)}${hex(2)}${hex(1)}${hex(0)}-${hex(5)}${hex(4)}-${hex(7)}${hex(6)}-${hex(8)}${hex(9)}-${hex(10)}${hex(11)}${hex(12)}${hex(13)}${hex(14)}${hex(15)}}`;
}

/** `S-1-5-21-…`; a SID that is cut shows the parts that are there. */
export function sidText(view: DataView, at: number, size: number): string {
  if (size < 8) return "";
  const authority = view.getUint16(at + 2, false) * 0x1_0000_0000 + view.getUint32(at + 4, false);
  // Windows writes an authority of more than 32 bits in hex.
  const shown = authority > 0xffff_ffff ? `0x${authority.toString(16).padStart(12, "0")}` : String(authority);
  let text = `S-${view.getUint8(at)}-${shown}`;
  const parts = Math.min(view.getUint8(at + 1), (size - 8) >> 2);
  for (let i = 0; i < parts; i += 1) text += `-${view.getUint32(at + 8 + 4 * i, true)}`;
  return text;
}

/** Upper-case hex without spaces. */
export function binaryText(bytes: Uint8Array, at: number, size: number): string {
  let text = "";
  for (let i = at; i < at + size; i += 1) text += UPPER_HEX_BYTES[bytes[i] as number] as string;
  return text;
}
