/**
 * The normal form of one test on one field: what is compared, with wildcards split and case folded once. Two rules that
 * ask the same have equal keys, so the compiler can ask once.
 */
import type { Network } from "./ip.ts";
import { MANY, ONE, type Pattern } from "./pattern.ts";
import type { RegexFlags } from "./regex.ts";
import type { TimePart } from "./time-part.ts";

/** How text is seen before it is compared. */
export interface TextView {
  /** With regard to case. */
  readonly cased: boolean;
  /** With all dashes alike. */
  readonly dash: boolean;
}

export type TextPlace = "equals" | "prefix" | "suffix" | "contains";
export type Comparator = "lt" | "lte" | "gt" | "gte" | "eq";

/** Texts are folded already as the view asks. */
export type Matcher =
  /** One of the texts, at that place of the value. */
  | { readonly kind: "text"; readonly place: TextPlace; readonly texts: readonly string[]; readonly view: TextView }
  /** Pieces to be found one after the other; between two is any text. */
  | {
      readonly kind: "wildcard";
      readonly pieces: readonly WildcardPiece[];
      readonly open: OpenEnds;
      readonly view: TextView;
    }
  /** Any value but null and missing. */
  | { readonly kind: "value" }
  | { readonly kind: "null" }
  | { readonly kind: "exists" }
  | { readonly kind: "regex"; readonly pattern: string; readonly flags: RegexFlags }
  | { readonly kind: "network"; readonly network: Network }
  | { readonly kind: "number"; readonly compare: Comparator; readonly value: number | bigint }
  | { readonly kind: "time"; readonly part: TimePart; readonly compare: Comparator; readonly value: number }
  | { readonly kind: "field"; readonly other: string; readonly place: TextPlace; readonly view: TextView };

/** A run of characters; `undefined` in place of a character stands for any one. */
export type WildcardPiece = readonly (string | undefined)[];

/** Whether any text may stand before the first and after the last piece. */
interface OpenEnds {
  readonly start: boolean;
  readonly end: boolean;
}

/**
 * The matcher of a pattern whose texts are folded: the cheapest kind that says the same.
 * A pattern of `*` alone asks for a value, even an empty one.
 */
export function matcherOf(pattern: Pattern, view: TextView): Matcher {
  if (pattern.length === 1 && pattern[0] === MANY) return { kind: "value" };
  const start = pattern[0] === MANY;
  const end = pattern.length > 1 && pattern.at(-1) === MANY;
  const inner = pattern.slice(start ? 1 : 0, end ? -1 : undefined);
  const [text] = inner;
  if (inner.length === 0) return { kind: "text", place: "equals", texts: [""], view };
  if (inner.length === 1 && typeof text === "string") {
    const place = start ? (end ? "contains" : "suffix") : end ? "prefix" : "equals";
    return { kind: "text", place, texts: [text], view };
  }
  return { kind: "wildcard", pieces: piecesOf(inner), open: { start, end }, view };
}

function piecesOf(inner: Pattern): WildcardPiece[] {
  const pieces: (string | undefined)[][] = [[]];
  for (const part of inner) {
    const piece = pieces.at(-1) as (string | undefined)[];
    if (part === MANY) pieces.push([]);
    else if (part === ONE) piece.push(undefined);
    else piece.push(...part);
  }
  return pieces;
}

/** Equal for matchers that ask the same of a value. */
export function matcherKey(matcher: Matcher): string {
  return JSON.stringify(matcher, (_, value) =>
    typeof value === "bigint" ? `${value}n` : value === undefined ? null : value,
  );
}
