/**
 * How far log time has come in one partition of `signals`: as far as every source that could still tell of an earlier time.
 *
 * Time goes on to what some source has come to, once each of the others has come so far too, or has been read through the
 * moment at which the log had taken enough for it: whatever comes of that one later was taken later. So a quiet source holds
 * nobody up, and one that has more to read does, however old its records are. One that nobody has heard of for
 * `SOURCE_SILENT_MS`, while others were heard of, has no owner and is not waited for; its hosts count as blind.
 */
import type { EpochMs } from "@culprit/model";
import type { SourceTime } from "./source-clock.ts";

/** @internal */
export const SOURCE_SILENT_MS = 60_000;
/** Ticks come every second; after a longer pause of all of them nobody has been silent, everybody was away. */
const PAUSE_MAX_MS = 5_000;

interface Source {
  /** When it was last heard of, by the time of `signals`; when the first of all was, before that. */
  readonly heardAt: EpochMs;
  readonly time?: SourceTime;
}

export class Watermark {
  readonly #sources = new Map<string, Source>();
  #heardAt = Number.NEGATIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;

  /** Source names are those of all partitions there are; what was stored of others is forgotten. */
  constructor(names: readonly string[], stored: unknown) {
    const { sources, at } = readStored(stored);
    const known = new Map(sources.map((source) => [source.time.source, source]));
    for (const name of names) this.#sources.set(name, known.get(name) ?? { heardAt: Number.NEGATIVE_INFINITY });
    for (const { heardAt } of known.values()) this.#heardAt = Math.max(this.#heardAt, heardAt);
    this.#at = at;
  }

  /** For whoever keeps it. */
  get stored(): unknown {
    const sources = [...this.#sources.values()].filter(({ time }) => time !== undefined);
    return this.#at === Number.NEGATIVE_INFINITY ? { sources } : { sources, at: this.#at };
  }

  /** How far time has come, and it never goes back; minus infinity before anything is known. */
  get at(): EpochMs {
    return this.#at;
  }

  /** Sources that are not waited for, as nobody has heard of them for so long. */
  get silent(): number {
    return this.#sources.size - this.#heard().length;
  }

  /** Takes what sources told in a message that `signals` took at `heardAt`. */
  hear(times: readonly SourceTime[], heardAt: EpochMs): void {
    if (heardAt - this.#heardAt > PAUSE_MAX_MS) {
      for (const [name, source] of this.#sources) this.#sources.set(name, { ...source, heardAt });
    }
    this.#heardAt = Math.max(this.#heardAt, heardAt);
    for (const time of times) if (this.#sources.has(time.source)) this.#sources.set(time.source, { heardAt, time });
    this.#at = Math.max(this.#at, this.#reached());
  }

  #heard(): readonly Source[] {
    return [...this.#sources.values()].filter(({ heardAt }) => this.#heardAt - heardAt <= SOURCE_SILENT_MS);
  }

  #reached(): EpochMs {
    const heard = this.#heard();
    const told = heard.flatMap(({ time }) => time ?? []);
    if (told.length < heard.length) return Number.NEGATIVE_INFINITY;
    const sorted = told.sort((a, b) => logTimeOf(b) - logTimeOf(a));
    // From the latest on: what those at it or beyond ask of the others, until all others have been read so far.
    let since = Number.POSITIVE_INFINITY;
    const behind = leastThroughAfter(sorted);
    for (const [place, time] of sorted.entries()) {
      since = Math.min(since, time.since);
      const isSame = logTimeOf(sorted[place + 1]) === logTimeOf(time);
      if (!isSame && (behind[place] ?? 0) >= since) return logTimeOf(time);
    }
    return Number.NEGATIVE_INFINITY;
  }
}

function logTimeOf(time: SourceTime | undefined): EpochMs {
  return time?.at ?? Number.NEGATIVE_INFINITY;
}

/** For each place, the least `through` of all places after it. */
function leastThroughAfter(times: readonly SourceTime[]): readonly EpochMs[] {
  const least = new Array<EpochMs>(times.length).fill(Number.POSITIVE_INFINITY);
  for (let place = times.length - 2; place >= 0; place -= 1) {
    least[place] = Math.min(
      least[place + 1] ?? Number.POSITIVE_INFINITY,
      times[place + 1]?.through ?? Number.NEGATIVE_INFINITY,
    );
  }
  return least;
}

interface Stored {
  readonly sources: readonly (Source & { readonly time: SourceTime })[];
  readonly at: EpochMs;
}

/** As `stored` gave it; what another version kept otherwise is told anew within a second. */
function readStored(value: unknown): Stored {
  const { sources, at } = (value ?? {}) as { readonly sources?: unknown; readonly at?: unknown };
  return {
    sources: Array.isArray(sources)
      ? sources.filter((one) => typeof one?.heardAt === "number" && typeof one?.time?.through === "number")
      : [],
    at: typeof at === "number" ? at : Number.NEGATIVE_INFINITY,
  };
}
