/**
 * `npm run fuzz -- --seconds 600 [--seed 1]`: damages real samples for as long as told and decodes them. Ends at the first
 * input that throws, hangs or grows, with the seed, the sample and the input, and exit code 1.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { checkDecoding, Mutations, mutated } from "../../packages/formats/src/mutation.test-support.ts";

const CORPORA = fileURLToPath(new URL("../../../shared/corpora", import.meta.url));
/** A log of one chunk is taken whole. */
const SAMPLE_MAX_BYTES = 70_000;
const RUNS_PER_SEED = 50;
const SLOW_MS = 10_000;
const GROWTH_MAX_BYTES = 512 * 1024 * 1024;

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string", default: "1" } },
});

const samples = existsSync(CORPORA)
  ? readdirSync(CORPORA, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(?:txt|json|xml|log|csv|raw|snap|evtx|Evt)$/.test(path))
      .map((path) => ({ path, bytes: new Uint8Array(readFileSync(join(CORPORA, path)).subarray(0, SAMPLE_MAX_BYTES)) }))
  : [];
process.exitCode = samples.length === 0 ? 2 : fuzz(Number(values.seconds), Number(values.seed));

function fuzz(seconds: number, firstSeed: number): number {
  const end = performance.now() + seconds * 1_000;
  let runs = 0;
  let before = 0;
  for (let seed = firstSeed; performance.now() < end; seed += 1) {
    const cases = fc.sample(fc.tuple(fc.constantFrom(...samples), Mutations), { seed, numRuns: RUNS_PER_SEED });
    for (const [{ path, bytes }, mutations] of cases) {
      const input = mutated(bytes, mutations);
      const began = performance.now();
      try {
        checkDecoding(input);
      } catch (error) {
        return report(error, { seed, path, input });
      }
      if (performance.now() - began > SLOW_MS) return report(new Error("too slow"), { seed, path, input });
      runs += 1;
    }
    const resident = process.memoryUsage().rss;
    if (seed === firstSeed + 10) before = resident;
    if (before > 0 && resident - before > GROWTH_MAX_BYTES) {
      console.error(`grew by ${resident - before} bytes, seed ${seed}`);
      return 1;
    }
  }
  console.log(`${runs} damaged inputs of ${samples.length} samples, none threw, hung or grew`);
  return 0;
}

function report(error: unknown, { seed, path, input }: { seed: number; path: string; input: Uint8Array }): number {
  console.error(error);
  console.error(`seed ${seed}, sample ${path}, input in base64:\n${Buffer.from(input).toString("base64")}`);
  return 1;
}
