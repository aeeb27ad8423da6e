/**
 * Reads a request's body within its limits and unpacks it. What is held counts against a budget that all senders share.
 */
import type { Readable } from "node:stream";
import type { Budget } from "../budget.ts";
import { type Codec, type UnpackLimits, unpack } from "../unpack.ts";
import type { RefusalReason } from "./answer.ts";

export interface BodyLimits extends UnpackLimits {
  readonly bodyMaxBytes: number;
}

export type Body =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly sentBytes: number }
  /** `sent` is what came, where it may be kept as a dead letter. */
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail?: string; readonly sent?: Uint8Array };

const NO_BYTES = new Uint8Array(0);
const CODECS: Readonly<Record<string, Codec | "none">> = {
  "": "none",
  identity: "none",
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  zstd: "zstd",
};

/**
 * Reads and unpacks. `use` gets the outcome; what it holds of the budget is given back once `use` has settled.
 * Shape: `contentLength` refuses before the first byte is read.
 */
export async function withBody<T>(
  stream: Readable,
  request: { readonly contentLength: number | undefined; readonly encoding: string },
  { limits, budget, use }: { limits: BodyLimits; budget: Budget; use: (body: Body) => Promise<T> },
): Promise<T> {
  const lease = budget.lease();
  try {
    return await use(await read(stream, request, { limits, hold: lease.grow }));
  } finally {
    lease.release();
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
  const name = encoding.trim().toLowerCase();
  const codec = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (codec === undefined) {
    return { ok: false, reason: "unknown-encoding", detail: `cannot unpack "${encoding.slice(0, 40)}"` };
  }
  const { bodyMaxBytes } = reading.limits;
  if (contentLength !== undefined && contentLength > bodyMaxBytes) return tooLarge(bodyMaxBytes);
  const sent = await collect(stream, bodyMaxBytes, reading.hold);
  return !sent.ok || codec === "none" ? sent : unpacked(sent.bytes, codec, reading);
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

async function unpacked(sent: Uint8Array, codec: Codec, reading: Reading): Promise<Body> {
  if (sent.length === 0) return { ok: true, bytes: NO_BYTES, sentBytes: 0 };
  const outcome = await unpack(sent, codec, reading);
  if (outcome.ok) return { ...outcome, sentBytes: sent.length };
  const { detail } = outcome;
  if (outcome.reason === "no-room") return { ok: false, reason: "busy" };
  if (outcome.reason === "too-large") return { ok: false, reason: "unpacks-too-large", detail };
  return { ok: false, reason: "broken-encoding", detail, sent };
}
