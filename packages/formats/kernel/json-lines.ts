/**
 * Looks through lines of JSON at several gigabytes a second: where each line's object ends, and where the values of a few
 * keys stand in it. AssemblyScript (WebAssembly with SIMD), compiled by `build.ts` into `src/json-lines.wasm.ts`; what it
 * promises is written at `src/line-scanner.ts`, which owns the memory and fills the tables of names.
 *
 * The scan goes 64 bytes at a time and knows whether a byte stands in a string (the quotes before it, without the escaped
 * ones, are odd in number), how many braces are open, and which table of names holds for the keys at hand: that of the
 * top level, that of an object just under it whose name has one, or none. Only braces, line breaks and the colons of keys
 * that a table is waiting for are visited; the text of a long string is passed over 64 bytes at a time.
 *
 * It stops before the first line that is not one whole object from its first byte to its last: a line break inside it,
 * something before or behind the object, a backslash outside strings, a brace that opens where no value can stand. A key
 * that could be read in two ways (an escape or a dot in it, given twice) only marks its line.
 */

/** Tables of names, `TABLE_BYTES` each: 64 names of 16 bytes, 64 slots, 64 numbers of inner tables, and a byte not allowed. */
const TABLES: usize = 2048;
const TABLE_BYTES: usize = 2048;
const TABLE_SLOTS: usize = 1024;
const TABLE_INNER: usize = 1088;
const TABLE_REFUSED: usize = 1152;
/** For each place of an opening quote in 16 bytes, which of the bytes are behind it. */
const BEHIND: usize = 1024;
/** Where the scan stopped, and why. */
const STOPPED_AT: usize = 16;
const STOPPED_WHY: usize = 20;
/** The bytes ended before the line did; right behind its object; there was no room for another row; the line is no row. */
const UNFINISHED: i32 = 0;
const CLOSED: i32 = 1;
const FULL: i32 = 2;
const REFUSED: i32 = 3;
/** A row: start, end, whether it is unusual, which inner objects it has; then the values' places by slot, slot 0 unused. */
const ROW_BYTES: usize = 128;
const ROW_END: usize = 4;
const ROW_UNUSUAL: usize = 8;
const ROW_OBJECTS: usize = 12;
const ROW_SLOTS: usize = 16;

const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const BLANK: u8 = 0x20;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;
const BACKSLASH: u8 = 0x5c;
const OPEN_BRACKET: u8 = 0x5b;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

// biome-ignore lint/correctness/noPrecisionLoss: a 64-bit integer here
const ODD_BITS: u64 = 0xaaaaaaaaaaaaaaaa;
// biome-ignore lint/correctness/noPrecisionLoss: a 64-bit integer here
const HASH: u64 = 0x9e3779b97f4a7c15;

