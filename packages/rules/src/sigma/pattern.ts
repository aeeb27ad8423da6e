/**
 * Sigma strings: text in which `*` stands for any run of characters and `?` for one, and `\` takes away that meaning.
 *
 * Source: Sigma rules specification, "String Wildcard" and "Escaping".
 */

/** Any run of characters, line breaks included. */
export const MANY = 1;
/** Exactly one character. */
export const ONE = 2;
/** Plain text between wildcards; two texts never stand side by side, and none is empty. */
export type Pattern = readonly (string | typeof MANY | typeof ONE)[];

/**
 * Reads a value as written: `\*`, `\?` and `\\` are plain `*`, `?` and `\`; any other `\` is itself. So `\\*` is a
 * backslash and a wildcard, `\\\*` a backslash and a star, and three or four backslashes are two.
 */
export function parsePattern(text: string): Pattern {
  const parts: (string | typeof MANY | typeof ONE)[] = [];
  let plain = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] as string;
    const next = text[i + 1];
    if (char === "\\" && (next === "\\" || next === "*" || next === "?")) {
      plain += next;
      i += 1;
    } else if (char === "*" || char === "?") {
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push(char === "*" ? MANY : ONE);
    } else {
      plain += char;
    }
  }
  if (plain !== "") parts.push(plain);
  return joinPatterns(parts);
}

/** A text without wildcards. */
export function plainPattern(text: string): Pattern {
  return text === "" ? [] : [text];
}

/** Puts patterns one after the other: texts that meet are one, and `**` is `*`. */
export function joinPatterns(...patterns: readonly Pattern[]): Pattern {
  const parts: (string | typeof MANY | typeof ONE)[] = [];
  for (const part of patterns.flat()) {
    const last = parts.at(-1);
    if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = last + part;
    else if (part !== MANY || last !== MANY) parts.push(part);
  }
  return parts;
}

/** The text of a pattern without wildcards, else `undefined`. */
export function textOf(pattern: Pattern): string | undefined {
  const [only] = pattern;
  if (only === undefined) return "";
  return pattern.length === 1 && typeof only === "string" ? only : undefined;
}

/** Applies a change to the plain texts of a pattern. */
export function mapTexts(pattern: Pattern, change: (text: string) => string): Pattern {
  return pattern.map((part) => (typeof part === "string" ? change(part) : part));
}

const PLACEHOLDER = /\\%|%(\w{1,128})%/g;

/**
 * The parts of a value under `expand`: literal text (still escaped) and the names of placeholders. `\%` is a plain `%`.
 * Source: Sigma rules specification, "Placeholders".
 */
export function placeholdersOf(text: string): readonly ({ readonly text: string } | { readonly name: string })[] {
  const parts: ({ text: string } | { name: string })[] = [];
  let literal = "";
  let from = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    literal += text.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] === undefined) {
      literal += "%";
      continue;
    }
    if (literal !== "") parts.push({ text: literal });
    literal = "";
    parts.push({ name: match[1] });
  }
  literal += text.slice(from);
  if (literal !== "" || parts.length === 0) parts.push({ text: literal });
  return parts;
}
