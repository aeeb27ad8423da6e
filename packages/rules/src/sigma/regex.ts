/**
 * Regular expressions in time linear in the text: RE2 syntax, run by re2js. What RE2 cannot do (lookaround, references
 * back) is refused with the place where it stands.
 *
 * Source: Sigma modifiers appendix 2.1.0, "Regular Expression"; RELIABILITY B41.
 */
import { clip } from "@culprit/model";
import { RE2JS } from "re2js";

/** A longer pattern is refused. */
const PATTERN_MAX_LENGTH = 4_096;
/** Instructions of a compiled pattern; `(a{1,100}){1,10}` style repeats end here. */
const PROGRAM_MAX = 20_000;

export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

export type CompiledRegex =
  | { readonly ok: true; readonly test: (text: string) => boolean }
  | { readonly ok: false; readonly read: string; readonly expected: string; readonly fix?: string };

const OPEN_COUNT = /\{,\d+\}/;
const ESCAPED_OR_CLASS = /\\.|\[\^?\]?[^\]]*\]/g;

/** Compiles a pattern for unanchored search, or says why it cannot be. */
export function compileRegex(pattern: string, flags: RegexFlags): CompiledRegex {
  if (pattern.length > PATTERN_MAX_LENGTH) {
    return { ok: false, read: `a pattern of ${pattern.length} characters`, expected: `at most ${PATTERN_MAX_LENGTH}` };
  }
  const signs = pattern.replace(ESCAPED_OR_CLASS, (match) => "_".repeat(match.length));
  const openCount = OPEN_COUNT.exec(signs);
  if (openCount !== null) {
    // Perl and Python read it as {0,n}, RE2 as plain text: neither reading may be guessed.
    const fix = `write {0${openCount[0].slice(1)}`;
    return {
      ok: false,
      read: `${openCount[0]} at character ${openCount.index + 1}`,
      expected: "a count with a lower end",
      fix,
    };
  }
  const bits =
    (flags.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.multiLine ? RE2JS.MULTILINE : 0) |
    (flags.dotAll ? RE2JS.DOTALL : 0);
  try {
    const regex = RE2JS.compile(pattern, bits);
    if (regex.programSize() > PROGRAM_MAX) {
      return {
        ok: false,
        read: "nested repeats that multiply",
        expected: "a smaller pattern",
        fix: "lower the counts",
      };
    }
    // To PCRE, the flavor that Sigma names, `$` is also the place before a line break that ends the text; `\z` is not.
    const isStrict = flags.multiLine || !signs.includes("$") || pattern.includes("\\z");
    if (isStrict) return { ok: true, test: (text) => regex.test(text) };
    return {
      ok: true,
      test: (text) => regex.test(text) || (text.endsWith("\n") && regex.test(text.slice(0, -1))),
    };
  } catch (error) {
    return { ok: false, ...refusalOf(pattern, error) };
  }
}

const LOOKAROUND = /\(\?<?[=!]/;

function refusalOf(pattern: string, error: unknown): { read: string; expected: string; fix?: string } {
  const look = LOOKAROUND.exec(pattern);
  if (look !== null) {
    const read = `lookaround at character ${look.index + 1} of "${clip(pattern, 60)}"`;
    const fix = "write the part to leave out as a second selection and negate it in the condition";
    return { read, expected: "a pattern that can be matched in linear time", fix };
  }
  const why = error instanceof Error ? clip(error.message, 120) : "unreadable";
  return { read: `"${clip(pattern, 60)}" (${why})`, expected: "a regular expression in RE2 syntax" };
}

/**
 * A text that every match contains, the longest found; "" when none is sure. With `ignoreCase` it is to be compared
 * folded. Only plain characters at the top level count; a quantifier takes back the character before it.
 */
export function requiredText(pattern: string): string {
  if (hasTopLevelAlternative(pattern)) return "";
  let best = "";
  let run = "";
  const end = (): void => {
    if (run.length > best.length) best = run;
    run = "";
  };
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] as string;
    let plain: string | undefined;
    if (char === "\\") {
      const next = pattern[i + 1] ?? "";
      // `\Q…\E`, `\x41` and classes are left alone; an escaped sign of punctuation is itself.
      if (!/[\w\s]/.test(next) && next !== "") plain = next;
      else if (next === "Q" || next === "x" || next === "p" || next === "P" || /\d/.test(next))
        return best.length > run.length ? best : run;
      i += 1;
    } else if (char === "[") {
      i = classEnd(pattern, i);
    } else if (char === "(") {
      // Flags inside, `(?i)`, would change how the rest is compared.
      if (pattern[i + 1] === "?" && pattern[i + 2] !== ":" && pattern[i + 2] !== "P" && pattern[i + 2] !== "<")
        return "";
      i = groupEnd(pattern, i);
    } else if (!".^$*+?{}|)".includes(char) && !SURROGATE.test(char)) {
      plain = char;
    }
    const quantifier = pattern[i + 1];
    if (plain === undefined) end();
    else if (quantifier === "*" || quantifier === "?" || quantifier === "{") end();
    else if (quantifier === "+") {
      run += plain;
      end();
    } else run += plain;
    if (quantifier === "{") {
      const close = pattern.indexOf("}", i + 1);
      i = close === -1 ? pattern.length : close;
    }
  }
  end();
  return best;
}

/** Half of a character beyond the first 65,536: a quantifier takes back both halves, so neither is required. */
const SURROGATE = /[\ud800-\udfff]/;

function hasTopLevelAlternative(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i];
    if (char === "\\") i += 1;
    else if (char === "[") i = classEnd(pattern, i);
    else if (char === "(") i = groupEnd(pattern, i);
    else if (char === "|") return true;
  }
  return false;
}

/** The place of the `]` that closes a class; `]` first in it is a character. */
function classEnd(pattern: string, open: number): number {
  let i = open + 1;
  if (pattern[i] === "^") i += 1;
  if (pattern[i] === "]") i += 1;
  for (; i < pattern.length; i += 1) {
    if (pattern[i] === "\\") i += 1;
    else if (pattern[i] === "[" && pattern[i + 1] === ":") i = Math.max(i, pattern.indexOf(":]", i + 2) + 1);
    else if (pattern[i] === "]") return i;
  }
  return pattern.length;
}

/** The place of the `)` that closes a group. */
function groupEnd(pattern: string, open: number): number {
  let depth = 0;
  for (let i = open; i < pattern.length; i += 1) {
    const char = pattern[i];
    if (char === "\\") i += 1;
    else if (char === "[") i = classEnd(pattern, i);
    else if (char === "(") depth += 1;
    else if (char === ")") {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return pattern.length;
}
