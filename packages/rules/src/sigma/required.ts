/**
 * What an event must show for a query to hold: a few literals, one of which must stand in a certain field. A query
 * without such literals can hold without any.
 */
import type { Query, Test } from "./expression.ts";
import { foldCase } from "./fold.ts";
import { requiredText } from "./regex.ts";

/** A folded text in a field (`undefined`: any field): the whole value, or somewhere in it. */
export interface Literal {
  readonly field: string | undefined;
  readonly exact: boolean;
  readonly text: string;
}

const PROGRAM = /\.(?:exe|dll)$/;

/** More alternatives than this cost more to look for than they save. */
const ALTERNATIVES_MAX = 2_000;

/**
 * Literals of which every event that the query holds for shows at least one, the most telling found; `undefined` where
 * none are sure. Sound for every view: a text found with regard to case, or with dashes folded, is found folded too.
 */
export function requiredLiterals(query: Query): readonly Literal[] | undefined {
  switch (query.kind) {
    case "constant":
      return query.value ? undefined : [];
    case "not":
      return undefined;
    case "test":
      return literalsOfTest(query);
    case "and": {
      let best: readonly Literal[] | undefined;
      for (const item of query.items) {
        const literals = requiredLiterals(item);
        if (literals !== undefined && (best === undefined || worthOf(literals) > worthOf(best))) best = literals;
      }
      return best;
    }
    case "or": {
      const all: Literal[] = [];
      for (const item of query.items) {
        const literals = requiredLiterals(item);
        if (literals === undefined || all.length + literals.length > ALTERNATIVES_MAX) return undefined;
        all.push(...literals);
      }
      return all;
    }
  }
}

/**
 * Long texts are rare, whole values rarer; names of programs are in many events, as most Windows rules begin with one;
 * many alternatives make some hit likely.
 */
function worthOf(literals: readonly Literal[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const { text, exact } of literals) {
    const length = PROGRAM.test(text) ? text.length / 4 : text.length;
    shortest = Math.min(shortest, length + (exact ? 8 : 0));
  }
  return Math.min(shortest, 40) - 2 * Math.log2(literals.length + 1);
}

function literalsOfTest({ field, matcher }: Test): readonly Literal[] | undefined {
  if (matcher.kind === "text") {
    const { place, texts, view } = matcher;
    const exact = place === "equals" && !view.dash;
    return sound(texts.map((text) => ({ field, exact, text: view.dash ? longestPiece(text, "-") : foldCase(text) })));
  }
  if (matcher.kind === "wildcard") {
    let longest = "";
    for (const piece of matcher.pieces) {
      for (const run of runsOf(piece)) if (run.length > longest.length) longest = run;
    }
    const text = matcher.view.dash ? longestPiece(longest, "-") : foldCase(longest);
    return sound([{ field, exact: false, text }]);
  }
  if (matcher.kind === "regex") {
    const { pattern, flags } = matcher;
    const plain = foldCase(requiredText(pattern));
    // RE2 lets `ſ` be an `s` without regard to case; folding does not, so there an `s` ends the literal.
    const text = flags.ignoreCase ? longestPiece(plain, "s") : plain;
    return flags.ignoreCase && !/^[\0-\x7f]*$/.test(text) ? undefined : sound([{ field, exact: false, text }]);
  }
  return undefined;
}

/** An empty text is in every value, so it tells nothing; as a whole value it tells a lot. */
function sound(literals: readonly Literal[]): readonly Literal[] | undefined {
  return literals.every(({ text, exact }) => text !== "" || exact) ? literals : undefined;
}

function longestPiece(text: string, separator: string): string {
  const pieces = foldCase(text).split(separator);
  return pieces.reduce((best, piece) => (piece.length > best.length ? piece : best));
}

function* runsOf(piece: readonly (string | undefined)[]): Generator<string> {
  let run = "";
  for (const char of piece) {
    if (char !== undefined) run += char;
    else {
      yield run;
      run = "";
    }
  }
  yield run;
}
