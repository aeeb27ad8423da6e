/**
 * The bytes of one chunk and what is remembered while it is read: names and templates by their offset, and how much work
 * is still allowed. All offsets inside a chunk count from its start.
 */
import { Damage } from "./failure.ts";
import type { Template } from "./nodes.ts";
import { utf16Text } from "./text.ts";

/** Element and attribute names of Windows stay far below; a longer one is damage. */
const NAME_UNITS_MAX = 512;
/** Binary XML parsed into nodes per chunk. A chunk holds 64 KiB; only overlapping templates can ask for more. */
const PARSED_BYTES_MAX = 512 * 1024;

export class ChunkData {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly length: number;
  /** Where the chunk starts in the file. */
  readonly offset: number;
  /** Encoding of ANSI strings, a label that `TextDecoder` knows. */
  readonly ansiEncoding: string;
  readonly templates = new Map<number, Template>();
  private readonly names = new Map<number, string>();
  private parsedBytes = 0;

  constructor(bytes: Uint8Array, offset: number, ansiEncoding: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
    this.offset = offset;
    this.ansiEncoding = ansiEncoding;
  }

  /** Refuses a range that leaves `end`, which is itself inside the chunk. */
  need(at: number, size: number, end: number): void {
    if (at + size > end) throw new Damage("evtx.binxml", `${size} bytes at ${at} reach past ${end}`, at);
  }

  /** Length in bytes of the name stored at an offset, its head and its closing NUL included. */
  nameSize(at: number): number {
    this.need(at, 8, this.length);
    return 10 + 2 * this.view.getUint16(at + 6, true);
  }

  /** The name stored at an offset. */
  name(at: number): string {
    const held = this.names.get(at);
    if (held !== undefined) return held;
    this.need(at, 8, this.length);
    const units = this.view.getUint16(at + 6, true);
    if (units > NAME_UNITS_MAX) throw new Damage("evtx.limit", `a name of ${units} characters`, at);
    this.need(at + 8, units * 2, this.length);
    const text = utf16Text(this.bytes, at + 8, units * 2);
    this.names.set(at, text);
    return text;
  }

  /** Books the parsing of binary XML; refuses when a chunk asks for far more than it holds. */
  charge(size: number, at: number): void {
    this.parsedBytes += size;
    if (this.parsedBytes > PARSED_BYTES_MAX) throw new Damage("evtx.limit", "templates overlap beyond reason", at);
  }
}
