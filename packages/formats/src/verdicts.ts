/** What a selection said of kinds of records, remembered: it is asked of millions of records, of a few hundred kinds. */
import type { Selection } from "./selection.ts";

/** Pairs of provider and channel whose verdicts are kept; at the limit all are forgotten. */
const PAIRS_MAX = 1_000;
const OF_SELECTION = new WeakMap<Selection, Verdicts>();

/** The verdicts of a selection, shared by all inputs that are selected by it. */
export function verdictsOf(selection: Selection): Verdicts {
  let verdicts = OF_SELECTION.get(selection);
  if (verdicts === undefined) {
    verdicts = new Verdicts(selection);
    OF_SELECTION.set(selection, verdicts);
  }
  return verdicts;
}

/** One log's records of one provider, by event id. */
interface Pair {
  readonly provider: string | undefined;
  readonly channel: string | undefined;
  readonly byId: Map<number, boolean>;
}

export class Verdicts {
  readonly #selection: Selection;
  readonly #pairs = new Map<string, Pair>();
  readonly #unnamed: Pair = { provider: undefined, channel: undefined, byId: new Map() };
  #last = this.#unnamed;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** As `Selection.wants`, with names in any case. */
  wants(provider: string | undefined, channel: string | undefined, eventId: number): boolean {
    const { byId } = this.#pairOf(provider, channel);
    const known = byId.get(eventId);
    if (known !== undefined) return known;
    const wanted = this.#selection.wants(provider?.toLowerCase(), channel?.toLowerCase(), eventId);
    byId.set(eventId, wanted);
    return wanted;
  }

  #pairOf(provider: string | undefined, channel: string | undefined): Pair {
    if (provider === undefined && channel === undefined) return this.#unnamed;
    const last = this.#last;
    if (last.provider === provider && last.channel === channel) return last;
    const key = JSON.stringify([provider, channel]);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      if (this.#pairs.size >= PAIRS_MAX) this.#pairs.clear();
      pair = { provider, channel, byId: new Map() };
      this.#pairs.set(key, pair);
    }
    this.#last = pair;
    return pair;
  }
}
