/** Looks into a zod schema: which keys an object has, and what stands under one. */
import { z } from "zod";

/** The schema without the layers that only say "optional", "default" or "then transform". */
function core(schema: unknown): unknown {
  let at = schema;
  for (;;) {
    if (
      at instanceof z.ZodOptional ||
      at instanceof z.ZodExactOptional ||
      at instanceof z.ZodNullable ||
      at instanceof z.ZodDefault ||
      at instanceof z.ZodPrefault ||
      at instanceof z.ZodReadonly
    ) {
      at = at.unwrap();
    } else if (at instanceof z.ZodPipe) at = at.in;
    else return at;
  }
}

/** The keys of an object schema; none for anything else. */
export function schemaKeys(schema: z.ZodType): readonly string[] {
  const at = core(schema);
  if (at instanceof z.ZodObject) return Object.keys(at.shape);
  if (at instanceof z.ZodUnion) return at.options.flatMap((option) => schemaKeys(option as z.ZodType));
  return [];
}

/** Whether a value of this schema is text. */
export function expectsText(schema: z.ZodType): boolean {
  const at = core(schema);
  return at instanceof z.ZodString || at instanceof z.ZodEnum;
}

/** The schema of what stands under a key of an object or at a place of a list. */
export function childSchema(schema: z.ZodType, key: string | number): z.ZodType | undefined {
  const at = core(schema);
  if (at instanceof z.ZodObject) return Object.hasOwn(at.shape, key) ? (at.shape[key] as z.ZodType) : undefined;
  if (at instanceof z.ZodArray) return at.element as z.ZodType;
  if (at instanceof z.ZodRecord) return at.valueType as z.ZodType;
  if (at instanceof z.ZodUnion) {
    return at.options.map((option) => childSchema(option as z.ZodType, key)).find((found) => found !== undefined);
  }
  return undefined;
}

/** The schema at a path, as far as the path leads. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const key of path) at = at && typeof key !== "symbol" ? childSchema(at, key) : undefined;
  return at;
}
