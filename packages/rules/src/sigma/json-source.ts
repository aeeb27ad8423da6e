/**
 * Fields of a plain JSON object: names are told apart by case; `a.b` means a key `a.b` or `b` inside `a`; of a list, any
 * element. Keys of the prototype are no fields.
 *
 * Source: Sigma rules specification, "Field Usage"; nesting and lists as the reference implementations read them.
 */
import type { FieldScalar, FieldSource, FieldValue } from "./field-source.ts";

/** Values of one event that keywords look at; a larger event is searched up to here. */
const TEXTS_MAX = 100_000;

/** A parsed JSON object as a source of fields. The object is not copied and must not change while it is matched. */
export function jsonSource(object: object): FieldSource {
  return new JsonSource(object);
}

class JsonSource implements FieldSource {
  private readonly object: object;

  constructor(object: object) {
    this.object = object;
  }

  get(field: string): FieldValue {
    const own = ownValue(this.object, field);
    if (!field.includes(".")) return fieldValueOf(own);
    const found: unknown[] = own === undefined ? [] : [own];
    descend(this.object, field, found);
    return found.length === 0 ? undefined : fieldValueOf(found.length === 1 ? found[0] : found);
  }

  texts(): readonly string[] {
    const texts: string[] = [];
    const pending: unknown[] = [this.object];
    while (pending.length > 0 && texts.length < TEXTS_MAX) {
      const value = pending.pop();
      if (typeof value === "string") texts.push(value);
      else if (Array.isArray(value)) pending.push(...value);
      else if (typeof value === "object" && value !== null) pending.push(...Object.values(value));
      else if (value !== undefined && value !== null) texts.push(String(value));
    }
    return texts;
  }
}

function ownValue(object: object, key: string): unknown {
  const value = (object as Record<string, unknown>)[key];
  return value !== undefined && Object.hasOwn(object, key) ? value : undefined;
}

/** Collects what stands under a dotted name inside maps and lists of maps. */
function descend(value: object, path: string, found: unknown[]): void {
  for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1)) {
    const inner = ownValue(value, path.slice(0, dot));
    if (typeof inner === "object" && inner !== null) collect(inner, path.slice(dot + 1), found);
  }
}

function collect(value: object, path: string, found: unknown[]): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null) collect(item, path, found);
    return;
  }
  const own = ownValue(value, path);
  if (own !== undefined) found.push(own);
  descend(value, path, found);
}

function fieldValueOf(value: unknown): FieldValue {
  if (typeof value === "object" && value !== null) {
    const scalars: FieldScalar[] = [];
    if (Array.isArray(value)) flatten(value, scalars);
    return scalars;
  }
  return isScalar(value) ? value : undefined;
}

function flatten(list: readonly unknown[], out: FieldScalar[]): void {
  for (const item of list) {
    if (Array.isArray(item)) flatten(item, out);
    else if (isScalar(item)) out.push(item);
  }
}

function isScalar(value: unknown): value is FieldScalar {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean" ||
    typeof value === "bigint"
  );
}
