/** Where rules read fields from: one interface, so that a decoded Windows event and plain JSON are asked alike. */

export type FieldScalar = string | number | bigint | boolean | null;

/**
 * What stands under a field: `undefined` where there is no such field, `null` where it holds nothing, a list where it
 * holds several values (any of them may match; an empty list is a field without values).
 */
export type FieldValue = FieldScalar | readonly FieldScalar[] | undefined;

export interface FieldSource {
  get(field: string): FieldValue;
  /** The text of every value of the event, for keywords. */
  texts(): readonly string[];
}

/** The text by which a value is compared; `undefined` for null. */
export function scalarText(value: FieldScalar): string | undefined {
  if (typeof value === "string") return value;
  return value === null ? undefined : String(value);
}
