/**
 * Puts GELF messages together that came in several datagrams: `1e 0f`, 8 bytes id, place, count, then the part. Parts may
 * come in any order and twice; a message whose parts do not all come in time is dropped and counted, and so is the oldest
 * one where parts take more memory than they may.
 *
 * Source: FORMATS.md section 7.
 */

const MAGIC = [0x1e, 0x0f] as const;
const HEADER_BYTES = 12;
const CHUNKS_MAX = 128;
/** What a part costs besides its bytes. */
const OVERHEAD_BYTES = 200;

interface ChunkSet {
  readonly since: number;
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  cost: number;
}

/** @internal */
export type ChunkDrop = "chunks-late" | "chunks-no-room";

export interface ChunkSetsOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  onDrop(reason: ChunkDrop): void;
}

export type ChunkOutcome =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "waiting" }
  | { readonly kind: "malformed"; readonly detail: string };

/** Whether a datagram is a part of a message. */
export function isChunk(datagram: Uint8Array): boolean {
  return datagram[0] === MAGIC[0] && datagram[1] === MAGIC[1];
}

export class ChunkSets {
  readonly #options: ChunkSetsOptions;
  /** In the order in which they began. */
  readonly #sets = new Map<string, ChunkSet>();
  #bytes = 0;

  constructor(options: ChunkSetsOptions) {
    this.#options = options;
  }

  /** Parts in memory, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a part. Units: `elapsedMs` is of a clock that only goes forward. */
  add(datagram: Uint8Array, { remote, elapsedMs }: { remote: string; elapsedMs: number }): ChunkOutcome {
    this.expire(elapsedMs);
    const [place = 0, count = 0] = datagram.subarray(10, HEADER_BYTES);
    if (datagram.length <= HEADER_BYTES) return { kind: "malformed", detail: "a part without content" };
    if (count === 0 || count > CHUNKS_MAX || place >= count) {
      return { kind: "malformed", detail: `part ${place} of ${count}` };
    }
    const key = `${remote} ${Buffer.from(datagram.subarray(2, 10)).toString("hex")}`;
    const set = this.#sets.get(key) ?? this.#begin(key, count, elapsedMs);
    if (set.parts.length !== count) return { kind: "malformed", detail: `${count} parts, after ${set.parts.length}` };
    if (set.parts[place] !== undefined) return { kind: "waiting" };
    const part = new Uint8Array(datagram.subarray(HEADER_BYTES));
    set.parts[place] = part;
    set.missing -= 1;
    set.cost += part.length + OVERHEAD_BYTES;
    this.#bytes += part.length + OVERHEAD_BYTES;
    if (set.missing === 0) {
      this.#remove(key, set);
      return { kind: "message", bytes: Buffer.concat(set.parts.filter((held) => held !== undefined)) };
    }
    this.#makeRoom();
    return { kind: "waiting" };
  }

  /** Drops messages whose time is up. */
  expire(elapsedMs: number): void {
    for (const [key, set] of this.#sets) {
      if (elapsedMs - set.since < this.#options.timeoutMs) return;
      this.#remove(key, set);
      this.#options.onDrop("chunks-late");
    }
  }

  #begin(key: string, count: number, since: number): ChunkSet {
    const set: ChunkSet = {
      since,
      parts: new Array<Uint8Array | undefined>(count).fill(undefined),
      missing: count,
      cost: 0,
    };
    this.#sets.set(key, set);
    return set;
  }

  #makeRoom(): void {
    for (const [key, set] of this.#sets) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.#remove(key, set);
      this.#options.onDrop("chunks-no-room");
    }
  }

  #remove(key: string, set: ChunkSet): void {
    this.#sets.delete(key);
    this.#bytes -= set.cost;
  }
}
