/**
 * Which modifiers there are, and which may stand together. A combination without a clear meaning is refused.
 *
 * Source: Sigma modifiers appendix 2.1.0; docs/rules.md, "Modifiers".
 */
import { clip } from "@culprit/model";
import { TIME_PARTS, type TimePart } from "./time-part.ts";

const COMPARATORS = ["lt", "lte", "gt", "gte"] as const;
const UTF_16 = ["utf16le", "utf16be", "utf16", "wide"] as const;
const PLACES = ["startswith", "endswith", "contains"] as const;
const REGEX_FLAGS = ["i", "m", "s"] as const;
const ENCODINGS: readonly string[] = ["base64", "base64offset", ...UTF_16];
/** Modifiers that change text before it is compared. */
const TEXT_CHANGES: readonly string[] = ["windash", "expand", ...ENCODINGS];
/** Modifiers that decide how a value is read, instead of as text. */
const READINGS: readonly string[] = ["exists", "re", "cidr", "fieldref", ...TIME_PARTS, ...COMPARATORS];
const MODIFIERS: readonly string[] = [
  ...["all", "cased", "neq"],
  ...PLACES,
  ...REGEX_FLAGS,
  ...TEXT_CHANGES,
  ...READINGS,
];

export interface ModifierProblem {
  readonly read: string;
  readonly expected: string;
}

/** What is wrong with the modifiers of a key, if anything. */
export function modifierProblem(
  modifiers: readonly string[],
  { isKeyword }: { readonly isKeyword: boolean },
): ModifierProblem | undefined {
  for (const [i, modifier] of modifiers.entries()) {
    if (!MODIFIERS.includes(modifier)) {
      return { read: `the modifier "${clip(modifier, 40)}"`, expected: `one of ${MODIFIERS.join(", ")}` };
    }
    if (modifiers.indexOf(modifier) !== i) return { read: `${modifier} twice`, expected: "each modifier once" };
  }
  const wide = modifiers.filter((modifier) => UTF_16.some((encoding) => encoding === modifier));
  if (wide.length > 1) return { read: wide.join(" with "), expected: "one UTF-16 encoding" };
  const encoding = modifiers.findIndex((modifier) => ENCODINGS.includes(modifier));
  const late = ["windash", "expand"].find((modifier) => encoding !== -1 && modifiers.indexOf(modifier) > encoding);
  if (late !== undefined) {
    return {
      read: `${late} after ${modifiers[encoding]}`,
      expected: `${late} first: it is of the text, not its encoding`,
    };
  }
  const flag = modifiers.findIndex(isRegexFlag);
  const re = modifiers.indexOf("re");
  if (flag !== -1 && re === -1) return { read: "i, m or s without re", expected: "re before its flags" };
  if (flag !== -1 && flag < re) return { read: "a flag before re", expected: "re before its flags" };
  const readings = modifiers.filter((modifier) => READINGS.includes(modifier));
  const [reading] = readings;
  if (reading === undefined) return undefined;
  if (readings.length > 1 && !isComparedTime(readings)) {
    return { read: readings.join(" with "), expected: "only one of them" };
  }
  return readingProblem(reading, modifiers, isKeyword);
}

/** What does not go with a modifier that decides how the value is read. */
function readingProblem(
  reading: string,
  modifiers: readonly string[],
  isKeyword: boolean,
): ModifierProblem | undefined {
  const change = modifiers.find((modifier) => TEXT_CHANGES.includes(modifier));
  if (change !== undefined) {
    return { read: `${change} with ${reading}`, expected: `${reading} on the value as it is written` };
  }
  const place = modifiers.find((modifier) => isPlace(modifier) || modifier === "cased");
  if (place !== undefined && reading !== "re" && reading !== "fieldref") {
    return { read: `${place} with ${reading}`, expected: `${reading} alone, or with all or neq` };
  }
  if (reading === "exists" && modifiers.length > 1) return { read: modifiers.join(", "), expected: "exists alone" };
  if (isKeyword && reading !== "re" && reading !== "cidr") {
    return { read: `${reading} on keywords`, expected: `${reading} on a field` };
  }
  return undefined;
}

/** `hour|gte`: the part of a date, compared. */
function isComparedTime(readings: readonly string[]): boolean {
  return readings.length === 2 && readings.some(isTimePart) && readings.some(isComparator);
}

export function isTimePart(modifier: string): modifier is TimePart {
  return TIME_PARTS.some((part) => part === modifier);
}

export function isComparator(modifier: string): modifier is (typeof COMPARATORS)[number] {
  return COMPARATORS.some((comparator) => comparator === modifier);
}

/** Modifiers that say where in the field the value stands. */
function isPlace(modifier: string): boolean {
  return PLACES.some((place) => place === modifier);
}

/** Modifiers that take a value as text whatever YAML made of it. */
export function takesText(modifier: string): boolean {
  return isPlace(modifier) || TEXT_CHANGES.includes(modifier);
}

function isRegexFlag(modifier: string): boolean {
  return REGEX_FLAGS.some((flag) => flag === modifier);
}
