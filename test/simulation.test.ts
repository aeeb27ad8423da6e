/**
 * The shell under a seeded scheduler that lets everything go wrong: whatever happens, the promises hold. Builds that are wrong
 * on purpose show that the promises would notice. A longer run is `npm run simulate -- --seeds 1000`.
 */
import type { Knowledge } from "@culprit/rules";
import { beforeAll, expect, test } from "vitest";
import { KNOWLEDGE_DIR, loadKnowledge } from "../packages/cli/src/knowledge-files.ts";
import { MUTATIONS, type Mutation } from "./simulation/sim-bus.ts";
import { simulate } from "./simulation/world.ts";

const SEEDS = [1, 2, 3, 4];
const SEEDS_TO_NOTICE = 20;
/** Where the search for a seed that notices begins: one that did, to save time. */
const NOTICED_BY: Readonly<Record<Mutation, number>> = {
  "acknowledges-before-sync": 1,
  "splits-commits": 5,
  "fences-nobody": 4,
};

let knowledge: Knowledge;
beforeAll(async () => {
  knowledge = await loadKnowledge(KNOWLEDGE_DIR);
});

test.each(SEEDS)(
  "P1 P2 P3 P4 P5 F5 F7 F25 seed %i: killed, stopped, without power, unanswered, and every promise holds",
  async (seed) => {
    const { broken, script } = await simulate(seed, knowledge);
    expect(broken, script.join("\n")).toEqual([]);
  },
);

test.each<Mutation>([...MUTATIONS])("a build that %s breaks a promise within a few seeds", async (mutation) => {
  let broken: readonly string[] = [];
  const first = NOTICED_BY[mutation];
  for (let seed = first; seed < first + SEEDS_TO_NOTICE && broken.length === 0; seed += 1)
    ({ broken } = await simulate(seed, knowledge, mutation));
  expect(broken.length).toBeGreaterThan(0);
});
