/**
 * Values compared as text: placeholders, dashes, encodings and places, applied in the order given.
 *
 * Source: Sigma modifiers appendix 2.1.0, "Generic", "String" and "Encoding"; rules specification, "Placeholders".
 */
import { base64Offsets, base64Text, byteText, utf8Bytes, utf16Bytes } from "./encoding.ts";
import { anyOf, type Query, testOf } from "./expression.ts";
import { DASH_CHARACTERS, foldCase, foldDashes } from "./fold.ts";
import { matcherOf, type TextView } from "./matcher.ts";
import {
  joinPatterns,
  MANY,
  mapTexts,
  type Pattern,
  parsePattern,
  placeholdersOf,
  plainPattern,
  textOf,
} from "./pattern.ts";

/** Texts that one value may become, through placeholders or dashes inside encodings. */
const VARIANTS_MAX = 10_000;

export interface StringModifiers {
  /** `undefined`: a keyword, looked for anywhere in any value. */
  readonly field: string | undefined;
  readonly modifiers: readonly string[];
  readonly placeholders: ReadonlyMap<string, readonly string[]>;
}

export interface StringProblem {
  readonly read: string;
  readonly expected: string;
  readonly fix?: string;
}

type Value = { readonly pattern: Pattern } | { readonly bytes: Uint8Array };
type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: StringProblem };

/** The query for one written value (more texts where it has more spellings): any of its variants. */
export function stringQuery(
  texts: readonly string[],
  { field, modifiers, placeholders }: StringModifiers,
): { readonly ok: true; readonly query: Query } | { readonly ok: false; readonly problem: StringProblem } {
  let values: Value[] = [];
  for (const text of texts) {
    const expanded = modifiers.includes("expand")
      ? expand(text, placeholders)
      : { ok: true as const, value: [parsePattern(text)] };
    if (!expanded.ok) return expanded;
    values.push(...expanded.value.map((pattern) => ({ pattern })));
  }
  const isEncoded = modifiers.some((modifier) => modifier in ENCODERS);
  for (const modifier of modifiers) {
    const next: Value[] = [];
    for (const value of values) {
      const changed = applyModifier(modifier, value, isEncoded);
      if (!changed.ok) return changed;
      next.push(...changed.value);
    }
    if (next.length > VARIANTS_MAX) return { ok: false, problem: tooMany(next.length) };
    values = next;
  }
  const view: TextView = { cased: modifiers.includes("cased"), dash: modifiers.includes("windash") && !isEncoded };
  const isPlaced = modifiers.includes("startswith") || modifiers.includes("endswith");
  const queries = values.map((value) => {
    const pattern = "bytes" in value ? plainPattern(byteText(value.bytes)) : value.pattern;
    const placed = field === undefined && !isPlaced ? joinPatterns([MANY], pattern, [MANY]) : pattern;
    return testOf(
      field,
      matcherOf(
        mapTexts(placed, (text) => foldText(text, view)),
        view,
      ),
    );
  });
  return { ok: true, query: anyOf(queries) };
}

/** A text as a view sees it. */
export function foldText(text: string, view: TextView): string {
  const dashed = view.dash ? foldDashes(text) : text;
  return view.cased ? dashed : foldCase(dashed);
}

function tooMany(count: number): StringProblem {
  return { read: `a value with ${count} variants`, expected: `at most ${VARIANTS_MAX}`, fix: "write shorter values" };
}

/** Every combination of the values of the placeholders in a text. */
function expand(text: string, placeholders: ReadonlyMap<string, readonly string[]>): Outcome<Pattern[]> {
  let patterns: Pattern[] = [[]];
  for (const part of placeholdersOf(text)) {
    let choices: readonly Pattern[];
    if ("text" in part) {
      choices = [parsePattern(part.text)];
    } else {
      const values = placeholders.get(part.name);
      if (values === undefined || values.length === 0) {
        const fix = `give values for ${part.name}`;
        return {
          ok: false,
          problem: { read: `%${part.name}% without values`, expected: "a placeholder with values", fix },
        };
      }
      choices = values.map(parsePattern);
    }
    if (patterns.length * choices.length > VARIANTS_MAX)
      return { ok: false, problem: tooMany(patterns.length * choices.length) };
    patterns = patterns.flatMap((head) => choices.map((choice) => joinPatterns(head, choice)));
  }
  return { ok: true, value: patterns };
}

type Encoder = (bytes: Uint8Array, text: string) => Value[];

const ENCODERS: Readonly<Record<string, Encoder>> = {
  wide: (_, text) => [{ bytes: utf16Bytes(text) }],
  utf16le: (_, text) => [{ bytes: utf16Bytes(text) }],
  utf16be: (_, text) => [{ bytes: utf16Bytes(text, { bigEndian: true }) }],
  utf16: (_, text) => [{ bytes: utf16Bytes(text, { mark: true }) }],
  base64: (bytes) => [{ pattern: plainPattern(base64Text(bytes)) }],
  base64offset: (bytes) => base64Offsets(bytes).map((text) => ({ pattern: plainPattern(text) })),
};

function applyModifier(modifier: string, value: Value, isEncoded: boolean): Outcome<Value[]> {
  const encode = Object.hasOwn(ENCODERS, modifier) ? ENCODERS[modifier] : undefined;
  if (encode !== undefined) return encodeValue(modifier, encode, value);
  const pattern = "bytes" in value ? plainPattern(byteText(value.bytes)) : value.pattern;
  switch (modifier) {
    case "contains":
      return { ok: true, value: [{ pattern: joinPatterns([MANY], pattern, [MANY]) }] };
    case "startswith":
      return { ok: true, value: [{ pattern: joinPatterns(pattern, [MANY]) }] };
    case "endswith":
      return { ok: true, value: [{ pattern: joinPatterns([MANY], pattern) }] };
    case "windash":
      return isEncoded ? permuteDashes(pattern) : { ok: true, value: [value] };
    default:
      return { ok: true, value: [value] };
  }
}

function encodeValue(modifier: string, encode: Encoder, value: Value): Outcome<Value[]> {
  const text = "bytes" in value ? byteText(value.bytes) : textOf(value.pattern);
  if (text === undefined) {
    const fix = "escape the wildcard, or put contains after the encoding";
    return { ok: false, problem: { read: `a wildcard under ${modifier}`, expected: "plain text", fix } };
  }
  const bytes = "bytes" in value ? value.bytes : utf8Bytes(text);
  const encoded = encode(bytes, text);
  const isVague = encoded.some((each) => "pattern" in each && each.pattern.length === 0);
  if (isVague)
    return {
      ok: false,
      problem: { read: `a value of ${bytes.length} bytes under ${modifier}`, expected: "two bytes or more" },
    };
  return { ok: true, value: encoded };
}

/** Under an encoding the dashes cannot be compared as one, so every permutation is written out. */
function permuteDashes(pattern: Pattern): Outcome<Value[]> {
  const text = textOf(pattern);
  if (text === undefined) return { ok: true, value: [{ pattern }] };
  const pieces = foldDashes(text).split("-");
  const count = DASH_CHARACTERS.length ** (pieces.length - 1);
  if (count > VARIANTS_MAX) return { ok: false, problem: tooMany(count) };
  let texts = [pieces[0] as string];
  for (const piece of pieces.slice(1)) {
    texts = texts.flatMap((head) => DASH_CHARACTERS.map((dash) => `${head}${dash}${piece}`));
  }
  return { ok: true, value: texts.map((each) => ({ pattern: plainPattern(each) })) };
}
