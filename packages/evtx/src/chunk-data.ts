/**
 * The bytes of one chunk and what is remembered while it is read: names and templates by their offset, and how much work
 * is still allowed. All offsets inside a chunk count from its start.
 */
import { Damage } from "./failure.ts";
import { CHUNK_SIZE } from "./file-header.ts";
import type { Template } from "./nodes.ts";
import type { Scanner } from "./scan.ts";
import { generationOfStrings, stringId } from "./strings.ts";
import { utf16Text } from "./text.ts";

/** Element and attribute names of Windows stay far below; a longer one is damage. */
const NAME_UNITS_MAX = 512;
/** Binary XML parsed into nodes per chunk. A chunk holds 64 KiB; only overlapping templates can ask for more. */
const PARSED_BYTES_MAX = 512 * 1024;

/**
 * Ids of names by their offset in a chunk. The tables serve all chunks in turn: an entry counts when its mark is that of the
 * chunk and of the generation of ids. Clearing tables of this size for each chunk would cost more than reading it.
 */
const nameIds = new Int32Array(CHUNK_SIZE);
const nameMarks = new Float64Array(CHUNK_SIZE);
let stamps = 0;

/**
 * Text and nodes that one chunk may come to. Windows stays below a tenth; more takes templates that repeat one value again
 * and again, and would let 64 KiB cost minutes.
 */
const CHARACTERS_MAX = 8 * 1024 * 1024;
const NODES_MAX = 400_000;

export class ChunkData {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly length: number;
  /** Where the chunk starts in the file. */
  readonly offset: number;
  /** Encoding of ANSI strings, a label that `TextDecoder` knows. */
  readonly ansiEncoding: string;
  /** Templates by where their definition starts; for one that cannot be read, why. */
  readonly templates = new Map<number, Template | Damage>();
  /** Made when the first template is scanned. */
  scanner: Scanner | undefined;
  private readonly stamp: number;
  private parsedBytes = 0;
  private characters = 0;
  private nodes = 0;

  constructor(bytes: Uint8Array, offset: number, ansiEncoding: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
    this.offset = offset;
    this.ansiEncoding = ansiEncoding;
    stamps += 1;
    this.stamp = stamps;
  }

  /** Refuses a range that leaves `end`, which is itself inside the chunk. */
  need(at: number, size: number, end: number): void {
    if (at + size > end) throw new Damage("evtx.binxml", `${size} bytes at ${at} reach past ${end}`, at);
  }

  /** Whether two ranges, both inside the chunk, hold the same bytes. */
  hasSame(a: number, b: number, size: number): boolean {
    const { view } = this;
    let i = 0;
    for (; i + 4 <= size; i += 4) if (view.getInt32(a + i, true) !== view.getInt32(b + i, true)) return false;
    for (; i < size; i += 1) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false;
    return true;
  }

  /** Length in bytes of the name stored at an offset, its head and its closing NUL included. */
  nameSize(at: number): number {
    this.need(at, 8, this.length);
    return 10 + 2 * this.view.getUint16(at + 6, true);
  }

  /** The name stored at an offset. */
  name(at: number): string {
    this.need(at, 8, this.length);
    const units = this.view.getUint16(at + 6, true);
    if (units > NAME_UNITS_MAX) throw new Damage("evtx.limit", `a name of ${units} characters`, at);
    this.need(at + 8, units * 2, this.length);
    return utf16Text(this.view, at + 8, units * 2);
  }

  /** The id of the name stored at an offset, see `strings.ts`. */
  nameId(at: number): number {
    const mark = this.stamp + generationOfStrings() * 0x1_0000_0000;
    if (at < CHUNK_SIZE && nameMarks[at] === mark) return nameIds[at] as number;
    const id = stringId(this.name(at));
    nameMarks[at] = mark;
    nameIds[at] = id;
    return id;
  }

  /** Books the parsing of binary XML; refuses when a chunk asks for far more than it holds. */
  charge(size: number, at: number): void {
    this.parsedBytes += size;
    if (this.parsedBytes > PARSED_BYTES_MAX) throw new Damage("evtx.limit", "templates overlap beyond reason", at);
  }

  /** Books what a record came to. */
  spend(characters: number, nodes: number): void {
    this.characters += characters;
    this.nodes += nodes;
    if (this.characters > CHARACTERS_MAX || this.nodes > NODES_MAX) {
      throw new Damage("evtx.limit", "the records of a chunk repeat its values beyond reason");
    }
  }
}
