/**
 * From any bytes to Windows events: chunks in; events and failures out, each with where it stood. What the input is comes
 * from its content; every record is recognised on its own, so one file may hold Winlogbeat lines beside event XML.
 *
 * Memory is bounded by the longest record (`RECORD_MAX_BYTES`), whatever the length of the input.
 */
import { type Decoded, type Failure, failure, type WindowsEvent } from "@culprit/model";
import type { RecordSource } from "./event-export.ts";
import { type DecodeContext, type Format, type InputRecord, type NamedFormat, NO_MATCH, SURE_MATCH } from "./format.ts";
import { type Frame, Framer, splitObjects } from "./framing.ts";
import { isObject, parseJson } from "./json-text.ts";
import { type PassedOver, SELECT_ALL, type Selection } from "./selection.ts";
import { type TextBlock, TextBlocks } from "./text-blocks.ts";
import { type ByteKind, byteKind, KIND_SAMPLE_BYTES, readUtf8, utf8From } from "./text-encoding.ts";

export interface DecodedEvent {
  readonly event: WindowsEvent;
  readonly failure?: never;
  readonly source: RecordSource;
}

export interface DecodeFailure {
  readonly event?: never;
  readonly failure: Failure;
  /** The record as it came, for the dead letters. */
  readonly record: Uint8Array;
  readonly source: RecordSource;
}

export type DecodedItem = DecodedEvent | DecodeFailure;

/** Reads a whole binary log; it keeps the bytes it needs. */
export interface BinaryReader {
  push(chunk: Uint8Array): Iterable<DecodedItem>;
  end(): Iterable<DecodedItem>;
}

export interface DecoderOptions extends Omit<DecodeContext, "inner"> {
  /** What is wanted; records that cannot be are passed over and counted. Without it, everything is. */
  readonly selection?: Selection;
  /** Told of records that the selection left undecoded. */
  readonly onPassedOver?: (passed: PassedOver) => void;
  readonly recordMaxBytes?: number;
}

/** What the decoder knows of formats: given by `index.ts`, so that a new format is one line there. */
export interface FormatSet {
  readonly formats: readonly Format[];
  /** The format that a file's name tells: of the whole file (`only`), or of what no other format knows (`rest`). */
  byName(path: string): NamedFormat | undefined;
  binary(kind: "evtx" | "evt", context: DecodeContext, options: DecoderOptions): BinaryReader;
}

export interface Decoder {
  /** The records that a chunk completes. */
  push(chunk: Uint8Array): Iterable<DecodedItem>;
  /** What is left when the input ends. */
  end(): Iterable<DecodedItem>;
}

/** Carried records inside carried records; deeper ones are refused. */
const CARRIED_DEPTH_MAX = 4;
const FORMAT_UNKNOWN = "unknown";

/** A decoder for one input. */
export function createDecoderOf(set: FormatSet, options: DecoderOptions): Decoder {
  const context: DecodeContext = { ...options, inner: innerDecoder(set, 1) };
  let head: Uint8Array = new Uint8Array(0);
  let reader: BinaryReader | undefined;

  function open(bytes: Uint8Array): BinaryReader {
    const kind = byteKind(bytes);
    if (kind === "evtx" || kind === "evt") return set.binary(kind, context, options);
    if (kind === "compressed") return refusal(options.path);
    return textReader(set, kind, bytes, { ...options, context });
  }

  return {
    *push(chunk) {
      if (reader !== undefined) return yield* reader.push(chunk);
      head = concat(head, chunk);
      if (head.length < KIND_SAMPLE_BYTES) return;
      reader = open(head);
      yield* reader.push(head);
      head = new Uint8Array(0);
    },
    *end() {
      if (reader === undefined && head.length > 0) {
        reader = open(head);
        yield* reader.push(head);
      }
      if (reader !== undefined) yield* reader.end();
    },
  };
}

