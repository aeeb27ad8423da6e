/**
 * What an input format is, and what goes in and out of one. A record is what framing cut out of the input (a JSON object,
 * an event element, a block or line of text); a format says how sure it is that the record is its own, whether the record
 * can matter, and what events it holds.
 */
import type { Decoded, EpochMs, WindowsEvent } from "@culprit/model";
import type { JsonObject } from "./json-text.ts";
import type { Selection } from "./selection.ts";

interface RecordBase {
  /** The record as text; invalid UTF-8 has been repaired (see `marks`). */
  readonly text: string;
  /** What was repaired on the way here; every event of the record gets these marks. */
  readonly marks: readonly string[];
}

/** One JSON object, parsed. */
interface JsonRecord extends RecordBase {
  readonly shape: "json";
  readonly value: JsonObject;
}

/** One event element, whole or cut off, escaped or not. */
interface XmlRecord extends RecordBase {
  readonly shape: "xml";
}

/** A block or a line of text. */
interface TextRecord extends RecordBase {
  readonly shape: "text";
}

export type InputRecord = JsonRecord | XmlRecord | TextRecord;

/** What a decoder may assume where a record does not say. Nothing here is read from a clock. */
export interface DecodeContext {
  /** IANA name of the zone for stamps without one. */
  readonly zone: string;
  /** When the record came in, for records without a time of their own. */
  readonly receivedAt: EpochMs;
  /** The computer, for records that name none. */
  readonly host?: string;
  /** Path or name of the file or blob that the bytes come from. */
  readonly path?: string;
  /** Decodes a record that another one carries (the text of a HEC event, the `message` of a CloudWatch one). */
  readonly inner: InnerDecoder;
}

/** Frames, recognises and decodes a text that was found inside a record. */
type InnerDecoder = (text: string, context: DecodeContext) => Iterable<Decoded<WindowsEvent>>;

/** How sure a format is. The surest wins; between equals the earlier in `FORMATS` does. */
export const NO_MATCH = 0;
/** Nothing says what it is; it may hold something that does. */
export const FAINT_MATCH = 10;
/** It could be this; something more telling wins. */
export const WEAK_MATCH = 30;
/** The fields are those of this format. */
export const LIKELY_MATCH = 60;
/** Nothing else looks so. */
export const SURE_MATCH = 100;

/** How a format's records are told apart in text that comes line by line. */
interface TextFraming {
  /** `line` and `block`: a record runs to where the next begins; `table`: a heading line, then rows that need it. */
  readonly extent: "block" | "table";
  /** Whether a line begins a record of this format. */
  starts(line: string, situation: LineSituation): boolean;
  /** Whether the line before a beginning belongs to it (Splunk's time line). */
  pulls?(line: string): boolean;
  /** Whether an event element that follows belongs to the open record (`Event Xml:`). */
  readonly takesMarkup?: boolean;
}

export interface LineSituation {
  /** The lines of the record that is open, if it is one of this format. */
  readonly own: readonly string[] | undefined;
  /** Whether a record of another format is open: only a line that can mean nothing else begins a new one then. */
  readonly other: boolean;
  /** The whole input is known to be of this format. */
  readonly only: boolean;
}

export interface Format {
  readonly name: string;
  readonly text?: TextFraming;
  /** Asked only where no other format knows the record. */
  readonly isLastResort?: true;
  /** How sure this format is that the record is its own: 0 to 100. Looks, does not decode. */
  sniff(record: InputRecord): number;
  /**
   * False only when the bytes show a record that this format would read, and none of its events can be wanted. Asked about
   * any record, before it is known whose it is: bytes that do not look like this format's own are true.
   */
  select(bytes: Uint8Array, selection: Selection): boolean;
  /** The events of a record; what cannot be read is a failure among them. Never throws on any record. */
  decode(record: InputRecord, context: DecodeContext): Iterable<Decoded<WindowsEvent>>;
}

/** A format that the name of an input tells. */
export interface NamedFormat {
  readonly format: Format;
  /** Whether all of the input is of it, or only what no other format knows. */
  readonly reach: "only" | "rest";
}
