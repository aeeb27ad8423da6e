/**
 * `npm run bench:skew`: how evenly hosts that are not alike fall on partitions and processes. Hosts get rates from a fixed
 * seed, the real hash puts them on partitions, the real plan puts partitions on processes; nothing is sent.
 */
import { planShares } from "../../packages/bus/src/kafka-assignor.ts";
import { partitionOf } from "../../packages/bus/src/partition.ts";

const HOSTS = 500_000;
const WANTED_PER_SECOND = 10_000;
const SUMMARIES_PER_HOST_PER_SECOND = 3 / 60;
const SETTINGS = [
  { partitions: 48, processes: 24 },
  { partitions: 192, processes: 32 },
  { partitions: 384, processes: 32 },
] as const;
/** How unlike hosts are: the spread of the logarithm of their rates. */
const SPREADS = [0, 1.5, 2.5] as const;
/** One host that alone makes this share of all wanted events. */
const HOT_SHARES = [0, 0.01, 0.05] as const;

/** Numbers from 0 to 1, the same in each run. Source: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What each host sends, as a share of all. */
function weights(spread: number): Float64Array {
  const random = seeded(20260310);
  const drawn = Float64Array.from({ length: HOSTS }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.exp(spread * normal);
  });
  const sum = drawn.reduce((total, weight) => total + weight, 0);
  return drawn.map((weight) => weight / sum);
}

/** The most loaded of all, as a multiple of the mean. */
function peak(loads: ArrayLike<number>): number {
  const all = Array.from(loads);
  return Math.max(...all) / (all.reduce((sum, load) => sum + load, 0) / all.length);
}

const hosts = Array.from({ length: HOSTS }, (_, n) => `srv${n}.site${n % 700}.contoso.example`);

for (const { partitions, processes } of SETTINGS) {
  const places = hosts.map((host) => partitionOf(host, partitions));
  const members = Array.from({ length: processes }, (_, n) => ({ id: `p${n}`, owned: [], generation: -1 }));
  const { shares } = planShares(members, partitions);
  console.log(`\n${partitions} partitions, ${processes} processes`);
  for (const spread of SPREADS) {
    const weight = weights(spread);
    for (const hot of HOT_SHARES) {
      const loads = new Float64Array(partitions);
      places.forEach((partition, n) => {
        const wanted = WANTED_PER_SECOND * (1 - hot) * (weight[n] ?? 0);
        loads[partition] = (loads[partition] ?? 0) + wanted + SUMMARIES_PER_HOST_PER_SECOND;
      });
      loads[0] = (loads[0] ?? 0) + WANTED_PER_SECOND * hot;
      const ofProcesses = [...shares.values()].map((mine) => mine.reduce((sum, one) => sum + (loads[one] ?? 0), 0));
      const most = Math.round(Math.max(...ofProcesses));
      console.log(
        `  spread ${spread.toFixed(1)}, hot host ${(100 * hot).toFixed(0).padStart(2)} %: partition ${peak(loads).toFixed(2)} x mean, ` +
          `process ${peak(ofProcesses).toFixed(2)} x mean, ${most.toLocaleString("en")} inputs/s on the fullest`,
      );
    }
  }
}