/** Scans `from` up to `to` into at most `rowsMax` rows at `rows`; returns how many there are. */
export function scan(from: usize, to: usize, rows: usize, rowsMax: i32): i32 {
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  const colon = i8x16.splat(COLON);
  const lf = i8x16.splat(LF);
  // Only `{|}~` and DEL lie above it: bytes beyond ASCII are negative.
  const z = i8x16.splat(0x7a);
  let count: i32 = 0;
  let depth: i32 = 0;
  let table: usize = 0;
  let innerTable: usize = 0;
  let lastKey: usize = 0;
  let lineStart: usize = from;
  /** All ones while the block before ended inside a string; one where it ended in a backslash that escapes. */
  let inString: u64 = 0;
  let escapes: u64 = 0;
  let row = rows;
  clear(row);
  for (let block = from; block < to; block += 64) {
    const v0 = v128.load(block);
    const v1 = v128.load(block, 16);
    const v2 = v128.load(block, 32);
    const v3 = v128.load(block, 48);
    const q0 = i8x16.eq(v0, quote);
    const q1 = i8x16.eq(v1, quote);
    const q2 = i8x16.eq(v2, quote);
    const q3 = i8x16.eq(v3, quote);
    const l0 = i8x16.eq(v0, lf);
    const l1 = i8x16.eq(v1, lf);
    const l2 = i8x16.eq(v2, lf);
    const l3 = i8x16.eq(v3, lf);
    const anyLf = v128.or(v128.or(l0, l1), v128.or(l2, l3));
    if (inString !== 0 && load<u8>(block, 63) !== BACKSLASH) {
      if (!v128.any_true(v128.or(v128.or(v128.or(q0, q1), v128.or(q2, q3)), anyLf))) {
        escapes = 0;
        continue;
      }
    }
    let quotes = bits(q0, q1, q2, q3);
    let slashes: u64 = 0;
    const b0 = i8x16.eq(v0, backslash);
    const b1 = i8x16.eq(v1, backslash);
    const b2 = i8x16.eq(v2, backslash);
    const b3 = i8x16.eq(v3, backslash);
    if (escapes !== 0 || v128.any_true(v128.or(v128.or(b0, b1), v128.or(b2, b3)))) {
      slashes = bits(b0, b1, b2, b3);
      // Runs of backslashes escape what follows them when their length is odd (simdjson, `find_escaped_branchless`).
      const opening = slashes & ~escapes;
      const series = (((opening << 1) | ODD_BITS) - opening) ^ ODD_BITS;
      quotes &= ~(series ^ (opening | escapes));
      escapes = (series & opening) >> 63;
    }
    const e0 = i8x16.gt_s(v0, z);
    const e1 = i8x16.gt_s(v1, z);
    const e2 = i8x16.gt_s(v2, z);
    const e3 = i8x16.gt_s(v3, z);
    const hasMarks = v128.any_true(v128.or(v128.or(v128.or(e0, e1), v128.or(e2, e3)), anyLf));
    if (!hasMarks && table === 0 && slashes === 0) {
      inString ^= 0 - (popcnt(quotes) & 1);
      continue;
    }
    // One for each byte from an opening quote up to the byte before the closing one.
    let strings = quotes ^ (quotes << 1);
    strings ^= strings << 2;
    strings ^= strings << 4;
    strings ^= strings << 8;
    strings ^= strings << 16;
    strings ^= strings << 32;
    strings ^= inString;
    inString = <u64>(<i64>strings >> 63);
    if ((slashes & ~strings) !== 0) return stopped(count, lineStart, REFUSED);
    const colons = bits(i8x16.eq(v0, colon), i8x16.eq(v1, colon), i8x16.eq(v2, colon), i8x16.eq(v3, colon)) & ~strings;
    let marks: u64 = 0;
    if (hasMarks) {
      marks = bits(e0, e1, e2, e3);
      if (v128.any_true(anyLf)) marks |= bits(l0, l1, l2, l3);
      // A line break in a string stays a mark, and is met below.
      marks &= ~strings | bits(l0, l1, l2, l3);
    }
    let events = table === 0 ? marks : marks | colons;
    while (events !== 0) {
      const bit = events & (0 - events);
      const at = block + <usize>ctz(bit);
      if (at >= to) break;
      if ((colons & bit) !== 0) {
        lastKey = key(at, table, row);
        events ^= bit;
        continue;
      }
      const c = load<u8>(at);
      if (c === OPEN_BRACE) {
        if (depth === 0) {
          if (at !== lineStart) return stopped(count, lineStart, REFUSED);
          table = TABLES;
        } else {
          let before = at - 1;
          while (load<u8>(before) === BLANK) before--;
          const b = load<u8>(before);
          if (b !== COLON && b !== COMMA && b !== OPEN_BRACKET) return stopped(count, lineStart, REFUSED);
          table = 0;
          if (depth === 1) {
            innerTable = lastKey === 0 ? 0 : TABLES + lastKey * TABLE_BYTES;
            table = innerTable;
            if (lastKey !== 0) {
              store<u32>(row, load<u32>(row, ROW_OBJECTS) | (1 << (<u32>lastKey)), ROW_OBJECTS);
              if (b !== COLON) store<u32>(row, 1, ROW_UNUSUAL);
            }
          }
        }
        depth++;
      } else if (c === CLOSE_BRACE) {
        depth--;
        if (depth > 0) table = depth === 1 ? TABLES : depth === 2 ? innerTable : 0;
        else {
          let end = at + 1;
          if (load<u8>(end) === CR) end++;
          if (depth < 0) return stopped(count, lineStart, REFUSED);
          if (end >= to) return stopped(count, lineStart, CLOSED);
          if (load<u8>(end) !== LF) return stopped(count, lineStart, REFUSED);
          store<u32>(row, <u32>lineStart);
          store<u32>(row, <u32>end + 1, ROW_END);
          lineStart = end + 1;
          count++;
          if (count === rowsMax) return stopped(count, lineStart, FULL);
          row += ROW_BYTES;
          clear(row);
          // Each line begins a block of its own, so that lines of one kind take the same branches.
          block = lineStart - 64;
          table = 0;
          lastKey = 0;
          inString = 0;
          escapes = 0;
          break;
        }
      } else if (c === LF) return stopped(count, lineStart, REFUSED);
      events = (table === 0 ? marks : marks | colons) & ~((bit << 1) - 1);
    }
  }
  return stopped(count, lineStart, UNFINISHED);
}

