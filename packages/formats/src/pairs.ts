/**
 * `key=value` pairs whose values hold blanks without quotes: a value ends where a blank, a key and `=` follow. CEF's
 * extension, WinCollect's pairs after a relay has turned their tabs into blanks, and plain key-value lines.
 */

const KEY = /(?:^|\s)([A-Za-z_][\w.-]{0,63}(?:\[\d{1,3}\])?)=/g;

/** Pairs in their order; `keys` narrows what counts as a key. Values are as written, without outer quotes. */
export function readPairs(text: string, keys?: ReadonlySet<string>): (readonly [string, string])[] {
  const starts: { key: string; at: number; value: number }[] = [];
  for (const match of text.matchAll(KEY)) {
    const key = match[1] as string;
    if (keys === undefined || keys.has(key))
      starts.push({ key, at: match.index, value: match.index + match[0].length });
  }
  const pairs: (readonly [string, string])[] = [];
  let quotedUntil = 0;
  for (let i = 0; i < starts.length; i += 1) {
    const start = starts[i] as { key: string; at: number; value: number };
    if (start.at < quotedUntil) continue;
    const quoted = quotedValue(text, start.value);
    if (quoted !== undefined) {
      quotedUntil = quoted.end;
      pairs.push([start.key, quoted.value]);
      continue;
    }
    const next = starts[i + 1]?.at ?? text.length;
    pairs.push([start.key, text.slice(start.value, next).trim()]);
  }
  return pairs;
}

/** `"…"` up to the next quote that is not escaped and ends a value. */
function quotedValue(text: string, at: number): { value: string; end: number } | undefined {
  if (text[at] !== '"') return undefined;
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    if (text[end - 1] === "\\") continue;
    return { value: text.slice(at + 1, end).replaceAll('\\"', '"'), end: end + 1 };
  }
  return undefined;
}
