/** Event data as JSON forwarders write them: objects, arrays and what is nested in them in, names and values out. */
import { type EventData, namedData } from "@culprit/model";
import { dataText, isObject, type JsonObject, type JsonValue, textOf } from "./json-text.ts";

/** Deeper nesting than this is kept as JSON text. */
const NESTED_MAX = 16;

/** An object's fields in its order; nested names are joined with a dot, the items of an array repeat the name. */
export function dataOfObject(value: JsonObject, leaveOut: ReadonlySet<string> = new Set()): EventData {
  const pairs: [string, string][] = [];
  for (const name of Object.keys(value)) {
    if (!leaveOut.has(name)) collect(name, value[name], pairs, NESTED_MAX);
  }
  return namedData(pairs);
}

/** The items of an array as positional values. */
export function dataOfArray(values: readonly JsonValue[]): EventData {
  return { names: values.map(() => ""), values: values.map(dataText) };
}

/** Data parts one after another. */
export function joinData(...parts: readonly (EventData | undefined)[]): EventData {
  return {
    names: parts.flatMap((part) => part?.names ?? []),
    values: parts.flatMap((part) => part?.values ?? []),
  };
}

function collect(name: string, value: JsonValue | undefined, pairs: [string, string][], depth: number): void {
  if (depth > 0 && isObject(value)) {
    for (const key of Object.keys(value)) collect(`${name}.${key}`, value[key], pairs, depth - 1);
  } else if (depth > 0 && Array.isArray(value) && value.length > 0) {
    for (const item of value) collect(name, item, pairs, depth - 1);
  } else {
    pairs.push([name, dataText(value)]);
  }
}

/** An array of words as one text, or the text itself. */
export function wordsOf(value: JsonValue | undefined): string | undefined {
  if (Array.isArray(value)) return value.map(dataText).join(", ");
  return value === undefined || value === null || isObject(value) ? undefined : dataText(value);
}

/** An array of byte values as upper-case hex; `undefined` for an empty one or any other values. */
export function hexOfBytes(value: JsonValue | undefined): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const bytes = value.map((byte) => Number(textOf(byte)));
  if (!bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)) return undefined;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
}
