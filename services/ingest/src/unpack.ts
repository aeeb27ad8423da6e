/** Unpacks gzip, zlib, deflate and zstd, refusing bombs while they unpack. */
import { constants, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";

export type Codec = "gzip" | "deflate" | "zstd";

export interface UnpackLimits {
  readonly unpackedMaxBytes: number;
  /** How many times larger than sent it may get, above 1 MiB. */
  readonly unpackRatioMax: number;
}

export type Unpacked =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: "too-large" | "broken" | "no-room"; readonly detail: string };

/** Small bodies compress well without meaning harm. */
const RATIO_FREE_BYTES = 1024 * 1024;
/** zstd's window, 8 MiB: what a decompressor must support; a frame that asks for more is refused. */
const ZSTD_WINDOW_LOG_MAX = 23;

/**
 * Unpacks all of `sent`. `hold` is asked for room for each piece; without room nothing more is unpacked.
 * Errors: none; what is too large or broken is an answer.
 */
export function unpack(
  sent: Uint8Array,
  codec: Codec,
  { limits, hold }: { readonly limits: UnpackLimits; hold(bytes: number): boolean },
): Promise<Unpacked> {
  const unpacker = unpackerOf(codec, sent);
  const { promise, resolve } = Promise.withResolvers<Unpacked>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const give = (answer: Unpacked): void => {
    unpacker.destroy();
    resolve(answer);
  };
  unpacker.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    const bomb = size > RATIO_FREE_BYTES && size / sent.length > limits.unpackRatioMax;
    if (size > limits.unpackedMaxBytes || bomb) {
      const detail = `at most ${limits.unpackedMaxBytes} bytes, and ${limits.unpackRatioMax} times what was sent`;
      give({ ok: false, reason: "too-large", detail });
    } else if (hold(chunk.length)) chunks.push(chunk);
    else give({ ok: false, reason: "no-room", detail: "too much is in work" });
  });
  unpacker.on("end", () => {
    // Node stops at the end of the packed data and says nothing of what follows.
    const unused = sent.length - unpacker.bytesWritten;
    if (unused > 0) give({ ok: false, reason: "broken", detail: `${unused} bytes follow the packed data` });
    else give({ ok: true, bytes: Buffer.concat(chunks) });
  });
  unpacker.on("error", (error) => give({ ok: false, reason: "broken", detail: error.message }));
  unpacker.end(sent);
  return promise;
}

function unpackerOf(codec: Codec, sent: Uint8Array) {
  if (codec === "gzip") return createGunzip();
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
