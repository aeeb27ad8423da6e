/**
 * Ids for the strings of templates, so that templates are compared as numbers. The ids hold until `forgetStrings`.
 */

/** Names and constants held at once; a Windows log needs some hundred. */
const CHARACTERS_MAX = 2 * 1024 * 1024;
const STRINGS_MAX = 32_768;

const ids = new Map<string, number>();
const strings: string[] = [];
let characters = 0;
let generation = 1;

/** The id of a string; equal strings have equal ids. */
export function stringId(text: string): number {
  const held = ids.get(text);
  if (held !== undefined) return held;
  const id = strings.length;
  strings.push(text);
  ids.set(text, id);
  characters += text.length;
  return id;
}

/** The string of an id. */
export function stringOf(id: number): string {
  return strings[id] as string;
}

/** Whether so much is held that everything should be forgotten before the next template. */
export function isFullOfStrings(): boolean {
  return strings.length > STRINGS_MAX || characters > CHARACTERS_MAX;
}

/** Counts how often everything was forgotten; an id is worth something in its own generation only. */
export function generationOfStrings(): number {
  return generation;
}

export function forgetStrings(): void {
  generation += 1;
  ids.clear();
  strings.length = 0;
  characters = 0;
}
