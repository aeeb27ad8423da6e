/** Relations between machines: learned from events or given in a file, each with the time it held. */
import { z } from "zod";
import { EpochMs } from "./instant.ts";

export const FACT_KINDS = [
  "member-of-cluster",
  "runs-on",
  "protected-by",
  "located-in",
  "member-of-domain",
  "domain-controller-of",
  "pdc-emulator-of",
  "stores-on",
  "witness-of",
  /** Two nodes of one cluster whose name is not known. */
  "peer-of",
] as const;
export const FactKind = z.enum(FACT_KINDS);
export type FactKind = z.infer<typeof FactKind>;

export const Fact = z.object({
  kind: FactKind,
  /** A folded host (short or full name), or the VM's name. */
  from: z.string().min(1),
  /** A folded host for `runs-on`, `protected-by` and `stores-on`; else the name of the cluster, domain or place. */
  to: z.string().min(1),
  validFrom: z.exactOptional(EpochMs),
  validTo: z.exactOptional(EpochMs),
  source: z.enum(["file", "learned"]),
});
export type Fact = Readonly<z.infer<typeof Fact>>;
