/**
 * The tables behind the streams: a log by offset for topics kept by time, a table by key for compacted ones, and the
 * statements that work on them.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Fault } from "@culprit/model";
import type { Entry, StoreOptions, StreamSpec } from "./embedded-protocol.ts";

export interface Stream extends StreamSpec {
  nextOffset: number;
  append(entry: Entry, as: { readonly firstOffset: number; readonly at: number; readonly checksum: number }): void;
  /** (offset) -> `first_offset`, `count` of the batches that hold this offset or a later one. */
  readonly heads: StatementSync;
  /** (first offset) -> `checksum`, `body`. */
  readonly body: StatementSync;
  readonly start: StatementSync;
  /** (low, high) -> `first_offset`, `key`; only for a compacted topic. */
  readonly keys: StatementSync | undefined;
  /** (before, unread, stream, limit) deletes what may go. */
  readonly retain: StatementSync;
  /** (before, unread, stream) -> how many batches would go had they been read; only for a topic kept by time. */
  readonly held: StatementSync | undefined;
}

/** The first column of a row as a number, or `fallback` for no row or NULL. */
export function numberOf(row: Record<string, unknown> | undefined, fallback = 0): number {
  const value = row === undefined ? undefined : Object.values(row)[0];
  return value === undefined || value === null ? fallback : Number(value);
}

/** Opens the table of every stream, making those that are not there yet. Errors: `bus.partitions-changed`, `bus.compaction-changed`. */
export function openStreams(db: DatabaseSync, specs: StoreOptions["streams"]): Map<number, Stream> {
  db.exec("BEGIN IMMEDIATE");
  try {
    refuseChangedTopics(db, specs);
    const streams = new Map<number, Stream>();
    for (const spec of specs) {
      const stream = openStream(db, spec);
      streams.set(stream.id, stream);
    }
    db.exec("COMMIT");
    return streams;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function refuseChangedTopics(db: DatabaseSync, specs: StoreOptions["streams"]): void {
  const stored = db
    .prepare("SELECT topic, count(*) AS n, max(compacted) AS compacted FROM streams GROUP BY topic")
    .all();
  for (const row of stored) {
    const topic = String(row["topic"]);
    const partitions = Number(row["n"]);
    const wanted = specs.filter((spec) => spec.topic === topic);
    if (wanted.length === 0) continue;
    if (wanted.length !== partitions) {
      const message =
        `topic ${topic} is stored with ${partitions} partitions, ${wanted.length} are asked for; ` +
        `set it back to ${partitions}, or start with an empty data directory`;
      throw new Fault("bus.partitions-changed", message, { fields: { topic, partitions } });
    }
    if ((wanted[0]?.retentionMs === undefined) !== (Number(row["compacted"]) === 1)) {
      const message = `topic ${topic} is stored the other way (compacted or not); start with an empty data directory`;
      throw new Fault("bus.compaction-changed", message, { fields: { topic } });
    }
  }
}

function openStream(db: DatabaseSync, spec: Omit<StreamSpec, "id">): Stream {
  const compacted = spec.retentionMs === undefined;
  const { topic, partition } = spec;
  const insert = "INSERT INTO streams (topic, partition, compacted) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
  db.prepare(insert).run(topic, partition, Number(compacted));
  const row = db.prepare("SELECT id, next_offset FROM streams WHERE topic = ? AND partition = ?").get(topic, partition);
  const opened = { ...spec, id: Number(row?.["id"]), nextOffset: Number(row?.["next_offset"]) };
  return compacted ? openTable(db, opened) : openLog(db, opened);
}

type Unopened = StreamSpec & { nextOffset: number };

const UNDAMAGED = "first_offset NOT IN (SELECT first_offset FROM damaged WHERE stream = ?3)";

function openLog(db: DatabaseSync, spec: Unopened): Stream {
  const table = `log_${spec.id}`;
  db.exec(`CREATE TABLE IF NOT EXISTS ${table} (
    first_offset INTEGER PRIMARY KEY, count INTEGER NOT NULL, at INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT`);
  const insert = db.prepare(`INSERT INTO ${table} (first_offset, count, at, checksum, body) VALUES (?, ?, ?, ?, ?)`);
  return {
    ...spec,
    append({ count, body }, { firstOffset, at, checksum }) {
      insert.run(firstOffset, count, at, checksum, body);
    },
    heads: db.prepare(
      `SELECT first_offset, count FROM ${table}
       WHERE first_offset >= coalesce((SELECT max(first_offset) FROM ${table} WHERE first_offset <= ?1), 0)
         AND first_offset + count > ?1 ORDER BY first_offset`,
    ),
    body: db.prepare(`SELECT checksum, body FROM ${table} WHERE first_offset = ?`),
    start: db.prepare(`SELECT min(first_offset) FROM ${table}`),
    keys: undefined,
    retain: db.prepare(
      `DELETE FROM ${table} WHERE first_offset IN (
         SELECT first_offset FROM ${table} WHERE at < ?1 AND first_offset + count <= ?2 AND ${UNDAMAGED}
         ORDER BY first_offset LIMIT ?4)`,
    ),
    held: db.prepare(`SELECT count(*) FROM ${table} WHERE at < ?1 AND first_offset + count > ?2 AND ${UNDAMAGED}`),
  };
}

function openTable(db: DatabaseSync, spec: Unopened): Stream {
  const table = `table_${spec.id}`;
  db.exec(`CREATE TABLE IF NOT EXISTS ${table} (
    key TEXT PRIMARY KEY, first_offset INTEGER NOT NULL UNIQUE, at INTEGER NOT NULL, checksum INTEGER NOT NULL,
    removes INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT`);
  const upsert = db.prepare(
    `INSERT INTO ${table} (first_offset, key, at, checksum, removes, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET first_offset = excluded.first_offset, at = excluded.at,
       checksum = excluded.checksum, removes = excluded.removes, body = excluded.body`,
  );
  return {
    ...spec,
    append({ key = "", removes = false, body }, { firstOffset, at, checksum }) {
      upsert.run(firstOffset, key, at, checksum, Number(removes), body);
    },
    heads: db.prepare(`SELECT first_offset, 1 AS count FROM ${table} WHERE first_offset >= ? ORDER BY first_offset`),
    body: db.prepare(`SELECT checksum, body FROM ${table} WHERE first_offset = ?`),
    start: db.prepare(`SELECT min(first_offset) FROM ${table}`),
    keys: db.prepare(
      `SELECT first_offset, key FROM ${table} WHERE key >= ? AND key < ? AND removes = 0 ORDER BY first_offset`,
    ),
    retain: db.prepare(
      `DELETE FROM ${table} WHERE first_offset IN (
         SELECT first_offset FROM ${table} WHERE removes = 1 AND at < ?1 AND first_offset < ?2 AND ${UNDAMAGED}
         ORDER BY first_offset LIMIT ?4)`,
    ),
    held: undefined,
  };
}
