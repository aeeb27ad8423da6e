/**
 * CRC-32 (RFC 1952, as gzip has it) over a range of bytes, eight bytes a step.
 * A caller on Node may pass `crc32` of node:zlib instead, which is several times faster.
 */

/** Continues a CRC-32: `value` is the result so far, 0 at the start. node:zlib's `crc32` has this shape. */
export type Crc32 = (bytes: Uint8Array, value?: number) => number;

const TABLES: readonly Int32Array[] = buildTables();

function buildTables(): Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  const [first, ...others] = tables as [Int32Array, ...Int32Array[]];
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = (c & 1) === 0 ? c >>> 1 : (c >>> 1) ^ 0xedb88320;
    first[n] = c;
  }
  let previous = first;
  for (const table of others) {
    for (let n = 0; n < 256; n += 1) {
      const c = previous[n] as number;
      table[n] = (first[c & 0xff] as number) ^ (c >>> 8);
    }
    previous = table;
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** CRC-32 of the bytes, unsigned; `value` is the CRC of what came before. */
export function crc32(bytes: Uint8Array, value = 0): number {
  const length = bytes.length;
  const whole = length - (length & 7);
  let c = ~value;
  let i = 0;
  const at = (n: number): number => bytes[n] as number;
  for (; i < whole; i += 8) {
    const low = c ^ (at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    c =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[at(i + 4)] as number) ^
      (T2[at(i + 5)] as number) ^
      (T1[at(i + 6)] as number) ^
      (T0[at(i + 7)] as number);
  }
  for (; i < length; i += 1) c = (T0[(c ^ at(i)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