function stopped(count: i32, at: usize, why: i32): i32 {
  store<u32>(STOPPED_AT, <u32>at);
  store<i32>(STOPPED_WHY, why);
  return count;
}

function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = <u32>(i8x16.bitmask(a) | (i8x16.bitmask(b) << 16));
  const high = <u32>(i8x16.bitmask(c) | (i8x16.bitmask(d) << 16));
  return <u64>low | ((<u64>high) << 32);
}

function clear(row: usize): void {
  const zero = i64x2.splat(0);
  for (let at: usize = 0; at < ROW_BYTES; at += 16) v128.store(row + at, zero);
}

/**
 * Takes down the value behind a colon, if its key is in the table; returns the number of the key's inner table. Without
 * branches on the name: what is not in the table goes to slot 0.
 */
function key(colonAt: usize, table: usize, row: usize): usize {
  let end = colonAt - 1;
  while (load<u8>(end) <= BLANK) end--;
  const text = v128.load(end - 16);
  const quotes = i8x16.bitmask(i8x16.eq(text, i8x16.splat(QUOTE)));
  if (quotes === 0 || load<u8>(end) !== QUOTE) {
    if (!isPlainLongKey(end)) store<u32>(row, 1, ROW_UNUSUAL);
    return 0;
  }
  const start: usize = 31 - <usize>clz(quotes);
  const refused = v128.or(i8x16.eq(text, i8x16.splat(BACKSLASH)), i8x16.eq(text, v128.load(table, TABLE_REFUSED)));
  const isOdd = (i8x16.bitmask(refused) >> <i32>start) | <i32>(load<u8>(end - 17 + start) === BACKSLASH);
  const name = v128.and(text, v128.load(BEHIND + start * 16));
  const hash = (i64x2.extract_lane(name, 0) ^ i64x2.extract_lane(name, 1)) * HASH;
  const entry = table + <usize>(hash >>> 58);
  const isKnown = <usize>i8x16.all_true(i8x16.eq(name, v128.load(table + (entry - table) * 16)));
  const slot = row + 4 * (<usize>load<u8>(entry, TABLE_SLOTS) * isKnown);
  const isTwice = <i32>(load<u32>(slot, ROW_SLOTS) !== 0) & <i32>isKnown;
  store<u32>(row, load<u32>(row, ROW_UNUSUAL) | isOdd | isTwice, ROW_UNUSUAL);
  store<u32>(slot, <u32>colonAt + 1, ROW_SLOTS);
  return <usize>load<u8>(entry, TABLE_INNER) * isKnown;
}

/** Whether a key of more than 15 bytes, which ends at `end`, is written without escapes and dots. */
function isPlainLongKey(end: usize): bool {
  if (load<u8>(end) !== QUOTE) return false;
  let at = end - 1;
  while (load<u8>(at) !== QUOTE) {
    if (load<u8>(at) === BACKSLASH || load<u8>(at) === DOT) return false;
    at--;
  }
  return load<u8>(at - 1) !== BACKSLASH;
}
