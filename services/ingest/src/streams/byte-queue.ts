/** Bytes of a stream that are not read yet. Adding costs the added bytes only, however small the pieces they come in. */

const CAPACITY_MIN = 4_096;
/** An empty queue keeps no more than this. */
const CAPACITY_KEPT = 1024 * 1024;

export class ByteQueue {
  #buffer = Buffer.allocUnsafe(CAPACITY_MIN);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is held, valid until the next `add`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  add(chunk: Uint8Array): void {
    const needed = this.length + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const isRoomy = needed <= this.#buffer.length / 2;
      const target = isRoomy ? this.#buffer : Buffer.allocUnsafe(Math.max(CAPACITY_MIN, needed * 2));
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#buffer = target;
      this.#end = this.length;
      this.#start = 0;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Passes over bytes from the front. */
  drop(count: number): void {
    this.#start += Math.min(count, this.length);
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#buffer.length > CAPACITY_KEPT) this.#buffer = Buffer.allocUnsafe(CAPACITY_MIN);
  }

  /** Bytes from the front as their own copy. */
  take(count: number): Uint8Array {
    const taken = new Uint8Array(this.bytes.subarray(0, count));
    this.drop(count);
    return taken;
  }
}
