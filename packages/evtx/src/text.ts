/** Strings as Windows stores them. */

/** UTF-16LE; ends at the first NUL, as Windows and every reader of these logs have it. */
export function utf16Text(bytes: Uint8Array, at: number, size: number): string {
  let end = at + (size & ~1);
  for (let i = at; i < end; i += 2) {
    if (bytes[i] === 0 && bytes[i + 1] === 0) {
      end = i;
      break;
    }
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString("utf16le");
}

/** The items of an array of strings: each ends with a NUL, the last perhaps without. */
export function utf16Texts(bytes: Uint8Array, at: number, size: number): string[] {
  const texts: string[] = [];
  const end = at + (size & ~1);
  let start = at;
  for (let i = at; i < end; i += 2) {
    if (bytes[i] === 0 && bytes[i + 1] === 0) {
      texts.push(utf16Text(bytes, start, i - start));
      start = i + 2;
    }
  }
  if (start < end) texts.push(utf16Text(bytes, start, end - start));
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
