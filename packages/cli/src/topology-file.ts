/** The topology file of the contract: `facts:` in YAML, or CSV with the columns kind, from, to, validFrom, validTo. */
import { readFile } from "node:fs/promises";
import { Fact, Fault } from "@culprit/model";
import { DateTime } from "luxon";
import { parse } from "yaml";
import { z } from "zod";

const Instant = z.union([z.string(), z.date()]).transform((value, context) => {
  const at = value instanceof Date ? value.getTime() : DateTime.fromISO(value, { zone: "utc" }).toMillis();
  if (!Number.isNaN(at)) return at;
  context.addIssue({ code: "custom", message: "an ISO 8601 instant" });
  return z.NEVER;
});
const Row = z.strictObject({
  kind: Fact.shape.kind,
  from: z.string().min(1),
  to: z.string().min(1),
  validFrom: z.exactOptional(Instant),
  validTo: z.exactOptional(Instant),
});
/** @internal */
export const TopologyFile = z.strictObject({
  facts: z
    .array(Row)
    .nullish()
    .transform((rows) => rows ?? []),
});

/** Reads a topology file. Errors: `Fault` "topology.invalid" with the fact and what is wrong with it. */
export async function readTopologyFile(path: string): Promise<readonly Fact[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Fault("topology.unreadable", `cannot read ${path}`, { cause });
  });
  const plain: unknown = /\.csv$/i.test(path) ? { facts: csvRows(text) } : parse(text);
  const parsed = TopologyFile.safeParse(plain);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Fault("topology.invalid", `${path}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  return parsed.data.facts.map((row) => ({ ...row, source: "file" as const }));
}

/** Names and instants hold no commas or quotes, so a line is its parts. */
function csvRows(text: string): Record<string, string>[] {
  const [header, ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const columns = (header ?? "").split(",").map((name) => name.trim());
  return lines.map((line) => {
    const values = line.split(",").map((value) => value.trim());
    return Object.fromEntries(
      columns.flatMap((name, i) => (values[i] === undefined || values[i] === "" ? [] : [[name, values[i]]])),
    );
  });
}
