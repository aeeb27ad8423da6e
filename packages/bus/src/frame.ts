/**
 * Messages as bytes: what goes into one stored batch. In: outgoing messages; out: a body of
 *
 *     u8 version, u32 count, then per message
 *     f64 at, u32 key length, key, u8 kind, u32 value length, value, u32 header length, headers as JSON ("" for none)
 *
 * with kinds 0 JSON, 1 bytes, 2 null; numbers are little-endian, text is UTF-8. The checksum stands beside the body and
 * covers where the body belongs, so a body in the wrong place is as damaged as a changed one.
 */
import { crc32 } from "node:zlib";
import { type EpochMs, Fault } from "@culprit/model";
import type { Message, Outgoing } from "./bus.ts";

const VERSION = 1;
const HEADER_BYTES = 5;
const MESSAGE_FIXED_BYTES = 8 + 4 + 1 + 4 + 4;
const KIND_JSON = 0;
const KIND_BYTES = 1;
const KIND_NULL = 2;

/**
 * The largest message: key, value and headers. A record limit far below this belongs to the receivers.
 * @internal
 */
export const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

interface Piece {
  readonly key: Uint8Array;
  readonly kind: number;
  readonly value: Uint8Array;
  readonly headers: Uint8Array;
}

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

/**
 * Encodes messages into one body.
 * Errors: `bus.unserialisable` for a value JSON cannot carry, `bus.too-large` above `MESSAGE_MAX_BYTES`.
 */
export function encodeMessages(messages: readonly Outgoing[], at: EpochMs): Uint8Array {
  const pieces = messages.map(pieceOf);
  let size = HEADER_BYTES;
  for (const piece of pieces) size += MESSAGE_FIXED_BYTES + sizeOf(piece);
  const body = new Uint8Array(size);
  const view = new DataView(body.buffer);
  view.setUint8(0, VERSION);
  view.setUint32(1, pieces.length, true);
  let place = HEADER_BYTES;
  const put = (bytes: Uint8Array): void => {
    view.setUint32(place, bytes.length, true);
    body.set(bytes, place + 4);
    place += 4 + bytes.length;
  };
  for (const piece of pieces) {
    view.setFloat64(place, at, true);
    place += 8;
    put(piece.key);
    view.setUint8(place, piece.kind);
    place += 1;
    put(piece.value);
    put(piece.headers);
  }
  return body;
}

function sizeOf(piece: Piece): number {
  return piece.key.length + piece.value.length + piece.headers.length;
}

function pieceOf(message: Outgoing): Piece {
  const { topic } = message;
  const headers = message.headers === undefined ? EMPTY : encoder.encode(JSON.stringify(message.headers));
  const piece = { key: encoder.encode(message.key), ...encodedValue(message), headers };
  const size = sizeOf(piece);
  if (size > MESSAGE_MAX_BYTES) {
    throw new Fault("bus.too-large", `a message for ${topic} has ${size} bytes, the most is ${MESSAGE_MAX_BYTES}`, {
      fields: { topic, size },
    });
  }
  return piece;
}

function encodedValue({ topic, value }: Outgoing): { kind: number; value: Uint8Array } {
  if (value === null) return { kind: KIND_NULL, value: EMPTY };
  if (value instanceof Uint8Array) return { kind: KIND_BYTES, value };
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new Fault("bus.unserialisable", `a message for ${topic} cannot be written as JSON`, {
      cause,
      fields: { topic },
    });
  }
  if (text === undefined) {
    throw new Fault("bus.unserialisable", `a message for ${topic} has no value`, { fields: { topic } });
  }
  return { kind: KIND_JSON, value: encoder.encode(text) };
}

/** Where a body belongs. */
export interface FramePlace {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
}

/** The checksum of a body at its place: CRC-32, as zlib computes it. */
export function checksumOf(body: Uint8Array, place: FramePlace): number {
  return crc32(body, crc32(`${place.topic}/${place.partition}/${place.firstOffset}`));
}

// A byte order mark at the start of a key or value is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes a body whose checksum was right.
 * Shape: offsets count up from `place.firstOffset`.
 * Errors: a `Fault` `bus.newer-frame` for a version this program does not know; a `RangeError` if the body is cut short.
 */
export function decodeMessages(body: Uint8Array, place: FramePlace): readonly Message[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const version = view.getUint8(0);
  if (version !== VERSION) {
    throw new Fault(
      "bus.newer-frame",
      `a stored batch of ${place.topic} has version ${version}, this program reads 1`,
      {
        fields: { topic: place.topic, offset: place.firstOffset },
      },
    );
  }
  const count = view.getUint32(1, true);
  let at = HEADER_BYTES;
  const take = (): Uint8Array => {
    const length = view.getUint32(at, true);
    const bytes = body.subarray(at + 4, at + 4 + length);
    if (bytes.length !== length) throw new RangeError("a stored batch ends early");
    at += 4 + length;
    return bytes;
  };
  const messages: Message[] = [];
  for (let i = 0; i < count; i += 1) {
    const taken = view.getFloat64(at, true);
    at += 8;
    const key = decoder.decode(take());
    const kind = view.getUint8(at);
    at += 1;
    const value = readValue(kind, take());
    const headers = take();
    messages.push({
      topic: place.topic,
      partition: place.partition,
      offset: place.firstOffset + i,
      key,
      value,
      at: taken,
      headers: headers.length === 0 ? NO_HEADERS : (JSON.parse(decoder.decode(headers)) as Record<string, string>),
    });
  }
  return messages;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function readValue(kind: number, bytes: Uint8Array): unknown {
  if (kind === KIND_NULL) return null;
  if (kind === KIND_BYTES) return bytes;
  return JSON.parse(decoder.decode(bytes));
}
