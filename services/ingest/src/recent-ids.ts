/**
 * Which events were stored lately, so that a sender that did not hear our answer and sends again is not stored twice.
 * Ids that fall out of the window are not lost: an event stored twice still has one id, and later stages collapse it.
 */

/** Remembers the newest ids, the oldest forgotten first; and which are being stored right now. */
export class RecentIds {
  readonly #max: number;
  readonly #stored = new Set<string>();
  readonly #storing = new Map<string, Promise<void>>();

  constructor(max: number) {
    this.#max = max;
  }

  isStored(id: string): boolean {
    return this.#stored.has(id);
  }

  /** Settles with the attempt that is storing this id now, if there is one. */
  storing(id: string): Promise<void> | undefined {
    return this.#storing.get(id);
  }

  /** Marks ids as being stored until the attempt settles, and as stored if it succeeds. */
  async track(ids: readonly string[], attempt: Promise<void>): Promise<void> {
    for (const id of ids) this.#storing.set(id, attempt);
    try {
      await attempt;
      for (const id of ids) this.#stored.add(id);
      this.#forgetOldest();
    } finally {
      for (const id of ids) this.#storing.delete(id);
    }
  }

  #forgetOldest(): void {
    for (const id of this.#stored) {
      if (this.#stored.size <= this.#max) return;
      this.#stored.delete(id);
    }
  }
}
