/**
 * How text is compared without regard to case: lower case, with the final sigma as any other. Both sides are folded, the
 * rule's once and the event's when first needed.
 */

/**
 * Folds case, character by character, so that a `?` that stands for one character still does. `İ` alone would become two
 * in lower case; it is left as it is, as in Unicode's simple case folding.
 */
export function foldCase(text: string): string {
  let lower = text.toLowerCase();
  if (lower.length !== text.length) lower = text.split("İ").map(lowerCase).join("İ");
  return lower.includes("ς") ? lower.replaceAll("ς", "σ") : lower;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

const DASHES = /[/\u2013\u2014\u2015]/g;

/**
 * Makes the five characters that start a Windows option one: `-`, `/`, en dash, em dash and horizontal bar. Comparing two
 * texts so folded is comparing with every permutation of `windash`, however many dashes there are.
 * Source: Sigma modifiers appendix 2.1.0, "windash".
 */
export function foldDashes(text: string): string {
  return text.replace(DASHES, "-");
}

export const DASH_CHARACTERS = ["-", "/", "\u2013", "\u2014", "\u2015"] as const;
