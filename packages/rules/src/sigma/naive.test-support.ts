/**
 * A second evaluator, for tests alone: written from the specification, slow and plain, sharing no code with the engine.
 * It takes a detection as data (not YAML) and covers what the property test generates.
 */
import { type NaiveScalar, referenceHolds, scalarHolds } from "./naive-value.test-support.ts";

export type NaiveValue = NaiveScalar | readonly NaiveScalar[];
export type NaiveSelection =
  | Readonly<Record<string, NaiveValue>>
  | readonly (string | number | Readonly<Record<string, NaiveValue>>)[];
export interface NaiveDetection {
  readonly selections: Readonly<Record<string, NaiveSelection>>;
  /** A list of conditions holds where any of them does. */
  readonly condition: string | readonly string[];
}

type Json = NaiveScalar | readonly Json[] | { readonly [key: string]: Json };
export type NaiveEvent = { readonly [key: string]: Json };

/** Whether a detection matches an event. */
export function naiveMatch({ selections, condition }: NaiveDetection, event: NaiveEvent): boolean {
  const holds = (name: string): boolean => selectionHolds(selections[name] as NaiveSelection, event);
  return [condition]
    .flat()
    .some((text) =>
      conditionHolds(text.replaceAll(/[()]/g, " $& ").trim().split(/\s+/), Object.keys(selections), holds),
    );
}

/** Splits at the loosest operator outside brackets, again and again. */
function conditionHolds(words: readonly string[], names: readonly string[], holds: (name: string) => boolean): boolean {
  const sub = (part: readonly string[]): boolean => conditionHolds(part, names, holds);
  for (const operator of ["or", "and"]) {
    const parts = splitOutside(words, operator);
    if (parts.length > 1) return operator === "or" ? parts.some(sub) : parts.every(sub);
  }
  const [first = "", second, third = ""] = words;
  if (first === "not") return !sub(words.slice(1));
  if (first === "(") return sub(words.slice(1, -1));
  if (second !== "of") return holds(first);
  const wanted = new RegExp(`^${third === "them" ? ".*" : third.replaceAll("*", ".*")}$`);
  const meant = names.filter((name) => wanted.test(name) && (!name.startsWith("_") || third.startsWith("_")));
  if (meant.length === 0) return false;
  return first === "all" ? meant.every(holds) : meant.some(holds);
}

function splitOutside(words: readonly string[], operator: string): string[][] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const word of words) {
    if (word === "(") depth += 1;
    if (word === ")") depth -= 1;
    if (depth === 0 && word === operator) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}

function selectionHolds(selection: NaiveSelection, event: NaiveEvent): boolean {
  if (!Array.isArray(selection)) {
    return Object.entries(selection as Record<string, NaiveValue>).every(([key, value]) =>
      itemHolds(key, value, event),
    );
  }
  return selection.some((item) =>
    typeof item === "object" ? selectionHolds(item, event) : keywordHolds(item, event, []),
  );
}

function itemHolds(key: string, value: NaiveValue, event: NaiveEvent): boolean {
  const [field = "", ...modifiers] = key.split("|");
  const values: readonly NaiveScalar[] = Array.isArray(value) ? value : [value as NaiveScalar];
  if (values.length === 0) return false;
  const one = (each: NaiveScalar): boolean =>
    field === "" ? keywordHolds(each, event, modifiers) : valueHolds(field, each, modifiers, event);
  const is = modifiers.includes("all") ? values.every(one) : values.some(one);
  if (!modifiers.includes("neq")) return is;
  if (field === "") return !is;
  const others = modifiers.includes("fieldref") ? values.map(String) : [];
  return [field, ...others].every((name) => leaves(event, name) !== undefined) && !is;
}

function valueHolds(field: string, value: NaiveScalar, modifiers: readonly string[], event: NaiveEvent): boolean {
  const found = leaves(event, field);
  if (modifiers.includes("exists")) return (found !== undefined) === value;
  if (value === null) return found === undefined || found.includes(null);
  if (modifiers.includes("fieldref")) {
    const others = leaves(event, String(value)) ?? [];
    return (found ?? []).some((leaf) => others.some((other) => referenceHolds(leaf, other, modifiers)));
  }
  return (found ?? []).some((leaf) => scalarHolds(value, leaf, modifiers));
}

/** A keyword stands anywhere in a value, unless a modifier says where or how. */
function keywordHolds(value: NaiveScalar, event: NaiveEvent, modifiers: readonly string[]): boolean {
  const isRead = ["startswith", "endswith", "re", "cidr"].some((modifier) => modifiers.includes(modifier));
  return allTexts(event).some((text) => scalarHolds(value, text, isRead ? modifiers : [...modifiers, "contains"]));
}

/** The values under a dotted name: `undefined` where there is no such field. */
function leaves(event: NaiveEvent, field: string): readonly NaiveScalar[] | undefined {
  const found = nodes(event, field.split("."));
  return found.length === 0 ? undefined : found.flatMap(scalarsIn);
}

function nodes(node: Json, path: readonly string[]): readonly Json[] {
  if (path.length === 0) return [node];
  if (Array.isArray(node)) return node.flatMap((each: Json) => nodes(each, path));
  if (typeof node !== "object" || node === null) return [];
  return path.flatMap((_, i) => {
    const key = path.slice(0, i + 1).join(".");
    return Object.hasOwn(node, key) ? nodes((node as NaiveEvent)[key] as Json, path.slice(i + 1)) : [];
  });
}

function scalarsIn(node: Json): readonly NaiveScalar[] {
  if (Array.isArray(node)) return node.flatMap(scalarsIn);
  return typeof node === "object" && node !== null ? [] : [node as NaiveScalar];
}

function allTexts(node: Json): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(allTexts);
  if (typeof node === "object" && node !== null) return Object.values(node).flatMap(allTexts);
  return node === null ? [] : [String(node)];
}
