/** Bytes held in memory for all senders together, so that many slow ones cannot take more than was allowed. */

/** What is held by all; who wants more asks for a lease. */
export class Budget {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get held(): number {
    return this.#held;
  }

  /** A share for one request or connection, empty at first. */
  lease(): Lease {
    let own = 0;
    const grow = (bytes: number): boolean => {
      // Whoever is alone is never refused for its own size: other limits bound that.
      if (bytes > 0 && this.#held + bytes > this.#max && this.#held > own) return false;
      own += bytes;
      this.#held += bytes;
      return true;
    };
    return { grow, set: (bytes) => grow(bytes - own), release: () => void grow(-own) };
  }
}

export interface Lease {
  /** Takes more; false where there is no room, and nothing changes. */
  grow(bytes: number): boolean;
  /** Takes or gives back until it holds so many. */
  set(bytes: number): boolean;
  release(): void;
}
