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
    for (const value of leavesOf(this.object, "all")) {
      if (value !== null) texts.push(String(value));
      if (texts.length === TEXTS_MAX) break;
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
  for (const map of Array.isArray(value) ? mapsIn(value) : [value]) {
    const own = ownValue(map, path);
    if (own !== undefined) found.push(own);
    descend(map, path, found);
  }
}

/** The maps of a list, and of lists in it. */
function* mapsIn(list: readonly unknown[]): Generator<object> {
  const pending: Iterator<unknown>[] = [list.values()];
  for (let inner = pending.at(-1); inner !== undefined; inner = pending.at(-1)) {
    const { done, value } = inner.next();
    if (done === true) pending.pop();
    else if (Array.isArray(value)) pending.push(value.values());
    else if (typeof value === "object" && value !== null) yield value;
  }
}

function fieldValueOf(value: unknown): FieldValue {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? [...leavesOf(value, "lists")] : [];
  return isScalar(value) ? value : undefined;
}

/**
 * The scalars inside a value, in order, however deep: an event may nest as deep as its sender likes, so there is no
 * recursion. Of `lists` alone, maps are passed over.
 */
function* leavesOf(value: object, into: "all" | "lists"): Generator<FieldScalar> {
  const pending: Iterator<unknown>[] = [Object.values(value).values()];
  for (let inner = pending.at(-1); inner !== undefined; inner = pending.at(-1)) {
    const { done, value: each } = inner.next();
    if (done === true) pending.pop();
    else if (isScalar(each)) yield each;
    else if (Array.isArray(each)) pending.push(each.values());
    else if (into === "all" && typeof each === "object" && each !== null) pending.push(Object.values(each).values());
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
