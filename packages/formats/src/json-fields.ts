/** Short ways to read fields of a JSON object as a format names them. */
import { dataText, fieldOf, isObject, type JsonObject, type JsonValue, pathOf, textOf } from "./json-text.ts";

/** Reads the first of several fields that is there and not empty; a path may go through nested objects. */
export type FieldReader = (...paths: readonly string[]) => string | undefined;

export function fieldReader(value: JsonObject): FieldReader {
  return (...paths) => {
    for (const path of paths) {
      const found = textOf(pathOf(value, path));
      if (found !== undefined && found !== "") return found;
    }
    return undefined;
  };
}

/** Whether an object has all of these fields, with any value but null. */
export function hasAll(value: JsonObject, ...names: readonly string[]): boolean {
  return names.every((name) => pathOf(value, name) !== undefined && pathOf(value, name) !== null);
}

/** The objects in an array; anything else in it is left out. */
export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The fields that are not known by name, as pairs in their order; objects and arrays as JSON. */
export function otherFields(value: JsonObject, known: ReadonlySet<string>): readonly (readonly [string, string])[] {
  return Object.keys(value)
    .filter((name) => !known.has(name))
    .map((name) => [name, dataText(fieldOf(value, name))] as const);
}
