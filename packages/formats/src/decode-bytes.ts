/** The two ways in: an input that comes in chunks, and one that can be iterated. */
import { createDecoderOf, type Decoder } from "./decoder.ts";
import type { DecodedItem, DecoderOptions } from "./decoding.ts";
import { FORMAT_SET } from "./formats.ts";

/** A decoder for one input that comes in chunks: `push` each, then `end`. */
export function createDecoder(options: DecoderOptions): Decoder {
  return createDecoderOf(FORMAT_SET, options);
}

/**
 * Decodes a whole input, given as bytes or as chunks of bytes.
 * Shape: events and failures in the order of the input, lazily; memory is bounded by the longest record.
 * Errors: none; what cannot be read is a failure with its offset.
 */
export function* decodeBytes(
  input: Uint8Array | Iterable<Uint8Array>,
  options: DecoderOptions,
): Generator<DecodedItem, void, void> {
  const decoder = createDecoder(options);
  for (const chunk of input instanceof Uint8Array ? [input] : input) yield* decoder.push(chunk);
  yield* decoder.end();
}
