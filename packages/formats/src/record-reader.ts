/**
 * Recognises and decodes records: frames in, events and failures out. Lines of text are put together into blocks first.
 */
import { type Decoded, type Failure, failure } from "@culprit/model";
import type { DecodedItem, DecodeFailure, DecoderOptions, FormatSet } from "./decoding.ts";
import type { RecordSource } from "./event-export.ts";
import { type DecodeContext, type Format, type InputRecord, type NamedFormat, NO_MATCH, SURE_MATCH } from "./format.ts";
import { type Frame, splitObjects } from "./framing.ts";
import { isObject, parseJson } from "./json-text.ts";
import { PassedRuns } from "./passed-runs.ts";
import { SELECT_ALL, type Selection, type Shown } from "./selection.ts";
import { shownBy } from "./shown.ts";
import { type TextBlock, TextBlocks } from "./text-blocks.ts";
import { readUtf8 } from "./text-encoding.ts";

/** The format that a failure names where no format knew the record. */
export const FORMAT_UNKNOWN = "unknown";

/** Turns frames into records, recognises and decodes them. */
export class RecordReader {
  readonly #set: FormatSet;
  readonly #context: DecodeContext;
  readonly #selection: Selection;
  readonly #passed: PassedRuns | undefined;
  readonly #canDoWithout: DecoderOptions["canDoWithout"];
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
    this.#passed = options.onPassedOver === undefined ? undefined : new PassedRuns(options.onPassedOver);
    this.#canDoWithout = options.canDoWithout;
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
    if (!this.#isWanted(frame.bytes) && this.#isPassedOver(shape, frame)) return;
    const { text, marks } = readUtf8(frame.bytes);
    if (shape === "xml") return yield* this.#record({ ok: true, value: { shape, text, marks } }, frame);
    const record = jsonRecord(text, marks);
    const objects = !record.ok && mayHoldMore ? splitObjects(frame.bytes) : [];
    if (objects.length <= 1) return yield* this.#record(record, frame);
    for (const { bytes, at } of objects) yield* this.#whole(shape, { bytes, offset: frame.offset + at }, false);
  }

  /** One record of text, whatever lines it holds. */
  *text(bytes: Uint8Array): Iterable<DecodedItem> {
    const { text, marks } = readUtf8(bytes, { ansi: true });
    const lines = text.trim().replaceAll("\r\n", "\n");
    const format = recognise(this.#set.formats, { shape: "text", text: lines, marks });
    yield* this.#block({ format, text: lines, offset: 0, marks });
  }

  /** Whether text is open that the next record may belong to, or end. */
  get isInBlock(): boolean {
    return this.#blocks.isOpen;
  }

  /** Counts a record that is passed over. */
  passOver(format: string, { shown, offset }: { readonly shown: Shown; readonly offset: number }): void {
    this.#passed?.add(shown, () => this.#source(format, offset));
  }

  /** Tells of all that was passed over so far. */
  settle(): void {
    this.#passed?.end();
  }

  *end(): Iterable<DecodedItem> {
    for (const block of this.#blocks.close()) yield* this.#block(block);
    this.settle();
  }

  /** Passes over a record that is not wanted, unless it must be decoded to be known. */
  #isPassedOver(shape: "json" | "xml", { bytes, offset }: { bytes: Uint8Array; offset: number }): boolean {
    // Where the forwarder's stamp stands in JSON only a closer look would tell.
    if (this.#canDoWithout !== undefined) return shape === "xml" && this.#canDoWithout(shownBy(bytes));
    if (this.#passed !== undefined) this.passOver(shape, { shown: shownBy(bytes), offset });
    return true;
  }

  #isBlockWanted(format: Format, bytes: Uint8Array): boolean {
    if (this.#selection === SELECT_ALL || this.#canDoWithout !== undefined) return true;
    return format.select(bytes, this.#selection);
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
      if (isBetweenRecords(block.text)) return;
      yield this.#failed(failure("format.unknown", "text of no known format").failure, { bytes, offset: block.offset });
    } else if (!this.#isBlockWanted(block.format, bytes)) {
      this.passOver(block.format.name, { shown: shownBy(bytes), offset: block.offset });
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

/**
 * What tools write between records: evtx_dump's `Record 1`, PowerShell's `#TYPE …`, the brackets of a list that stands on
 * several lines, blank and ruled lines.
 */
const BETWEEN_RECORDS = /^(?:Record \d{1,12}|#TYPE [\w.#/ -]{1,300}|[[\],\s]{0,20}|[-=]{3,200})\s{0,8}$/;

function isBetweenRecords(text: string): boolean {
  return text.split("\n").every((line) => BETWEEN_RECORDS.test(line));
}

/** The format that is surest of a record. */
function recognise(formats: readonly Format[], record: InputRecord): Format | undefined {
  let best: Format | undefined;
  let surest = NO_MATCH;
  for (const format of formats) {
    if (format.isLastResort === true && surest > NO_MATCH) continue;
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

function at(cause: Failure, offset: number): Failure {
  return { ...cause, offset: offset + (cause.offset ?? 0) };
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
