/**
 * How text is compared without regard to case: lower case, with the final sigma as any other. Both sides are folded, the
 * rule's once and the event's when first needed.
 */

/** Folds case. Length may change for a handful of letters (`İ`), on both sides alike. */
export function foldCase(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes("ς") ? lower.replaceAll("ς", "σ") : lower;
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
