/**
 * The encoding modifiers: a value as it looks inside Base64 or UTF-16. Between modifiers a value is bytes.
 *
 * Source: Sigma modifiers appendix 2.1.0, "Encoding".
 */

/** UTF-8 bytes of a text. */
export function utf8Bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** UTF-16 bytes, little-endian unless `bigEndian`; `mark` puts FF FE before them. */
export function utf16Bytes(text: string, options: { bigEndian?: boolean; mark?: boolean } = {}): Uint8Array {
  const lead = options.mark === true ? 2 : 0;
  const bytes = new Uint8Array(lead + text.length * 2);
  if (lead > 0) bytes.set([0xff, 0xfe]);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i += 1) {
    view.setUint16(lead + i * 2, text.charCodeAt(i), options.bigEndian !== true);
  }
  return bytes;
}

/** Bytes as text, one character a byte: how a UTF-16 value shows when nothing encodes it further. */
export function byteText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Base64 with padding. */
export function base64Text(bytes: Uint8Array): string {
  return btoa(byteText(bytes));
}

/** Characters at the start that the bytes before share, by how many bytes stand before. */
const HEAD = [0, 2, 3] as const;
/** Characters at the end that the bytes after share, by length modulo 3: padding, and the last that carries their bits. */
const TAIL = [0, 3, 2] as const;

/**
 * The three ways a value shows inside longer Base64, without the characters that depend on what stands around it.
 * A variant is empty when the value is a single byte.
 */
export function base64Offsets(bytes: Uint8Array): readonly string[] {
  return HEAD.map((head, shift) => {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const text = base64Text(shifted);
    const tail = TAIL[shifted.length % 3] ?? 0;
    return text.slice(head, text.length - tail);
  });
}
