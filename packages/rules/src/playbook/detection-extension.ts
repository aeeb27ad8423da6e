/**
 * What a detection of ours says beside Sigma, under `x-culprit`: how to speak of it, whom it is about, when it happened,
 * which values matter and what it teaches about the topology.
 */
import { FactKind } from "@culprit/model";
import { z } from "zod";

const BINDING_NAME = z.string().regex(/^[a-z][a-z0-9_]*$/, "a lower-case name");

/** A field by name, a place of positional data (1 is the first), or the named groups of a pattern over a field. */
export const BindingSource = z.union([
  z.string().min(1),
  z.number().int().min(1).max(99),
  z.strictObject({ field: z.union([z.string().min(1), z.number().int().min(1)]), pattern: z.string().min(1).max(500) }),
]);
export type BindingSource = z.infer<typeof BindingSource>;

export const DetectionExtension = z.strictObject({
  /** One phrase that stands in an evidence line; `{name}` inserts a binding. */
  say: z.string().min(1),
  /** The log it stands in, where absence must be proven. */
  channel: z.exactOptional(z.string()),
  /** `crash`: written after the restart, tells of what came before it. `boot`: marks a start. `lost`: a peer misses the subject. */
  time: z.enum(["event", "crash", "boot", "lost"]).default("event"),
  /** Binding name -> where the value stands; the first source that yields one counts. */
  bind: z.record(BINDING_NAME, z.union([BindingSource, z.array(BindingSource).min(1)])).default({}),
  /** Binding that holds the computer the record speaks about, where that is not the logger. */
  subject: z.exactOptional(BINDING_NAME),
  /** Bindings that hold computers. */
  hosts: z.array(BINDING_NAME).default([]),
  /** Facts it teaches; `{name}` inserts a binding, `{computer}` the logger. */
  facts: z.array(z.strictObject({ kind: FactKind, from: z.string().min(1), to: z.string().min(1) })).default([]),
  confidence: z.enum(["verified", "unverified"]).default("verified"),
});
export type DetectionExtension = z.infer<typeof DetectionExtension>;
