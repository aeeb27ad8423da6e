/**
 * Event text inside Markdown: no emphasis, link, heading, list, table cell, HTML or mention.
 *
 * Marks that can begin a construct anywhere are escaped, those that can only at the beginning of a line only there, so that
 * times and commands stay readable in the raw. `@` becomes its full-width form, because sites turn `@team` into a mention
 * after the Markdown is read, where a backslash no longer protects.
 */
import { plainLine } from "@culprit/model";

const INLINE = /[\\`*_[\]<>~$&|]/g;
const AT_START = /^(\s*)([#+\-=])/;
const LIST_NUMBER = /^(\s*\d{1,9})([.)])/;
/** GFM makes links of these without any mark around them. */
const BARE_ADDRESS = /\b(https?|ftp|mailto|xmpp|javascript):/gi;
const BARE_WWW = /\bwww\./gi;

/** Source: RELIABILITY B46; CommonMark 0.31 section 2.4 (backslash escapes), GFM 6.9 (extended autolinks). */
export function markdownText(text: string): string {
  return plainLine(text)
    .replace(INLINE, "\\$&")
    .replace(AT_START, "$1\\$2")
    .replace(LIST_NUMBER, "$1\\$2")
    .replace(BARE_ADDRESS, "$1\\:")
    .replace(BARE_WWW, (www) => `${www.slice(0, -1)}\\.`)
    .replaceAll("@", "＠");
}

/** Text as inline code, which no Markdown reads further; the fence is longer than any run of backticks within. */
export function markdownCode(text: string): string {
  const line = plainLine(text);
  let longest = 0;
  for (const run of line.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  const pad = longest > 0 || line === "" ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}
