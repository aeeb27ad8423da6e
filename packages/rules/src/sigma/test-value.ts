/** Answers a matcher on a value: one closure per matcher, made once. Every closure is linear in the text. */
import { assertNever } from "@culprit/model";
import { type FieldScalar, scalarText } from "./field-source.ts";
import { isInNetwork, parseAddress } from "./ip.ts";
import type { Comparator, Matcher, WildcardPiece } from "./matcher.ts";
import { compileRegex } from "./regex.ts";
import { foldText } from "./string-value.ts";
import { timePart } from "./time-part.ts";

/** The matchers that look at text under a view; the others read the value themselves. */
export type TextMatcher = Extract<Matcher, { kind: "text" | "wildcard" }>;

/** A test on text that is folded already. */
export function textTest(matcher: TextMatcher): (text: string) => boolean {
  if (matcher.kind === "wildcard") return wildcardTest(matcher.pieces, matcher.open.start, matcher.open.end);
  const { place, texts } = matcher;
  const [only = ""] = texts;
  if (texts.length === 1) {
    switch (place) {
      case "equals":
        return (text) => text === only;
      case "prefix":
        return (text) => text.startsWith(only);
      case "suffix":
        return (text) => text.endsWith(only);
      case "contains":
        return (text) => text.includes(only);
    }
  }
  switch (place) {
    case "equals": {
      const set = new Set(texts);
      return (text) => set.has(text);
    }
    case "prefix":
      return (text) => texts.some((each) => text.startsWith(each));
    case "suffix":
      return (text) => texts.some((each) => text.endsWith(each));
    case "contains":
      return (text) => texts.some((each) => text.includes(each));
  }
}

/** The test of a matcher that is none of text, presence or another field, on one value. */
export function scalarTest(
  matcher: Exclude<Matcher, TextMatcher | { kind: "exists" | "null" | "value" | "field" }>,
): (value: FieldScalar) => boolean {
  switch (matcher.kind) {
    case "regex": {
      const compiled = compileRegex(matcher.pattern, matcher.flags);
      if (!compiled.ok) return () => false;
      return (value) => {
        const text = scalarText(value);
        return text !== undefined && compiled.test(text);
      };
    }
    case "network": {
      const { network } = matcher;
      return (value) => {
        const address = typeof value === "string" ? parseAddress(value.trim()) : undefined;
        return address !== undefined && isInNetwork(address, network);
      };
    }
    case "number": {
      const { compare, value: limit } = matcher;
      return (value) => {
        const number = numberOf(value);
        return number !== undefined && compares(compare, number, limit);
      };
    }
    case "time": {
      const { part, compare, value: limit } = matcher;
      return (value) => {
        const number = typeof value === "string" || typeof value === "number" ? timePart(part, value) : undefined;
        return number !== undefined && compares(compare, number, limit);
      };
    }
    default:
      return assertNever(matcher);
  }
}

/** Whether the value stands in the other field, at the place the matcher says. */
export function fieldTest(
  matcher: Extract<Matcher, { kind: "field" }>,
): (value: FieldScalar, other: FieldScalar) => boolean {
  const { place, view } = matcher;
  return (value, other) => {
    const text = scalarText(value);
    const part = scalarText(other);
    if (text === undefined || part === undefined) return false;
    const [a, b] = [foldText(text, view), foldText(part, view)];
    switch (place) {
      case "equals":
        return a === b;
      case "prefix":
        return a.startsWith(b);
      case "suffix":
        return a.endsWith(b);
      case "contains":
        return a.includes(b);
    }
  };
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const NUMBER_MAX_LENGTH = 400;
/** Longer integers do not fit a double and are compared digit by digit. */
const DOUBLE_DIGITS = 15;

/** The number a value is or reads as in decimal; EventData holds numbers as text. */
function numberOf(value: FieldScalar): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (text === "" || text.length > NUMBER_MAX_LENGTH || !NUMBER.test(text)) return undefined;
  return text.length > DOUBLE_DIGITS && /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, "")) : Number(text);
}

function compares(compare: Comparator, a: number | bigint, b: number | bigint): boolean {
  switch (compare) {
    case "lt":
      return a < b;
    case "lte":
      return a <= b;
    case "gt":
      return a > b;
    case "gte":
      return a >= b;
    case "eq":
      // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number of equal value are only loosely equal
      return a == b;
  }
}

/** A run of plain characters and single wildcards, ready to be found. */
interface Piece {
  readonly find: (text: string, from: number) => readonly [start: number, end: number] | undefined;
  /** Where the piece ends if it begins at a place; -1 where it does not stand there. */
  readonly endAt: (text: string, from: number) => number;
  /** Where the piece begins if it ends at a place; -1 where it does not. */
  readonly startAt: (text: string, end: number) => number;
}

/**
 * Pieces in order: the first at the start and the last at the end unless open, each other one at the first place it is
 * found. Taking the first place loses nothing, as it leaves the most text for what follows; so no backtracking.
 */
function wildcardTest(
  pieces: readonly WildcardPiece[],
  openStart: boolean,
  openEnd: boolean,
): (text: string) => boolean {
  const all = pieces.map(pieceOf);
  const first = openStart ? undefined : all[0];
  const isOnly = !openStart && !openEnd && all.length === 1;
  const last = openEnd || isOnly ? undefined : all.at(-1);
  const middle = all.slice(first === undefined ? 0 : 1, last === undefined ? undefined : -1);
  return (text) => {
    let from = 0;
    if (first !== undefined) {
      from = first.endAt(text, 0);
      if (from === -1) return false;
      if (isOnly) return from === text.length;
    }
    for (const piece of middle) {
      const found = piece.find(text, from);
      if (found === undefined) return false;
      from = found[1];
    }
    return last === undefined || last.startAt(text, text.length) >= from;
  };
}

function pieceOf(piece: WildcardPiece): Piece {
  if (piece.every((char) => char !== undefined)) {
    const plain = piece.join("");
    return {
      find: (text, from) => {
        const at = text.indexOf(plain, from);
        return at === -1 ? undefined : [at, at + plain.length];
      },
      endAt: (text, from) => (text.startsWith(plain, from) ? from + plain.length : -1),
      startAt: (text, end) => (text.endsWith(plain) && end >= plain.length ? end - plain.length : -1),
    };
  }
  const endAt = (text: string, from: number): number => {
    let at = from;
    for (const char of piece) {
      if (at >= text.length) return -1;
      if (char === undefined) at += isPair(text, at) ? 2 : 1;
      else if (text.startsWith(char, at)) at += char.length;
      else return -1;
    }
    return at;
  };
  return {
    endAt,
    find: (text, from) => {
      for (let at = from; at < text.length; at += 1) {
        const end = endAt(text, at);
        if (end !== -1) return [at, end];
      }
      return undefined;
    },
    startAt: (text, end) => {
      let at = end;
      for (let i = piece.length - 1; i >= 0; i -= 1) {
        const char = piece[i];
        if (char === undefined) at -= at >= 2 && isPair(text, at - 2) ? 2 : 1;
        else if (text.startsWith(char, at - char.length) && at >= char.length) at -= char.length;
        else return -1;
        if (at < 0) return -1;
      }
      return at;
    },
  };
}

/** Whether two code units at a place are one character. */
function isPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdbff) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
