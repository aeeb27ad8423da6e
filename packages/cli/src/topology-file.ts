/** The topology file of the contract: `facts:` in YAML, or CSV with the columns kind, from, to, validFrom, validTo. */
import { readFile } from "node:fs/promises";
import { Fact, Fault } from "@culprit/model";
import { checkConfig, problemLine } from "@culprit/runtime";
import { DateTime } from "luxon";
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

/** Reads a topology file. Errors: `topology.unreadable`; `topology.invalid` with every problem, its line and the fact. */
export async function readTopologyFile(path: string): Promise<readonly Fact[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Fault("topology.unreadable", `cannot read ${path}`, { cause });
  });
  const rows = /\.csv$/i.test(path) ? factsOfCsv(path, text) : factsOfYaml(path, text);
  return rows.map((row) => ({ ...row, source: "file" as const }));
}

type Rows = z.output<typeof TopologyFile>["facts"];

function factsOfYaml(file: string, text: string): Rows {
  const result = checkConfig({ schema: TopologyFile, file, text });
  if (result.ok) return result.value.facts;
  throw new Fault("topology.invalid", result.problems.map(problemLine).join("\n"));
}

/** Names and instants hold no commas or quotes, so a line is its parts. */
function factsOfCsv(file: string, text: string): Rows {
  const [header, ...lines] = text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
  const columns = (header?.line ?? "").split(",").map((name) => name.trim());
  const problems: string[] = [];
  const rows = lines.flatMap(({ line, number }) => {
    const values = line.split(",").map((value) => value.trim());
    const cells = columns.flatMap((name, i) =>
      values[i] === undefined || values[i] === "" ? [] : [[name, values[i]]],
    );
    const row = Row.safeParse(Object.fromEntries(cells));
    if (row.success) return [row.data];
    problems.push(...row.error.issues.map(({ path, message }) => `${file}:${number} ${path.join(".")}: ${message}`));
    return [];
  });
  if (problems.length === 0) return rows;
  throw new Fault("topology.invalid", problems.join("\n"));
}
