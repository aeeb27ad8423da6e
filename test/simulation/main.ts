/** `npm run simulate -- --seeds 1000 [--from 1]`: plays seeds until one breaks a promise, and prints its script. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { KNOWLEDGE_DIR, loadKnowledge } from "../../packages/cli/src/knowledge-files.ts";
import { simulate } from "./world.ts";

/** Killed processes leave promises behind that nothing settles; a fresh process now and then leaves them, too. */
const SEEDS_PER_PROCESS = 25;

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "100" }, from: { type: "string", default: "1" } },
});
const [from, seeds] = [Number(values.from), Number(values.seeds)];
process.exit(seeds > SEEDS_PER_PROCESS ? inParts() : await play());

function inParts(): number {
  for (let first = from; first < from + seeds; first += SEEDS_PER_PROCESS) {
    const count = Math.min(SEEDS_PER_PROCESS, from + seeds - first);
    const args = [fileURLToPath(import.meta.url), "--from", String(first), "--seeds", String(count)];
    const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
    if (status !== 0) return 1;
  }
  return 0;
}

async function play(): Promise<number> {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken, script } = await simulate(seed, knowledge);
    if (broken.length === 0) continue;
    console.log([`seed ${seed}`, ...script, ...broken, "a promise was broken"].join("\n"));
    return 1;
  }
  console.log(`seeds ${from} to ${from + seeds - 1}: every promise held`);
  return 0;
}
