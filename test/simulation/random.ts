/** Randomness that a seed repeats. */

export interface Random {
  /** From 0 up to 1, without 1. */
  next(): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  /** A whole number from 0 up to `count`, without it. */
  below(count: number): number;
}

/** The generator "mulberry32": 32 bits of state are enough for stories of some thousand choices. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, chance: (probability) => next() < probability, below: (count) => Math.floor(next() * count) };
}
