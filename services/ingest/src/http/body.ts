/**
 * Reads a request's body within its limits and unpacks it, refusing bombs while they unpack. What is held counts against a
 * budget that all requests share.
 */
import type { Readable } from "node:stream";
import { constants, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";
import type { RefusalReason } from "./answer.ts";

export interface BodyLimits {
  readonly bodyMaxBytes: number;
  readonly unpackedMaxBytes: number;
  readonly unpackRatioMax: number;
}

export type Body =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly sentBytes: number }
  /** `sent` is what came, where it may be kept as a dead letter. */
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail?: string; readonly sent?: Uint8Array };

/** Bytes that all requests together may hold. */
export class Budget {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes bytes if there is room; a request that is alone is never refused for its own size. */
  take(bytes: number, own: number): boolean {
    if (this.#held + bytes > this.#max && this.#held > own) return false;
    this.#held += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

const NO_BYTES = new Uint8Array(0);
/** Small bodies compress well without meaning harm. */
const RATIO_FREE_BYTES = 1024 * 1024;
/** zstd's window, 8 MiB: what a decompressor must support; a frame that asks for more is refused. */
const ZSTD_WINDOW_LOG_MAX = 23;

const GZIP = new Set(["gzip", "x-gzip"]);
const PLAIN = new Set(["", "identity"]);

/**
 * Reads and unpacks. `use` gets the outcome; what it holds of the budget is given back once `use` has settled.
 * Shape: `contentLength` refuses before the first byte is read.
 */
export async function withBody<T>(
  stream: Readable,
  request: { readonly contentLength: number | undefined; readonly encoding: string },
  { limits, budget, use }: { limits: BodyLimits; budget: Budget; use: (body: Body) => Promise<T> },
): Promise<T> {
  let held = 0;
  const hold = (bytes: number): boolean => {
    if (!budget.take(bytes, held)) return false;
    held += bytes;
    return true;
  };
  try {
    return await use(await read(stream, request, { limits, hold }));
  } finally {
    budget.release(held);
  }
}

interface Reading {
  readonly limits: BodyLimits;
  hold(bytes: number): boolean;
}

async function read(
  stream: Readable,
  { contentLength, encoding }: { readonly contentLength: number | undefined; readonly encoding: string },
  reading: Reading,
): Promise<Body> {
  const codec = encoding.trim().toLowerCase();
  if (!PLAIN.has(codec) && !GZIP.has(codec) && codec !== "deflate" && codec !== "zstd") {
    return { ok: false, reason: "unknown-encoding", detail: `cannot unpack "${encoding.slice(0, 40)}"` };
  }
  const { bodyMaxBytes } = reading.limits;
  if (contentLength !== undefined && contentLength > bodyMaxBytes) return tooLarge(bodyMaxBytes);
  const sent = await collect(stream, bodyMaxBytes, reading.hold);
  if (!sent.ok || PLAIN.has(codec)) return sent;
  return unpack(sent.bytes, codec, reading);
}

function tooLarge(bodyMaxBytes: number): Body {
  return { ok: false, reason: "too-large", detail: `at most ${bodyMaxBytes} bytes are taken` };
}

async function collect(stream: Readable, bodyMaxBytes: number, hold: Reading["hold"]): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > bodyMaxBytes) return tooLarge(bodyMaxBytes);
      if (!hold(chunk.length)) return { ok: false, reason: "busy" };
      chunks.push(chunk);
    }
  } catch {
    return { ok: false, reason: "cut-off" };
  }
  return {
    ok: true,
    bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks),
    sentBytes: size,
  };
}

function unpack(sent: Uint8Array, codec: string, { limits, hold }: Reading): Promise<Body> {
  if (sent.length === 0) return Promise.resolve({ ok: true, bytes: NO_BYTES, sentBytes: 0 });
  const unpacker = unpackerOf(codec, sent);
  const { promise, resolve } = Promise.withResolvers<Body>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const give = (body: Body): void => {
    unpacker.destroy();
    resolve(body);
  };
  unpacker.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    const bomb = size > RATIO_FREE_BYTES && size / sent.length > limits.unpackRatioMax;
    if (size > limits.unpackedMaxBytes || bomb) {
      give({
        ok: false,
        reason: "unpacks-too-large",
        detail: `at most ${limits.unpackedMaxBytes} bytes, and ${limits.unpackRatioMax} times what was sent`,
      });
    } else if (hold(chunk.length)) chunks.push(chunk);
    else give({ ok: false, reason: "busy" });
  });
  unpacker.on("end", () => {
    // Node stops at the end of the packed data and says nothing of what follows.
    const unused = sent.length - unpacker.bytesWritten;
    if (unused > 0)
      give({ ok: false, reason: "broken-encoding", detail: `${unused} bytes follow the packed data`, sent });
    else give({ ok: true, bytes: Buffer.concat(chunks), sentBytes: sent.length });
  });
  unpacker.on("error", (error) => give({ ok: false, reason: "broken-encoding", detail: error.message, sent }));
  unpacker.end(sent);
  return promise;
}

function unpackerOf(codec: string, sent: Uint8Array) {
  if (GZIP.has(codec)) return createGunzip();
  if (codec === "zstd") {
    return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } });
  }
  // "deflate" means zlib's framing (RFC 9110), but some senders leave the framing out.
  return isZlib(sent) ? createInflate() : createInflateRaw();
}

/** Method 8 and a header that is a multiple of 31. Source: RFC 1950 section 2.2. */
function isZlib([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
