/**
 * One file that grows: what was written since the last look, as often as it is asked. A file is known by its inode, so that
 * one that was renamed is read to its end and never again from its beginning; one that was cut short, or whose beginning
 * is another, is read anew.
 */
import { type FileHandle, open } from "node:fs/promises";

const CHUNK_BYTES = 1 << 18;
/** How much of the beginning tells whether a file is still the one it was. */
const HEAD_BYTES = 256;
const BINARY_MARK = "ElfFile\0";

export interface Growth {
  /** Whether the file begins anew: what was open of it ends before these bytes. */
  readonly isAnew: boolean;
  readonly bytes: Uint8Array;
}

export class FollowedFile {
  /** Where it is now; its name may change. */
  path: string;
  readonly #handle: FileHandle;
  #offset = 0;
  #head: Uint8Array = new Uint8Array(0);
  #changedAt = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Errors: those of the file system. */
  static async open(path: string): Promise<FollowedFile> {
    return new FollowedFile(path, await open(path, "r"));
  }

  /** The pieces that have been added since the last time; nothing where there are none. Errors: those of the file system. */
  async *growth(): AsyncGenerator<Growth> {
    const { size, mtimeMs } = await this.#handle.stat();
    const isChanged = mtimeMs !== this.#changedAt;
    this.#changedAt = mtimeMs;
    const isSame = !isChanged || (!this.isBinary && (await this.#beginsAsBefore()));
    let isAnew = size < this.#offset || !isSame;
    if (isAnew) {
      this.#offset = 0;
      this.#head = new Uint8Array(0);
    }
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) break;
      const bytes = buffer.slice(0, bytesRead);
      this.#remember(bytes);
      this.#offset += bytesRead;
      yield { isAnew, bytes };
      isAnew = false;
    }
  }

  /** A log in binary is changed in its midst: with every change it begins anew. */
  get isBinary(): boolean {
    return Buffer.from(this.#head).toString("latin1").startsWith(BINARY_MARK);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #remember(bytes: Uint8Array): void {
    if (this.#offset !== this.#head.length || this.#head.length >= HEAD_BYTES) return;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
  }

  async #beginsAsBefore(): Promise<boolean> {
    const head = new Uint8Array(this.#head.length);
    const { bytesRead } = await this.#handle.read(head, 0, head.length, 0);
    return bytesRead === head.length && Buffer.from(head).equals(this.#head);
  }
}
