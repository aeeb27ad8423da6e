/** What goes in and out of a decoder, and what it must be given to know formats. */
import type { Failure, WindowsEvent } from "@culprit/model";
import type { RecordSource } from "./event-export.ts";
import type { DecodeContext, Format, NamedFormat } from "./format.ts";
import type { PassedOver, Selection, Shown } from "./selection.ts";

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
  /**
   * Asked of each record that the selection does not want, instead of `onPassedOver`: one that shows too little of itself
   * is decoded after all. Binary logs, and lines that only decoding could tell of, are always decoded then.
   */
  readonly canDoWithout?: (shown: Shown) => boolean;
  readonly recordMaxBytes?: number;
  /**
   * The transport said where the record ends: the input is one, whatever line ends it holds. Text in it begins no second
   * record. JSON and XML, which say themselves where they end, may still come several at once.
   */
  readonly framed?: boolean;
}

/** What the decoder knows of formats: given by `index.ts`, so that a new format is one line there. */
export interface FormatSet {
  readonly formats: readonly Format[];
  /** The format that a file's name tells: of the whole file (`only`), or of what no other format knows (`rest`). */
  byName(path: string): NamedFormat | undefined;
  binary(kind: "evtx" | "evt", context: DecodeContext, options: DecoderOptions): BinaryReader;
}
