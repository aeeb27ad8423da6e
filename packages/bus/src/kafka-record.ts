/**
 * Messages of the bus as Kafka records and back. A value is JSON text; bytes say so in a header of their own; `null` is a
 * tombstone. What a stage remembers and how far it has read are records of the compacted topic `state`.
 */
import { type EpochMs, Fault } from "@culprit/model";
import type { Message, Outgoing } from "./bus.ts";
import type { FetchedPartition, FetchedRecord, WireRecord } from "./kafka-wire.ts";
import { partitionOf } from "./partition.ts";

const KIND_HEADER = "culprit-value";
const KIND_BYTES = "bytes";
/** Kafka's own fields of a record, at most. */
const RECORD_OVERHEAD_BYTES = 64;

const encoder = new TextEncoder();
// A byte order mark at the start of a key or value is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A record with its size in bytes, before compression. */
export interface SizedRecord extends WireRecord {
  readonly bytes: number;
}

/**
 * Encodes a message.
 * Errors: `bus.unknown-topic` for a partition that is not there, `bus.unserialisable`, `bus.too-large`.
 */
export function recordOf(message: Outgoing, limits: { partitions: number; messageMaxBytes: number }): SizedRecord {
  const { topic } = message;
  const partition = message.partition ?? partitionOf(message.key, limits.partitions);
  if (!Number.isInteger(partition) || partition < 0 || partition >= limits.partitions) {
    throw new Fault("bus.unknown-topic", `topic ${topic} has no partition ${partition}`, { fields: { topic } });
  }
  const { value, isBytes } = encodedValue(message);
  const headers = isBytes ? { ...message.headers, [KIND_HEADER]: KIND_BYTES } : { ...message.headers };
  const key = bufferOf(encoder.encode(message.key));
  const headerBytes = Object.entries(headers).reduce((sum, [name, text]) => sum + 3 * (name.length + text.length), 0);
  const bytes = key.length + (value?.length ?? 0) + headerBytes + RECORD_OVERHEAD_BYTES;
  if (bytes > limits.messageMaxBytes) {
    const text = `a message for ${topic} has ${bytes} bytes, the most is ${limits.messageMaxBytes}`;
    throw new Fault("bus.too-large", text, { fields: { topic, size: bytes } });
  }
  return { topic, partition, key, value, headers, bytes };
}

function encodedValue({ topic, value }: Outgoing): { value: Buffer | null; isBytes: boolean } {
  if (value === null) return { value: null, isBytes: false };
  if (value instanceof Uint8Array) return { value: bufferOf(value), isBytes: true };
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const message = `a message for ${topic} cannot be written as JSON`;
    throw new Fault("bus.unserialisable", message, { cause, fields: { topic } });
  }
  if (text === undefined) {
    throw new Fault("bus.unserialisable", `a message for ${topic} has no value`, { fields: { topic } });
  }
  return { value: bufferOf(encoder.encode(text)), isBytes: false };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes a record; a value that says it is JSON and is not stays bytes. */
export function messageOf(record: FetchedRecord, place: { topic: string; partition: number }): Message {
  const { [KIND_HEADER]: kind, ...headers } = record.headers;
  return {
    ...place,
    offset: record.offset,
    key: record.key === null ? "" : decoder.decode(record.key),
    value: decodedValue(record.value, kind),
    at: record.at as EpochMs,
    headers,
  };
}

/** Whether a value says it is JSON and is not. */
export function isUnreadable(record: FetchedRecord, { value }: Message): boolean {
  return value instanceof Uint8Array && record.headers[KIND_HEADER] !== KIND_BYTES;
}

function decodedValue(value: Buffer | null, kind: string | undefined): unknown {
  if (value === null) return null;
  if (kind === KIND_BYTES) return new Uint8Array(value);
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return new Uint8Array(value);
  }
}

/** Type of a control record's key that ends a transaction without effect. Source: Kafka, ControlRecordType. */
const CONTROL_ABORT = 0;

/**
 * What of an answer may be seen: from a position on, without control records and records of aborted transactions.
 * Shape: `next` is where to fetch on, behind everything looked at; the position itself when there was nothing.
 */
export function committedRecords(
  fetched: FetchedPartition,
  position: number,
): { readonly records: readonly FetchedRecord[]; readonly next: number } {
  const upcoming = [...fetched.aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<string>();
  const records: FetchedRecord[] = [];
  let next = position;
  for (const record of fetched.records) {
    for (let first = upcoming[0]; first !== undefined && first.firstOffset <= record.offset; first = upcoming[0]) {
      aborting.add(first.producerId);
      upcoming.shift();
    }
    next = Math.max(next, record.offset + 1);
    if (record.isControl) {
      if (controlType(record.key) === CONTROL_ABORT) aborting.delete(record.producerId);
    } else if (record.offset >= position && !(record.inTransaction && aborting.has(record.producerId))) {
      records.push(record);
    }
  }
  return { records, next };
}

/** A control record's key is a version and a type, two bytes each. */
function controlType(key: Buffer | null): number | undefined {
  return key !== null && key.length >= 4 ? key.readInt16BE(2) : undefined;
}
