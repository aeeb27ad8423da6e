/**
 * What could not be understood, kept with its original bytes so that it can be looked at, fixed and replayed.
 * The original is text where it is UTF-8, else base64, and is clipped to `DEAD_LETTER_MAX_BYTES`.
 */
import { z } from "zod";
import { EpochMs } from "./instant.ts";
import type { Failure } from "./outcome.ts";

export const DEAD_LETTER_MAX_BYTES = 64 * 1024;

export const DeadLetter = z.object({
  /** Where it was noticed: `ingest`, `bus`, `match`, … */
  stage: z.string(),
  /** A code of REFERENCE.md. */
  reason: z.string(),
  /** For a person; hostile text. */
  detail: z.string(),
  at: EpochMs,
  encoding: z.enum(["utf8", "base64"]),
  original: z.string(),
  /** Bytes of the whole original, kept or not. */
  size: z.number().int().min(0),
  /** Byte offset within the original where it was noticed. */
  offset: z.exactOptional(z.number().int()),
  /** Who sent it and how, as far as known: `remote`, `transport`, `path`, … */
  source: z.exactOptional(z.record(z.string(), z.string())),
});
export type DeadLetter = Readonly<z.infer<typeof DeadLetter>>;

/** Makes a dead letter of bytes and the reason why they could not be understood. */
export function deadLetter(
  bytes: Uint8Array,
  why: {
    readonly stage: string;
    readonly failure: Failure;
    readonly at: EpochMs;
    readonly source?: DeadLetter["source"];
  },
): DeadLetter {
  const { failure } = why;
  return {
    stage: why.stage,
    reason: failure.reason,
    detail: failure.detail,
    at: why.at,
    ...textOf(bytes),
    size: bytes.length,
    ...(failure.offset === undefined ? {} : { offset: failure.offset }),
    ...(why.source === undefined ? {} : { source: why.source }),
  };
}

function textOf(bytes: Uint8Array): Pick<DeadLetter, "encoding" | "original"> {
  const kept = bytes.subarray(0, DEAD_LETTER_MAX_BYTES);
  try {
    // `stream` leaves out a character that the clipping cut in two instead of calling the text broken.
    const clipped = kept.length < bytes.length;
    const original = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(kept, { stream: clipped });
    return { encoding: "utf8", original };
  } catch {
    return { encoding: "base64", original: base64Of(kept) };
  }
}

const CHUNK = 8_192;

function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += CHUNK) binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(binary);
}

/** The kept bytes of a dead letter, as they came. */
export function originalOf(letter: Pick<DeadLetter, "encoding" | "original">): Uint8Array {
  if (letter.encoding === "utf8") return new TextEncoder().encode(letter.original);
  return Uint8Array.from(atob(letter.original), (character) => character.charCodeAt(0));
}
