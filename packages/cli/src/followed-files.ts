/**
 * Files and folders that are followed: their events, as they are written. Looked at again and again rather than watched,
 * because watching is blind on network drives.
 *
 * What a file may do: grow (a line that is not complete waits for its end), be renamed or deleted (it is read to its end), be
 * replaced by another of its name, be cut short and begin anew. A binary log is read again when it changes, and gives the
 * records behind the last one seen.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDecoder, type DecodedEvent, type DecodedItem, type DecodeFailure, type Decoder } from "@culprit/formats";
import type { EpochMs } from "@culprit/model";
import { FollowedFile } from "./followed-file.ts";

/** More are not followed, and the first that is left out is told. */
const FILES_MAX = 4_096;
/** Looks without growth after which an open block of text is complete. */
const QUIET_LOOKS = 10;
/** Rows need the heading that was read with the first of them. */
const TABLES: ReadonlySet<string> = new Set(["csv", "viewer-csv"]);

const NO_RECORD = -1n;

interface Followed {
  readonly file: FollowedFile;
  decoder: Decoder;
  /** Whether something may be open in the decoder, and for how many looks nothing has come. */
  isOpen: boolean;
  quietLooks: number;
  hasTable: boolean;
  /** The last record of a binary log that was given. */
  lastRecord: bigint;
}

export interface FollowOptions {
  readonly zone: string;
  now(): EpochMs;
  onFailure(failure: DecodeFailure): void;
}

export class FollowedFiles {
  readonly #paths: readonly string[];
  readonly #options: FollowOptions;
  readonly #followed = new Map<string, Followed>();
  #isFull = false;

  /** `paths` are files, which may come later, and folders with all files under them. */
  constructor(paths: readonly string[], options: FollowOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  /** What has been added since the last look. Errors: none; what cannot be read is told to `onFailure`. */
  async *look(): AsyncGenerator<DecodedEvent> {
    const present = await this.#present();
    for (const [id, path] of present) {
      const followed = this.#followed.get(id) ?? (await this.#begin(id, path));
      if (followed === undefined) continue;
      followed.file.path = path;
      yield* this.#grown(followed);
    }
    for (const [id, followed] of this.#followed) {
      if (present.has(id)) continue;
      // Renamed out of sight, or deleted: whoever writes it may not have noticed yet.
      yield* this.#grown(followed);
      if (followed.quietLooks > 0) yield* this.#end(id, followed);
    }
  }

  /** What is left in open blocks; closes the files. */
  async *end(): AsyncGenerator<DecodedEvent> {
    yield* this.look();
    for (const [id, followed] of this.#followed) yield* this.#end(id, followed);
  }

  /** Every file there is now, by its identity. */
  async #present(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const path of await this.#files()) {
      const there = await stat(path).catch(() => undefined);
      if (there?.isFile() === true) found.set(`${there.dev}:${there.ino}`, path);
    }
    return found;
  }

  async #files(): Promise<readonly string[]> {
    const files: string[] = [];
    for (const path of this.#paths) {
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory() !== true) files.push(path);
      else {
        const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
        const inside = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
        files.push(...inside.sort());
      }
    }
    return files;
  }

  async #begin(id: string, path: string): Promise<Followed | undefined> {
    if (this.#followed.size >= FILES_MAX) {
      if (!this.#isFull) this.#tell(path, `more than ${FILES_MAX} files: this one and others are not followed`);
      this.#isFull = true;
      return undefined;
    }
    try {
      const file = await FollowedFile.open(path);
      const followed: Followed = {
        file,
        decoder: this.#decoder(path),
        isOpen: false,
        quietLooks: 0,
        hasTable: false,
        lastRecord: NO_RECORD,
      };
      this.#followed.set(id, followed);
      return followed;
    } catch (error) {
      this.#tell(path, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async *#grown(followed: Followed): AsyncGenerator<DecodedEvent> {
    const { file } = followed;
    let hasGrown = false;
    try {
      for await (const { isAnew, bytes } of file.growth()) {
        if (isAnew) yield* this.#restart(followed);
        hasGrown = true;
        followed.isOpen = true;
        yield* this.#events(followed, followed.decoder.push(bytes));
      }
    } catch (error) {
      this.#tell(file.path, error instanceof Error ? error.message : String(error));
    }
    followed.quietLooks = hasGrown ? 0 : followed.quietLooks + 1;
    const isWhole = file.isBinary || (followed.quietLooks === QUIET_LOOKS && !followed.hasTable);
    if (followed.isOpen && isWhole) yield* this.#restart(followed);
  }

  /** Ends what is open, and begins with a decoder that has seen nothing. */
  *#restart(followed: Followed): Iterable<DecodedEvent> {
    if (followed.isOpen) yield* this.#events(followed, followed.decoder.end());
    followed.decoder = this.#decoder(followed.file.path);
    followed.isOpen = false;
    followed.hasTable = false;
  }

  async *#end(id: string, followed: Followed): AsyncGenerator<DecodedEvent> {
    yield* this.#restart(followed);
    this.#followed.delete(id);
    await followed.file.close();
  }

  *#events(followed: Followed, items: Iterable<DecodedItem>): Iterable<DecodedEvent> {
    const { isBinary } = followed.file;
    for (const item of items) {
      if (TABLES.has(item.source.format)) followed.hasTable = true;
      if (item.event === undefined) {
        // What is damaged in a binary log is told once, not with every change.
        if (!isBinary || followed.lastRecord === NO_RECORD) this.#options.onFailure(item);
        continue;
      }
      if (!isBinary) yield item;
      else if (BigInt(item.event.recordId ?? 0) > followed.lastRecord) {
        followed.lastRecord = BigInt(item.event.recordId ?? 0);
        yield item;
      }
    }
  }

  #decoder(path: string): Decoder {
    return createDecoder({ zone: this.#options.zone, receivedAt: this.#options.now(), path });
  }

  #tell(path: string, detail: string): void {
    this.#options.onFailure({
      failure: { reason: "input.unreadable", detail },
      record: new Uint8Array(0),
      source: { format: "unknown", offset: 0, path },
    });
  }
}
