/**
 * From any bytes to Windows events: chunks in; events and failures out, each with where it stood. What the input is comes
 * from its content; every record is recognised on its own, so one file may hold Winlogbeat lines beside event XML.
 *
 * Memory is bounded by the longest record (`RECORD_MAX_BYTES`), whatever the length of the input.
 */
import { failure } from "@culprit/model";
import type { BinaryReader, DecodedItem, DecoderOptions, FormatSet } from "./decoding.ts";
import { EventXmlJudge } from "./event-xml-judge.ts";
import type { DecodeContext } from "./format.ts";
import { type Frame, Framer, RECORD_MAX_BYTES } from "./framing.ts";
import { LineSieve, type Stretch } from "./line-sieve.ts";
import { FORMAT_UNKNOWN, RecordReader } from "./record-reader.ts";
import { SELECT_ALL } from "./selection.ts";
import { type ByteKind, byteKind, KIND_SAMPLE_BYTES, readUtf8, utf8From } from "./text-encoding.ts";
import { WinlogbeatLines, winlogbeatScanner } from "./winlogbeat-lines.ts";

export interface Decoder {
  /** The records that a chunk completes. */
  push(chunk: Uint8Array): Iterable<DecodedItem>;
  /** What is left when the input ends. */
  end(): Iterable<DecodedItem>;
}

/** How much of a record tells whether it frames itself. */
const SELF_FRAMED_SAMPLE_BYTES = 1024;
/** Carried records inside carried records; deeper ones are refused. */
const CARRIED_DEPTH_MAX = 4;

/** A decoder for one input. */
export function createDecoderOf(set: FormatSet, options: DecoderOptions): Decoder {
  const context: DecodeContext = { ...options, inner: innerDecoder(set, 1) };
  const { selection, ...unselected } = options;
  const binaryOptions = selection === undefined || options.canDoWithout !== undefined ? unselected : options;
  let head: Uint8Array = new Uint8Array(0);
  let reader: BinaryReader | undefined;

  function open(bytes: Uint8Array): BinaryReader {
    const kind = byteKind(bytes);
    if (kind === "evtx" || kind === "evt") return set.binary(kind, context, binaryOptions);
    if (kind === "compressed") return refusal(options.path);
    const reads = options.framed === true ? framedReader : textReader;
    return reads(set, kind, bytes, { ...options, context });
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
  const sieve = named?.reach === "only" ? undefined : sieveOf(options, { framer, records });

  function* frames(found: Iterable<Frame>): Iterable<DecodedItem> {
    for (const frame of found) yield* records.frame(frame);
  }

  function* sifted(stretches: Iterable<Stretch>): Iterable<DecodedItem> {
    for (const stretch of stretches) {
      if (stretch.kind === "frame") yield* frames(framer.push(stretch.bytes));
      else framer.leaveOut(stretch.length);
    }
  }

  function* take(bytes: Uint8Array): Iterable<DecodedItem> {
    yield* sieve === undefined ? frames(framer.push(bytes)) : sifted(sieve.push(bytes));
  }

  return {
    *push(chunk) {
      yield* take(transcoder === undefined ? chunk : transcoder.push(chunk));
      records.settle();
    },
    *end() {
      if (transcoder !== undefined) yield* take(transcoder.end());
      if (sieve !== undefined) yield* sifted(sieve.end());
      yield* frames(framer.end());
      yield* records.end();
    },
  };
}

/** A sieve where something is selected and the machine can run one. */
function sieveOf(
  { selection, onPassedOver, canDoWithout }: DecoderOptions,
  { framer, records }: { readonly framer: Framer; readonly records: RecordReader },
): LineSieve | undefined {
  const scanner = selection === undefined || selection === SELECT_ALL ? undefined : winlogbeatScanner();
  if (selection === undefined || scanner === undefined) return undefined;
  return new LineSieve({
    scanner,
    lines: new WinlogbeatLines(scanner, selection),
    events: new EventXmlJudge(selection),
    isIdle: () => framer.isIdle && !records.isInBlock,
    ...(canDoWithout === undefined ? {} : { canDoWithout }),
    ...(onPassedOver === undefined
      ? {}
      : { onLeftOut: (shown, { format, offset }) => records.passOver(format, { shown, offset }) }),
  });
}

/** What says itself where it ends: JSON, and markup of events. */
const SELF_FRAMED =
  /^[\s\ufeff]{0,64}(?:\[\s{0,64})?(?:\{\s{0,64}["}]|(?:- {1,8})?(?:<(?:\?xml|!DOCTYPE|\w{1,20}:|Events?[\s>]|System>|Provider\s|Objs\s)|&lt;(?:Event|System)))/;

/** Reads an input that is one record: its text is not parted. */
function framedReader(
  set: FormatSet,
  kind: Exclude<ByteKind, "evtx" | "evt" | "compressed">,
  _start: Uint8Array,
  options: DecoderOptions & { readonly context: DecodeContext },
): BinaryReader {
  const limit = options.recordMaxBytes ?? RECORD_MAX_BYTES;
  let bytes: Uint8Array = new Uint8Array(0);
  let isTooLong = false;
  return {
    push(chunk) {
      isTooLong = isTooLong || bytes.length + chunk.length > limit;
      if (!isTooLong) bytes = concat(bytes, chunk);
      return [];
    },
    *end() {
      const source = {
        format: FORMAT_UNKNOWN,
        offset: 0,
        ...(options.path === undefined ? {} : { path: options.path }),
      };
      if (isTooLong) {
        const cause = failure("record.too-long", "a record above the limit").failure;
        yield { failure: { ...cause, offset: 0 }, record: bytes.subarray(0, KIND_SAMPLE_BYTES), source };
        return;
      }
      const start = bytes.subarray(0, SELF_FRAMED_SAMPLE_BYTES);
      const text = kind === "bytes" ? readUtf8(start, { ansi: true }).text : new TextDecoder(kind).decode(start);
      if (SELF_FRAMED.test(text)) {
        const reader = textReader(set, kind, start, options);
        yield* reader.push(bytes);
        yield* reader.end();
      } else {
        const utf8 = kind === "bytes" ? bytes : new TextEncoder().encode(new TextDecoder(kind).decode(bytes));
        yield* new RecordReader(set, undefined, options).text(utf8);
      }
    },
  };
}

/** A file named as a text log may still hold forwarded records of one. */
function isStructured(start: string): boolean {
  return /^[\s\ufeff]{0,16}(?:\[\s{0,8})?(?:\{\s{0,8}"|<\?xml|<Events?[\s>])/.test(start);
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
    // A carried record is one: a line in it that looks like a beginning is its text.
    const reader = framedReader(set, "bytes", bytes, { ...options, context: carried });
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

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
