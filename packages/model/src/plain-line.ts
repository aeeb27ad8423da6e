/**
 * Event text as one visible line: in goes anything, out comes text that moves no cursor, starts no escape sequence,
 * reorders nothing and hides nothing. The other media build on it.
 *
 * Line breaks and tabs become a space; every other control, format (bidirectional, zero-width, tag) and separator
 * character is written as `\u{…}`; a lone surrogate becomes U+FFFD.
 */
const BREAKS = /\r\n|[\n\t]/g;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu;

/** Makes text safe for a terminal line, a mail subject or a log line. Source: RELIABILITY B23, B48, B50. */
export function plainLine(text: string): string {
  return text.toWellFormed().replace(BREAKS, " ").replace(HIDDEN, visible);
}

function visible(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/**
 * The first characters of a text with `…` where something was cut; never half a surrogate pair.
 * Units: UTF-16 code units, as most targets count.
 */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const kept = text.slice(0, Math.max(0, lengthMax - 1));
  const last = kept.charCodeAt(kept.length - 1);
  return `${last >= 0xd800 && last <= 0xdbff ? kept.slice(0, -1) : kept}…`;
}