function textReader(
  set: FormatSet,
  kind: Exclude<ByteKind, "evtx" | "evt" | "compressed">,
  start: Uint8Array,
  options: DecoderOptions & { readonly context: DecodeContext },
): BinaryReader {
  const transcoder = kind === "bytes" ? undefined : utf8From(kind);
  const text = kind === "bytes" ? readUtf8(start).text : new TextDecoder(kind).decode(start);
  const named = options.path === undefined || isStructured(text) ? undefined : set.byName(options.path);
  const framer = new Framer({
    linesOnly: named?.reach === "only",
    ...(options.recordMaxBytes === undefined ? {} : { recordMaxBytes: options.recordMaxBytes }),
  });
  const records = new RecordReader(set, named, options);
  return {
    *push(chunk) {
      const bytes = transcoder === undefined ? chunk : transcoder.push(chunk);
      for (const frame of framer.push(bytes)) yield* records.frame(frame);
    },
    *end() {
      if (transcoder !== undefined) for (const frame of framer.push(transcoder.end())) yield* records.frame(frame);
      for (const frame of framer.end()) yield* records.frame(frame);
      yield* records.end();
    },
  };
}

/** A file named as a text log may still hold forwarded records of one. */
function isStructured(start: string): boolean {
  return /^[\s\ufeff]{0,16}(?:\[\s{0,8})?(?:\{\s{0,8}"|<\?xml|<Events?[\s>])/.test(start);
}

/** Turns frames into records, recognises and decodes them. */
class RecordReader {
  readonly #set: FormatSet;
  readonly #context: DecodeContext;
  readonly #selection: Selection;
  readonly #onPassedOver: DecoderOptions["onPassedOver"];
  readonly #path: string | undefined;
  readonly #blocks: TextBlocks;

  constructor(
    set: FormatSet,
    named: NamedFormat | undefined,
    options: DecoderOptions & { readonly context: DecodeContext },
  ) {
    this.#set = set;
    this.#context = options.context;
    this.#selection = options.selection ?? SELECT_ALL;
    this.#onPassedOver = options.onPassedOver;
    this.#path = options.path;
    this.#blocks = new TextBlocks(set.formats, named);
  }

  *frame(frame: Frame): Iterable<DecodedItem> {
    if (frame.shape === "text") {
      const { text, marks } = readUtf8(frame.bytes, { ansi: true });
      const line = { text: withoutReturn(text), offset: frame.offset, emptyLines: frame.emptyLines, marks };
      for (const block of this.#blocks.line(line)) yield* this.#block(block);
      return;
    }
    if (frame.shape === "xml") {
      const { text, marks } = readUtf8(frame.bytes);
      if (this.#blocks.takeMarkup({ text, offset: frame.offset, emptyLines: frame.emptyLines, marks })) return;
    }
    for (const block of this.#blocks.close()) yield* this.#block(block);
    if (frame.shape === "too-long") {
      yield this.#failed(failure("record.too-long", "a record above the limit").failure, frame);
    } else yield* this.#whole(frame.shape, frame, frame.shape === "json");
  }

  /** A frame of JSON or XML. A line of JSON that cannot be read whole may hold several objects. */
  *#whole(
    shape: "json" | "xml",
    frame: { bytes: Uint8Array; offset: number },
    mayHoldMore: boolean,
  ): Iterable<DecodedItem> {
    if (!this.#isWanted(frame.bytes)) {
      this.#onPassedOver?.({ source: this.#source(shape, frame.offset), count: 1, record: frame.bytes });
      return;
    }
    const { text, marks } = readUtf8(frame.bytes);
    if (shape === "xml") return yield* this.#record({ ok: true, value: { shape, text, marks } }, frame);
    const record = jsonRecord(text, marks);
    const objects = !record.ok && mayHoldMore ? splitObjects(frame.bytes) : [];
    if (objects.length <= 1) return yield* this.#record(record, frame);
    for (const { bytes, at } of objects) yield* this.#whole(shape, { bytes, offset: frame.offset + at }, false);
  }

  *end(): Iterable<DecodedItem> {
    for (const block of this.#blocks.close()) yield* this.#block(block);
  }

  #isWanted(bytes: Uint8Array): boolean {
    if (this.#selection === SELECT_ALL) return true;
    // A format of text is asked about its own blocks only.
    return this.#set.formats.every((format) => format.text !== undefined || format.select(bytes, this.#selection));
  }

  *#block(block: TextBlock): Iterable<DecodedItem> {
    const record: InputRecord = { shape: "text", text: block.text, marks: block.marks };
    const bytes = new TextEncoder().encode(block.text);
    if (block.format === undefined) {
      if (block.text.trim() === "") return;
      yield this.#failed(failure("format.unknown", "text of no known format").failure, { bytes, offset: block.offset });
    } else if (this.#selection !== SELECT_ALL && !block.format.select(bytes, this.#selection)) {
      const source = this.#source(block.format.name, block.offset);
      this.#onPassedOver?.({ source, count: 1, record: bytes });
    } else {
      yield* this.#decode(block.format, record, { bytes, offset: block.offset });
    }
  }

  *#record(record: Decoded<InputRecord>, frame: { bytes: Uint8Array; offset: number }): Iterable<DecodedItem> {
    if (!record.ok) {
      yield this.#failed(record.failure, frame);
      return;
    }
    const format = recognise(this.#set.formats, record.value);
    if (format === undefined) {
      const detail = `no known format has this ${record.value.shape === "json" ? "JSON object" : "element"}`;
      yield this.#failed(failure("format.unknown", detail).failure, frame);
    } else {
      yield* this.#decode(format, record.value, frame);
    }
  }

  *#decode(format: Format, record: InputRecord, frame: { bytes: Uint8Array; offset: number }): Iterable<DecodedItem> {
    const source = this.#source(format.name, frame.offset);
    for (const decoded of format.decode(record, this.#context)) {
      if (decoded.ok) yield { event: decoded.value, source };
      else yield { failure: at(decoded.failure, frame.offset), record: frame.bytes, source };
    }
  }

  #failed(cause: Failure, frame: { bytes: Uint8Array; offset: number }): DecodeFailure {
    const source = this.#source(FORMAT_UNKNOWN, frame.offset);
    return { failure: at(cause, frame.offset), record: frame.bytes, source };
  }

  #source(format: string, offset: number): RecordSource {
    return this.#path === undefined ? { format, offset } : { format, offset, path: this.#path };
  }
}

/** The format that is surest of a record. */
function recognise(formats: readonly Format[], record: InputRecord): Format | undefined {
  let best: Format | undefined;
  let surest = NO_MATCH;
  for (const format of formats) {
    const sure = format.sniff(record);
    if (sure === SURE_MATCH) return format;
    if (sure > surest) {
      surest = sure;
      best = format;
    }
  }
  return best;
}

function jsonRecord(text: string, marks: readonly string[]): Decoded<InputRecord> {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  const { value } = parsed.value;
  if (!isObject(value)) return failure("json.not-an-object", "a record is an object");
  return { ok: true, value: { shape: "json", text, value, marks: [...marks, ...parsed.value.marks] } };
}

function innerDecoder(set: FormatSet, depth: number): DecodeContext["inner"] {
  return function* inner(text, context) {
    if (depth > CARRIED_DEPTH_MAX) {
      yield failure("record.carried-too-deep", `records inside records, more than ${CARRIED_DEPTH_MAX} levels`);
      return;
    }
    const options = {
      zone: context.zone,
      receivedAt: context.receivedAt,
      ...(context.host === undefined ? {} : { host: context.host }),
    };
    const carried: DecodeContext = { ...options, inner: innerDecoder(set, depth + 1) };
    const bytes = new TextEncoder().encode(text);
    const reader = textReader(set, "bytes", bytes.subarray(0, KIND_SAMPLE_BYTES), { ...options, context: carried });
    for (const items of [reader.push(bytes), reader.end()]) {
      for (const item of items)
        yield item.event === undefined ? { ok: false, failure: item.failure } : { ok: true, value: item.event };
    }
  };
}

function refusal(path: string | undefined): BinaryReader {
  const source = { format: FORMAT_UNKNOWN, offset: 0, ...(path === undefined ? {} : { path }) };
  let told = false;
  return {
    *push(chunk) {
      if (told) return;
      told = true;
      const detail = "compressed or an archive: unpack it first";
      yield {
        failure: { reason: "format.compressed", detail, offset: 0 },
        record: chunk.subarray(0, KIND_SAMPLE_BYTES),
        source,
      };
    },
    *end() {},
  };
}

function at(cause: Failure, offset: number): Failure {
  return { ...cause, offset: offset + (cause.offset ?? 0) };
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
