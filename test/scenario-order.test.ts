/**
 * The development scenarios through `culprit analyze --json`: the same incidents whatever the order of the lines, and whatever
 * the order of arrival within two hours, every tenth event coming twice.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOUR_MS, Incident, isoOf } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runAnalyze } from "../packages/cli/src/commands/analyze.ts";
import { hasScenarios, scenarioLog } from "./broker/scenario-log.ts";
import { essence } from "./essence.test-support.ts";

if (!hasScenarios) console.log("left out: the order of the development scenarios (../shared/domain is not here)");

/** The last of them ends some days before; any other day gives the same. */
const NOW = Date.parse("2026-06-01T00:00:00Z");
const SPREAD_MS = 2 * HOUR_MS;

/** A document as Winlogbeat sends it, as far as it is changed here. */
type Document = Readonly<Record<string, unknown>> & { readonly event: { readonly created: string } };

async function incidentsOf(documents: readonly Document[], topology: string): Promise<readonly Incident[]> {
  const folder = mkdtempSync(join(tmpdir(), "culprit-order-"));
  try {
    const [events, facts] = [join(folder, "events.ndjson"), join(folder, "topology.yaml")];
    writeFileSync(events, documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
    writeFileSync(facts, topology);
    const lines: string[] = [];
    const options = { json: true, topology: facts, timezone: "UTC" };
    await runAnalyze([events], options, (text) => lines.push(text), expect.fail);
    return lines.map((line) => Incident.parse(JSON.parse(line)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function arrivingLater(document: Document, ms: number): Document {
  return { ...document, event: { ...document.event, created: isoOf(Date.parse(document.event.created) + ms) } };
}

test.runIf(hasScenarios)(
  "the development scenarios make the same incidents in any order of lines, and of arrival within two hours with repeats",
  { timeout: 300_000 },
  async () => {
    const { chapters, topology } = scenarioLog({ now: NOW, partitions: 1, isWanted: () => true });
    const documents = chapters.flatMap(({ story }) => story as readonly Document[]);
    const straight = essence(await incidentsOf(documents, topology));
    expect(straight.length).toBeGreaterThanOrEqual(chapters.length);
    const order = fc.shuffledSubarray([...documents.keys()], { minLength: documents.length });
    const delay = fc.array(fc.nat(SPREAD_MS), { minLength: documents.length, maxLength: documents.length });
    await fc.assert(
      fc.asyncProperty(order, delay, async (places, delays) => {
        const shuffled = places.map((place) => documents[place] as Document);
        expect(essence(await incidentsOf(shuffled, topology))).toEqual(straight);
        const late = shuffled.flatMap((document, n) => {
          const moved = arrivingLater(document, delays[n] ?? 0);
          return n % 10 === 0 ? [moved, arrivingLater(moved, 1_000)] : [moved];
        });
        expect(essence(await incidentsOf(late, topology))).toEqual(straight);
      }),
      // Each run reads the knowledge twice; a failure prints the seed.
      { numRuns: Number(process.env["ORDER_RUNS"] ?? 2), endOnFailure: true },
    );
  },
);
