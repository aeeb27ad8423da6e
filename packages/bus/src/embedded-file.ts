/**
 * Opens the embedded log's database so that what is committed is durable and nobody else can open it: write-ahead log,
 * `synchronous=FULL`, and SQLite's exclusive lock, which the system takes back from a process that is killed. The lock says
 * nothing about its owner, so the owner writes its process id beside it.
 *
 * SQLite's locks end when any other descriptor of the file is closed in this process: nothing here may open the file besides SQLite.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "@culprit/model";
import { faultOf } from "./sqlite-fault.ts";

export const MEMORY_PATH = ":memory:";

const SCHEMA_VERSION = 1;
const PAGE_BYTES = 16_384;
const CHECKPOINT_PAGES = 1_000;
const JOURNAL_MAX_BYTES = 64 * 1024 * 1024;

const SCHEMA = `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, compacted INTEGER NOT NULL,
    next_offset INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition)
  ) STRICT;
  CREATE TABLE positions (
    member TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (member, topic, partition)
  ) STRICT;
  CREATE TABLE damaged (
    stream INTEGER NOT NULL, first_offset INTEGER NOT NULL, PRIMARY KEY (stream, first_offset)
  ) STRICT;
`;

export interface OpenedFile {
  readonly db: DatabaseSync;
  /** Frames at the end of the write-ahead log that belonged to no finished commit and were cut. */
  readonly tornFrames: number;
  close(): void;
}

/**
 * Opens or creates the database at `path`.
 * Errors: `bus.owned` naming the process that has it, `bus.newer-data`, `bus.damaged`, `bus.full`.
 */
export function openFile(path: string, sizeMaxBytes: number): OpenedFile {
  const inMemory = path === MEMORY_PATH;
  if (!inMemory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Written by the owner only after it has the lock, so reading it before we have it tells of the owner, if there is one.
  const frames = inMemory ? 0 : framesOfLastGeneration(`${path}-wal`);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=${PAGE_BYTES}`);
    db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    db.exec(`PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}; PRAGMA journal_size_limit=${JOURNAL_MAX_BYTES}`);
    db.exec(`PRAGMA max_page_count=${Math.max(64, Math.floor(sizeMaxBytes / pageBytes(db)))}`);
    const recovered = Number((db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() as { log: number }).log);
    migrate(db, path);
    if (!inMemory) writeFileSync(ownerPath(path), JSON.stringify({ pid: process.pid }), { mode: 0o600 });
    return {
      db,
      tornFrames: Math.max(0, frames - Math.max(0, recovered)),
      close() {
        if (!inMemory) rmSync(ownerPath(path), { force: true });
        db.close();
      },
    };
  } catch (error) {
    db.close();
    throw openFault(error, path);
  }
}

function openFault(error: unknown, path: string): Fault {
  const fault = faultOf(error, { path });
  if (fault.code !== "bus.locked") return fault;
  const owner = ownerOf(path);
  return new Fault("bus.owned", `the data directory ${dirname(path)} is in use by process ${owner}; stop it first`, {
    cause: error,
    fields: { path, owner },
  });
}

function ownerPath(path: string): string {
  return join(dirname(path), "owner.json");
}

function ownerOf(path: string): number | string {
  try {
    const { pid } = JSON.parse(readFileSync(ownerPath(path), "utf8")) as { pid?: unknown };
    return typeof pid === "number" ? pid : "unknown";
  } catch {
    return "unknown";
  }
}

function pageBytes(db: DatabaseSync): number {
  return Number((db.prepare("PRAGMA page_size").get() as { page_size: number }).page_size);
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number((db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version);
  if (version === SCHEMA_VERSION) return;
  if (version > SCHEMA_VERSION) {
    throw new Fault(
      "bus.newer-data",
      `${path} was written by a newer version (layout ${version}, this one reads ${SCHEMA_VERSION}); ` +
        "go back to that version, or start with an empty data directory",
      { fields: { path, version } },
    );
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`);
}

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Counts the frames that the last writer appended to the write-ahead log, finished or not: those that carry the salts of the log's header.
 * Source: sqlite.org "WAL file format". Zero where there is no readable log.
 */
function framesOfLastGeneration(walPath: string): number {
  if (!existsSync(walPath)) return 0;
  const file = openSync(walPath, "r");
  try {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    if (readSync(file, header, 0, WAL_HEADER_BYTES, 0) < WAL_HEADER_BYTES) return 0;
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    let count = 0;
    for (;;) {
      const read = readSync(file, frame, 0, FRAME_HEADER_BYTES, WAL_HEADER_BYTES + count * frameBytes);
      if (read < FRAME_HEADER_BYTES || frame.compare(header, 16, 24, 8, 16) !== 0) return count;
      count += 1;
    }
  } finally {
    closeSync(file);
  }
}
