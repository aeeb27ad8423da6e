/**
 * The embedded log's tables, synchronously: one table per partition of a topic, one row per batch; a compacted topic has one
 * row per key instead and its offsets move as keys are written anew, which makes the table its own change feed.
 *
 * A row whose checksum is wrong, or that SQLite cannot read, is written to the dead letters and to `damaged` once, stays where
 * it is, and is passed over from then on.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { deadLetter, Fault, TOPICS } from "@culprit/model";
import { MEMORY_PATH, type OpenedFile, openFile } from "./embedded-file.ts";
import type {
  ReadRequest,
  ReadResult,
  RetainResult,
  Row,
  ScanRequest,
  ScanResult,
  StoredPosition,
  StoreOptions,
  StoreStats,
  StreamEnds,
  StreamSpec,
  WriteRequest,
  WriteResult,
} from "./embedded-protocol.ts";
import { numberOf, openStreams, type Stream } from "./embedded-streams.ts";
import { checksumOf, encodeMessages } from "./frame.ts";
import { isCorrupt } from "./sqlite-fault.ts";

const RETAIN_ROWS_MAX = 500;
const STATFS_EVERY_MS = 200;

export class EmbeddedStore {
  readonly #file: OpenedFile;
  readonly #db: DatabaseSync;
  readonly #options: StoreOptions;
  readonly #streams: Map<number, Stream>;
  readonly #damaged = new Set<string>();
  readonly #saveNext: StatementSync;
  readonly #savePosition: StatementSync;
  readonly #sizes: { readonly pages: StatementSync; readonly free: StatementSync; readonly pageBytes: number };
  readonly #counts = { batches: 0, commits: 0, damaged: 0, retained: 0 };
  #heldBatches = 0;
  #diskFree = Number.POSITIVE_INFINITY;
  #diskAskedAt = Number.NEGATIVE_INFINITY;

  /** Errors: as `openFile`, and `bus.partitions-changed` or `bus.compaction-changed` where topics are stored otherwise. */
  constructor(options: StoreOptions) {
    this.#options = options;
    this.#file = openFile(options.path, options.sizeMaxBytes);
    const db = this.#file.db;
    this.#db = db;
    try {
      this.#streams = openStreams(db, options.streams);
      for (const row of db.prepare("SELECT stream, first_offset AS at FROM damaged").iterate()) {
        this.#damaged.add(`${row["stream"]}/${row["at"]}`);
      }
      this.#saveNext = db.prepare("UPDATE streams SET next_offset = ? WHERE id = ?");
      this.#savePosition = db.prepare(
        `INSERT INTO positions (member, topic, partition, position) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET position = excluded.position`,
      );
      this.#sizes = {
        pages: db.prepare("PRAGMA page_count"),
        free: db.prepare("PRAGMA freelist_count"),
        pageBytes: numberOf(db.prepare("PRAGMA page_size").get()),
      };
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get streams(): readonly StreamSpec[] {
    return [...this.#streams.values()].map(({ id, topic, partition, retentionMs }) => ({
      id,
      topic,
      partition,
      retentionMs,
    }));
  }

  stats(): StoreStats {
    return {
      stored_batches_total: this.#counts.batches,
      commits_total: this.#counts.commits,
      damaged_batches_total: this.#counts.damaged,
      retention_deleted_batches_total: this.#counts.retained,
      retention_held_batches: this.#heldBatches,
      torn_frames_total: this.#file.tornFrames,
      used_bytes: this.#usedBytes(),
    };
  }

  /**
   * Stores several requests with one sync: all of them or none.
   * Errors: `bus.full` before anything is touched; an error of SQLite, after which nothing of the group is stored.
   */
  writeAll(requests: readonly WriteRequest[]): readonly WriteResult[] {
    this.#refuseWhenFull(requests);
    return this.#transaction(() => requests.map((request) => this.#write(request)));
  }

  #write(request: WriteRequest): WriteResult {
    const touched = new Set<number>();
    for (const entry of request.entries) {
      const stream = this.#stream(entry.stream);
      const firstOffset = stream.nextOffset;
      const checksum = checksumOf(entry.body, { ...stream, firstOffset });
      stream.append(entry, { firstOffset, at: request.at, checksum });
      stream.nextOffset += entry.count;
      touched.add(stream.id);
      this.#counts.batches += 1;
    }
    for (const id of touched) this.#saveNext.run(this.#stream(id).nextOffset, id);
    if (request.position !== undefined) this.#storePosition(request.position);
    return { streams: [...touched] };
  }

  #storePosition(at: StoredPosition): void {
    this.#savePosition.run(at.group, at.topic, at.partition, at.position);
  }

  #transaction<T>(work: () => T): T {
    const before = [...this.#streams.values()].map((stream) => [stream, stream.nextOffset] as const);
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      this.#counts.commits += 1;
      return result;
    } catch (error) {
      for (const [stream, nextOffset] of before) stream.nextOffset = nextOffset;
      // Some errors (a full disk among them) have rolled back already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #usedBytes(): number {
    return (numberOf(this.#sizes.pages.get()) - numberOf(this.#sizes.free.get())) * this.#sizes.pageBytes;
  }

  #refuseWhenFull(requests: readonly WriteRequest[]): void {
    if (!requests.some((request) => request.bulk)) return;
    const { sizeMaxBytes, reserveBytes, path } = this.#options;
    let bytes = 0;
    for (const { entries } of requests) for (const entry of entries) bytes += entry.body.length;
    const free = Math.min(sizeMaxBytes - this.#usedBytes(), this.#freeOnDisk());
    if (free - bytes >= reserveBytes) return;
    throw new Fault("bus.full", `the embedded log has ${free} bytes left, of which ${reserveBytes} are a reserve`, {
      retriable: true,
      fields: { path, free, reserve: reserveBytes },
    });
  }

  #freeOnDisk(): number {
    const { path } = this.#options;
    if (path === MEMORY_PATH) return Number.POSITIVE_INFINITY;
    const now = performance.now();
    if (now - this.#diskAskedAt >= STATFS_EVERY_MS) {
      const { bavail, bsize } = statfsSync(dirname(path));
      this.#diskFree = bavail * bsize;
      this.#diskAskedAt = now;
    }
    return this.#diskFree;
  }

  /** Batches of a stream from an offset on; at least one row if there is any, then up to the limits. */
  read({ stream: id, from, messagesMax, bytesMax, now }: ReadRequest): ReadResult {
    const stream = this.#stream(id);
    const rows: Row[] = [];
    let messages = 0;
    let bytes = 0;
    let next = from;
    for (const head of stream.heads.iterate(from) as Iterable<Record<string, number>>) {
      const firstOffset = head["first_offset"] as number;
      const count = head["count"] as number;
      if (rows.length > 0 && (messages >= messagesMax || bytes >= bytesMax))
        return { rows, next, end: stream.nextOffset };
      const body = this.#bodyAt(stream, firstOffset, now);
      next = firstOffset + count;
      if (body === undefined) continue;
      rows.push({ firstOffset, body });
      messages += count;
      bytes += body.length;
    }
    return { rows, next: Math.max(next, stream.nextOffset), end: stream.nextOffset };
  }

  /** The rows of a compacted topic under a range of keys, in the order of their last change; removed keys are left out. */
  scan({ stream: id, low, high, now }: ScanRequest): ScanResult {
    const stream = this.#stream(id);
    if (stream.keys === undefined) throw new Fault("bus.failed", `topic ${stream.topic} is not compacted`);
    const found = stream.keys.all(low, high);
    const rows: Row[] = [];
    const damagedKeys: string[] = [];
    for (const row of found) {
      const firstOffset = Number(row["first_offset"]);
      const body = this.#bodyAt(stream, firstOffset, now);
      if (body === undefined) damagedKeys.push(String(row["key"]));
      else rows.push({ firstOffset, body });
    }
    return { rows, damagedKeys };
  }

  #bodyAt(stream: Stream, firstOffset: number, now: number): Uint8Array | undefined {
    if (this.#damaged.has(`${stream.id}/${firstOffset}`)) return undefined;
    let body: Uint8Array = new Uint8Array(0);
    try {
      const row = stream.body.get(firstOffset);
      body = row?.["body"] as Uint8Array;
      if (checksumOf(body, { ...stream, firstOffset }) === row?.["checksum"]) return body;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
    this.#setAside(stream, firstOffset, body, now);
    return undefined;
  }

  /** Notes a damaged row in `damaged` and in the dead letters; where even that cannot be stored, for this process only. */
  #setAside(stream: Stream, firstOffset: number, body: Uint8Array, now: number): void {
    this.#damaged.add(`${stream.id}/${firstOffset}`);
    this.#counts.damaged += 1;
    const letter = deadLetter(body, {
      stage: "bus",
      failure: { reason: "bus.damaged-batch", detail: "the checksum of a stored batch is wrong" },
      at: now,
      source: { topic: stream.topic, partition: String(stream.partition), offset: String(firstOffset) },
    });
    const target = [...this.#streams.values()].find(({ topic }) => topic === TOPICS["dead-letters"].name);
    const message = { topic: TOPICS["dead-letters"].name, key: stream.topic, value: letter };
    try {
      this.#transaction(() => {
        this.#db.prepare("INSERT INTO damaged (stream, first_offset) VALUES (?, ?)").run(stream.id, firstOffset);
        if (target === undefined) return;
        const entries = [{ stream: target.id, body: encodeMessages([message], now), count: 1 }];
        this.#write({ kind: "write", entries, at: now, bulk: false });
      });
    } catch (error) {
      if (isCorrupt(error)) throw error;
    }
  }

  ends(): readonly StreamEnds[] {
    return [...this.#streams.values()].map((stream) => ({
      stream: stream.id,
      start: numberOf(stream.start.get(), stream.nextOffset),
      end: stream.nextOffset,
    }));
  }

  positions(group: string, topic: string): readonly StoredPosition[] {
    const rows = this.#db
      .prepare("SELECT partition, position FROM positions WHERE member = ? AND topic = ? ORDER BY partition")
      .all(group, topic);
    return rows.map((row) => ({
      group,
      topic,
      partition: Number(row["partition"]),
      position: Number(row["position"]),
    }));
  }

  /** Forgets how far a group has come, so that it no longer holds batches back from retention. */
  forgetGroup(group: string, topic: string): void {
    this.#db.prepare("DELETE FROM positions WHERE member = ? AND topic = ?").run(group, topic);
  }

  /**
   * Deletes what is older than its topic keeps and has been read by every group that has a position; removed keys of compacted
   * topics go after the longest of these times. At most `RETAIN_ROWS_MAX` rows a call and stream, so that writers need not wait.
   */
  retain(now: number): RetainResult {
    let deletedBatches = 0;
    let heldBatches = 0;
    const tombstonesMs = Math.max(0, ...[...this.#streams.values()].map(({ retentionMs }) => retentionMs ?? 0));
    for (const stream of this.#streams.values()) {
      const before = now - (stream.retentionMs ?? tombstonesMs);
      const unread = this.#lowestPosition(stream);
      deletedBatches += Number(stream.retain.run(before, unread, stream.id, RETAIN_ROWS_MAX).changes);
      if (stream.held !== undefined) heldBatches += numberOf(stream.held.get(before, unread, stream.id));
    }
    this.#counts.retained += deletedBatches;
    this.#heldBatches = heldBatches;
    return { deletedBatches, heldBatches };
  }

  #lowestPosition({ topic, partition }: Stream): number {
    const row = this.#db
      .prepare("SELECT min(position) FROM positions WHERE topic = ? AND partition = ?")
      .get(topic, partition);
    return numberOf(row, Number.MAX_SAFE_INTEGER);
  }

  #stream(id: number): Stream {
    const stream = this.#streams.get(id);
    if (stream === undefined) throw new Fault("bus.failed", `there is no stream ${id}`);
    return stream;
  }

  close(): void {
    this.#file.close();
  }
}
