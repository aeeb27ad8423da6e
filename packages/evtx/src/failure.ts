/**
 * What is wrong with a part of a file. Bad data is a value at the package's face; inside, `Damage` carries it from the
 * place where it is noticed to the record or chunk it belongs to, and never further.
 */

/** Why a file, chunk or record could not be read; `reason` is a stable code, `detail` is for a person. */
export interface EvtxFailure {
  readonly reason: EvtxReason;
  readonly detail: string;
  /** Byte offset in the file. */
  readonly offset: number;
}

export type EvtxReason =
  /** The file header is short, has another signature or a checksum that does not match. */
  | "evtx.file-header"
  /** The file ends inside a chunk. */
  | "evtx.cut-chunk"
  /** A block of 64 KiB that holds data but is no chunk. */
  | "evtx.chunk-magic"
  /** A checksum of the chunk does not match; its records are read all the same. */
  | "evtx.chunk-checksum"
  /** A record's frame (signature, size) is broken. */
  | "evtx.record-frame"
  /** The binary XML of a record cannot be read. */
  | "evtx.binxml"
  /** A record, template or nesting is larger than any that Windows writes. */
  | "evtx.limit"
  /** A classic `.evt` file is not readable as a whole. */
  | "evt.file-header"
  /** A classic `.evt` record is broken. */
  | "evt.record-frame";

/** Thrown inside this package only; `at` counts from the start of the chunk, and is left out for a record as a whole. */
export class Damage extends Error {
  readonly reason: EvtxReason;
  readonly at: number | undefined;

  constructor(reason: EvtxReason, detail: string, at?: number) {
    super(detail);
    this.name = "Damage";
    this.reason = reason;
    this.at = at;
  }
}

/**
 * Turns what a reader of the record at `recordAt` threw into a failure of that record; anything but `Damage` is a mistake of
 * ours and goes on.
 */
export function failureOf(thrown: unknown, chunkOffset: number, recordAt: number): EvtxFailure {
  if (!(thrown instanceof Damage)) throw thrown;
  const { reason, message, at } = thrown;
  return {
    reason,
    detail: at === undefined ? message : `${message} (offset ${at} of its chunk)`,
    offset: chunkOffset + recordAt,
  };
}
