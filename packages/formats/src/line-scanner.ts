/**
 * Finds the ends of lines of JSON and the places of a few values in them, without parsing: bytes in, rows out.
 *
 * A row is a line that is one object, from its first byte to its last. Names are looked for at the top level and just
 * inside objects of the top level, wherever they stand; text inside strings is never taken for a name. The work is done by
 * a WebAssembly kernel (`kernel/json-lines.ts`); where the machine cannot run it there is no scanner, and every record
 * takes the long way.
 *
 * Source: after J. Keiser and D. Lemire, "Validating UTF-8 in less than one instruction per byte" and simdjson's stage 1.
 */
import { JSON_LINES_WASM } from "./json-lines.wasm.ts";

/** The names looked for at one level, each with the slot of a row that its value's place goes to. */
export interface NameTable {
  /** Slots begin at 1. A name with `inner` leads to that table, where its value is an object. */
  readonly names: Readonly<Record<string, { readonly slot: number; readonly inner?: number }>>;
  /** A key with this character in it makes its line unusual. */
  readonly refused?: string;
}

/**
 * Why a scan stopped: the bytes ended before the line did, or right behind the line's object; there was no room for another
 * row; or the line that begins there is no row.
 */
const STOPS = ["unfinished", "closed", "full", "refused"] as const;

/** What was found in the bytes given last; valid until the next scan. */
interface Scanned {
  readonly rows: number;
  /** Where the scan stopped: the end of the last row. */
  readonly end: number;
  readonly stop: (typeof STOPS)[number];
}

/** Values stand at places in `bytes`, 0 for a name that a row lacks; rows begin and end at places in the input. */
export interface LineScanner {
  /** At most `SCAN_MAX_BYTES`; the first of them begins a line. */
  scan(input: Uint8Array): Scanned;
  /** The scanned bytes, and what the numbers of a row are places in. */
  readonly bytes: Uint8Array;
  start(row: number): number;
  end(row: number): number;
  /** A name was written with an escape, given twice, or held a refused character: where values stand is not certain. */
  isUnusual(row: number): boolean;
  /** Whether the name that leads to this inner table had an object for a value. */
  hasObject(row: number, inner: number): boolean;
  value(row: number, slot: number): number;
}

/** What a core keeps at hand: larger pieces take longer. */
export const SCAN_MAX_BYTES = 256 * 1024;
const ROWS_MAX = 2048;

// The kernel's memory: what lies where is written there.
const STOPPED_AT = 16 / 4;
const STOPPED_WHY = 20 / 4;
const BEHIND = 1024;
const TABLES = 2048;
const TABLE_BYTES = 2048;
const TABLE_SLOTS = 1024;
const TABLE_INNER = 1088;
const TABLE_REFUSED = 1152;
const NAME_BYTES = 16;
const TABLES_MAX = 8;
const ROWS = 64 * 1024;
const ROW_WORDS = 32;
const ROW_FIRST_SLOT = 4;
const INPUT = ROWS + ROWS_MAX * ROW_WORDS * 4;
/** The kernel reads whole blocks: what is behind the input must be no text. */
const PADDING = 64;
const HASH = 0x9e3779b97f4a7c15n;

/** A scanner for these names; the first table is that of the top level. `undefined` where WebAssembly cannot run. */
export function createLineScanner(tables: readonly NameTable[]): LineScanner | undefined {
  const kernel = openKernel();
  if (kernel === undefined) return undefined;
  const { scan, memory } = kernel;
  const bytes = new Uint8Array(memory);
  const words = new Uint32Array(memory);
  writeTables(bytes, tables);
  const word = (row: number, at: number): number => words[ROWS / 4 + row * ROW_WORDS + at] ?? 0;
  return {
    bytes,
    scan(input) {
      bytes.set(input, INPUT);
      const end = INPUT + input.length;
      bytes.fill(0, end, end + PADDING);
      const rows = scan(INPUT, end, ROWS, ROWS_MAX);
      return { rows, end: (words[STOPPED_AT] ?? INPUT) - INPUT, stop: STOPS[words[STOPPED_WHY] ?? 0] ?? "refused" };
    },
    start: (row) => word(row, 0) - INPUT,
    end: (row) => word(row, 1) - INPUT,
    isUnusual: (row) => word(row, 2) !== 0,
    hasObject: (row, inner) => (word(row, 3) & (1 << inner)) !== 0,
    value: (row, slot) => word(row, ROW_FIRST_SLOT + slot),
  };
}

interface Kernel {
  scan(from: number, to: number, rows: number, rowsMax: number): number;
  readonly memory: ArrayBuffer;
}

function openKernel(): Kernel | undefined {
  const code = Buffer.from(JSON_LINES_WASM, "base64");
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(code)) return undefined;
  const { scan, memory } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
  if (typeof scan !== "function" || !(memory instanceof WebAssembly.Memory)) return undefined;
  return { scan: scan as Kernel["scan"], memory: memory.buffer };
}

function writeTables(memory: Uint8Array, tables: readonly NameTable[]): void {
  if (tables.length > TABLES_MAX) throw new RangeError(`${tables.length} tables of names, at most ${TABLES_MAX}`);
  for (let place = 0; place < NAME_BYTES; place += 1) {
    memory.fill(0xff, BEHIND + place * NAME_BYTES + place + 1, BEHIND + (place + 1) * NAME_BYTES);
  }
  for (const [number, { names, refused = "\\" }] of tables.entries()) {
    const table = TABLES + number * TABLE_BYTES;
    memory.fill(refused.charCodeAt(0), table + TABLE_REFUSED, table + TABLE_REFUSED + NAME_BYTES);
    const taken = new Set<number>();
    for (const [name, { slot, inner = 0 }] of Object.entries(names)) {
      const padded = new Uint8Array(NAME_BYTES);
      padded.set(new TextEncoder().encode(name), NAME_BYTES - name.length);
      const place = placeOf(padded);
      if (taken.has(place)) throw new RangeError(`"${name}" and another name of its table have one place`);
      taken.add(place);
      memory.set(padded, table + place * NAME_BYTES);
      memory[table + TABLE_SLOTS + place] = slot;
      memory[table + TABLE_INNER + place] = inner;
    }
  }
}

/** The kernel's hash of a name: the top six bits, one of 64 places. */
function placeOf(name: Uint8Array): number {
  const halves = new DataView(name.buffer);
  const mixed = halves.getBigUint64(0, true) ^ halves.getBigUint64(8, true);
  return Number(BigInt.asUintN(64, mixed * HASH) >> 58n);
}
