/** Work on a large request in slices, so that no other request waits for the whole of it. */

const SLICE_BYTES = 256 * 1024;

/** Gives way to others whenever a slice's worth of bytes has been worked on. */
export class Turns {
  #since = 0;

  /** Awaits others' turns if it is time for them. */
  async worked(bytes: number): Promise<void> {
    this.#since += bytes;
    if (this.#since < SLICE_BYTES) return;
    this.#since = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
