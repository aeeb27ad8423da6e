/** The JSON values of a stream: one a line, or one that goes over many lines, as files made for reading do. */
import { textLines } from "./text-lines.ts";

/**
 * Yields the values in order. Integers keep their digits: those beyond 2^53 are bigints.
 *
 * Errors: a line that is no JSON is told with its number, and the others are read.
 */
export async function* jsonValues(
  chunks: AsyncIterable<Uint8Array>,
  onFailure: (line: number, reason: string) => void,
): AsyncGenerator<{ readonly line: number; readonly value: unknown }> {
  // Lines from a first one that opens a value and does not end it: either that value, or a broken line and others.
  let held: { readonly line: number; readonly text: string }[] | undefined;
  let isFirst = true;
  let line = 0;
  for await (const text of textLines(chunks)) {
    line += 1;
    if (text.trim() === "") continue;
    if (held !== undefined) {
      held.push({ line, text });
      continue;
    }
    const read = readJson(text);
    if (read.ok) yield { line, value: read.value };
    else if (isFirst && /^\s*\ufeff?[[{]/.test(text)) held = [{ line, text }];
    else onFailure(line, read.reason);
    isFirst = false;
  }
  if (held === undefined) return;
  const whole = readJson(held.map(({ text }) => text).join("\n"));
  if (whole.ok) yield { line: 1, value: whole.value };
  for (const each of whole.ok ? [] : held) {
    const read = readJson(each.text);
    if (read.ok) yield { line: each.line, value: read.value };
    else onFailure(each.line, read.reason);
  }
}

type Reading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

function readJson(text: string): Reading {
  try {
    return { ok: true, value: parse(text.replace(/^\ufeff/, "")) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

const LONG_NUMBER = /\d{16}/;

function parse(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/** JSON.parse source text access, ES2026. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isLong = typeof value === "number" && !Number.isSafeInteger(value);
  return isLong && /^-?\d{1,400}$/.test(context?.source ?? "") ? BigInt(context?.source ?? 0) : value;
}
