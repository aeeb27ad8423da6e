/**
 * A template instance: which template, and where its values lie. A value is 16 bits of size, 8 of type and 8 unused in a
 * table of descriptors, with the bytes of all values behind the table.
 *
 * Source: MS-EVEN6 2.2.12, libevtx "Template instance": the definition follows in place when its offset points there.
 */
import type { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import { NULL_TYPE } from "./value.ts";

/** A template definition's head: offset of the next one, GUID, size. */
const DEFINITION_HEAD = 24;
const USUAL_VALUES = 32;

/** One instance at a time; `open` may be called again, so that one frame serves a whole chunk. */
export class Frame {
  private readonly chunk: ChunkData;
  /** Where the binary XML of the template definition starts, and its size. */
  definitionAt = 0;
  definitionSize = 0;
  count = 0;
  /** Start of the table of descriptors. */
  private table = 0;
  /** Bound of the whole instance. */
  private limit = 0;
  /** `starts[i]` is known for i up to and including `located`. */
  private located = 0;
  private starts = new Int32Array(USUAL_VALUES);

  constructor(chunk: ChunkData) {
    this.chunk = chunk;
  }

  /**
   * Reads the head of the instance whose token (0x0c) stands at `at`; values are located as they are asked for.
   * Errors: `Damage` when the definition or the descriptors leave their bounds.
   */
  open(at: number, end: number): this {
    const { chunk } = this;
    const { view } = chunk;
    chunk.need(at, 10, end);
    const head = view.getUint32(at + 6, true);
    if (head + DEFINITION_HEAD > chunk.length) throw new Damage("evtx.binxml", `template at ${head}`, at);
    const size = view.getUint32(head + 20, true);
    chunk.need(head + DEFINITION_HEAD, size, chunk.length);
    let next = at + 10;
    if (head === next) next += DEFINITION_HEAD + size;
    chunk.need(next, 4, end);
    const count = view.getUint32(next, true);
    if (count * 4 > end - next - 4) throw new Damage("evtx.binxml", `${count} template values`, next);
    this.definitionAt = head + DEFINITION_HEAD;
    this.definitionSize = size;
    this.count = count;
    this.table = next + 4;
    this.limit = end;
    this.located = 0;
    if (this.starts.length <= count) this.starts = new Int32Array(count + USUAL_VALUES);
    this.starts[0] = next + 4 + count * 4;
    return this;
  }

  /** The type of a value; null for one that the instance does not have. */
  type(index: number): number {
    return index < this.count ? (this.chunk.bytes[this.table + index * 4 + 2] as number) : NULL_TYPE;
  }

  /** Where a value starts; `start(i + 1)` is where value i ends, `start(count)` where the instance ends. */
  start(index: number): number {
    if (index > this.located) this.locate(index);
    return this.starts[index] as number;
  }

  /** Bytes of a value. */
  size(index: number): number {
    return this.chunk.view.getUint16(this.table + index * 4, true);
  }

  private locate(index: number): void {
    const { starts, table } = this;
    const { view } = this.chunk;
    let start = starts[this.located] as number;
    for (let i = this.located; i < index; i += 1) {
      start += view.getUint16(table + i * 4, true);
      starts[i + 1] = start;
    }
    this.located = index;
    if (start > this.limit) {
      throw new Damage("evtx.binxml", `template values reach ${start - this.limit} bytes too far`, table);
    }
  }
}
