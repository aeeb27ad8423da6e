/** Strings as Windows stores them. */

/** Longer strings are seldom met twice. */
const SHARED_UNITS_MAX = 64;
const SHARED_SLOTS = 8_192;

/**
 * Short strings met before, by a hash of their length and ends. Names, accounts, services and hosts repeat from record to
 * record, and comparing with a held string costs less than making a new one. Bounded by slots times length.
 */
const shared: string[] = new Array(SHARED_SLOTS).fill("");

/** UTF-16LE; ends at the first NUL, as Windows and every reader of these logs have it. The range lies inside the view. */
export function utf16Text(view: DataView, at: number, size: number): string {
  let units = size >> 1;
  while (units > 0 && view.getUint16(at + 2 * units - 2, true) === 0) units -= 1;
  if (units === 0) return "";
  if (units > SHARED_UNITS_MAX) return decodeUtf16(view, at, units);
  const first = view.getUint16(at, true);
  const middle = view.getUint16(at + 2 * (units >> 1), true);
  const last = view.getUint16(at + 2 * units - 2, true);
  const slot = (first * 2_311 + middle * 619 + last * 31 + units * 7) & (SHARED_SLOTS - 1);
  const held = shared[slot] as string;
  if (held.length === units && isText(held, view, at)) return held;
  const text = decodeUtf16(view, at, units);
  shared[slot] = text;
  return text;
}

function isText(text: string, view: DataView, at: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== view.getUint16(at + 2 * i, true)) return false;
  return true;
}

function decodeUtf16(view: DataView, at: number, units: number): string {
  const text = Buffer.from(view.buffer, view.byteOffset + at, units * 2).toString("utf16le");
  const nul = text.indexOf("\0");
  // A copy, so that a short text does not keep a long one in memory.
  return nul === -1 ? text : Buffer.from(text.slice(0, nul), "utf16le").toString("utf16le");
}

/** The items of an array of strings: each ends with a NUL, the last perhaps without. */
export function utf16Texts(view: DataView, at: number, size: number): string[] {
  const texts: string[] = [];
  const end = at + (size & ~1);
  let start = at;
  for (let i = at; i < end; i += 2) {
    if (view.getUint16(i, true) === 0) {
      texts.push(utf16Text(view, start, i - start));
      start = i + 2;
    }
  }
  if (start < end) texts.push(utf16Text(view, start, end - start));
  return texts;
}

const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

/** A string in an 8-bit code page; ends at the first NUL. */
export function ansiText(bytes: Uint8Array, encoding: string): string {
  const nul = bytes.indexOf(0);
  let decoder = decoders.get(encoding);
  if (decoder === undefined) {
    decoder = new TextDecoder(encoding);
    decoders.set(encoding, decoder);
  }
  return decoder.decode(nul === -1 ? bytes : bytes.subarray(0, nul));
}

/** The items of an array of strings in an 8-bit code page. */
export function ansiTexts(bytes: Uint8Array, encoding: string): string[] {
  const texts: string[] = [];
  let start = 0;
  while (start < bytes.length) {
    const nul = bytes.indexOf(0, start);
    const end = nul === -1 ? bytes.length : nul;
    texts.push(ansiText(bytes.subarray(start, end), encoding));
    start = end + 1;
  }
  return texts;
}
