/**
 * How far one partition of `events` has come, told to every partition of `signals` on ticks.
 *
 * Two times are told. Log time is arrival time: that of the newest event, running on with the clock while nothing comes. And
 * the log's own time, when it took what has been read: of two partitions it says which is behind. One that is quiet is not.
 */
import type { EpochMs } from "@culprit/model";

/** How far a source has come. */
export interface SourceTime {
  readonly source: string;
  /** Log time; absent where no event has come yet. */
  readonly at?: EpochMs;
  /** What the log took before this moment was enough to bring log time to `at`. */
  readonly since: EpochMs;
  /** What the log took of this source before this moment has been told. */
  readonly through: EpochMs;
}

/** What is kept with the position, so that the next owner's time goes on where this one's was. */
export interface StoredTime {
  readonly at: EpochMs;
  readonly takenAt: EpochMs;
  readonly leadMs: number;
}

/** What was written but not stored when the end was seen, and how far the clocks of our machines may be apart. */
const IN_FLIGHT_MS = 2_000;

export class SourceClock {
  readonly #source: string;
  /** Log time: arrival of the newest event, when the log took it, and by how much arrivals are ahead of the log's time at most. */
  #time: StoredTime | undefined;
  /** The log's time of the newest message, whatever it was. */
  #takenAt = Number.NEGATIVE_INFINITY;
  /** Log time as it runs on by itself, while the end of the source is seen again and again. */
  #running = Number.NEGATIVE_INFINITY;
  #askedAt: { readonly elapsed: number; readonly readThrough: EpochMs } | undefined;

  constructor(source: string, stored: unknown) {
    this.#source = source;
    this.#time = isStoredTime(stored) ? stored : undefined;
  }

  /** For whoever keeps it; `undefined` before the first event. */
  get stored(): StoredTime | undefined {
    return this.#time;
  }

  /** Arrival of the newest event. */
  get newest(): EpochMs {
    return this.#time?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes note of a message that has been read; `arrivedAt` where it was an event. */
  read(takenAt: EpochMs, arrivedAt?: EpochMs): void {
    this.#takenAt = Math.max(this.#takenAt, takenAt);
    if (arrivedAt === undefined) return;
    const leadMs = Math.max(this.#time?.leadMs ?? Number.NEGATIVE_INFINITY, Math.min(0, arrivedAt - takenAt));
    const isNewer = arrivedAt > this.newest;
    this.#time = {
      at: isNewer ? arrivedAt : this.newest,
      takenAt: isNewer || this.#time === undefined ? takenAt : this.#time.takenAt,
      leadMs,
    };
  }

  /** What to tell before a message is read with which log time has come to `at`. */
  before(takenAt: EpochMs, at: EpochMs): SourceTime {
    return { source: this.#source, at, since: takenAt + 1, through: takenAt };
  }

  /**
   * What to tell now; `undefined` where nothing is known yet.
   * Units: `readThrough` is the bus's, `elapsed` is of a clock that only goes forward.
   */
  now(readThrough: EpochMs | undefined, elapsed: number): SourceTime | undefined {
    const seenThrough = readThrough === undefined ? Number.NEGATIVE_INFINITY : readThrough - IN_FLIGHT_MS;
    const through = Math.max(this.#takenAt, seenThrough);
    if (through === Number.NEGATIVE_INFINITY) return undefined;
    if (this.#time === undefined) return { source: this.#source, since: through, through };
    const { at: newest, takenAt } = this.#time;
    this.#runOn(readThrough, elapsed, this.#time.leadMs);
    if (this.#running <= newest) return { source: this.#source, at: newest, since: takenAt + 1, through };
    return { source: this.#source, at: this.#running, since: seenThrough, through };
  }

  /** While there is more to read, time is that of what has been read. A wall clock that steps back does not hold it up. */
  #runOn(readThrough: EpochMs | undefined, elapsed: number, leadMs: number): void {
    if (readThrough === undefined) return;
    const before = this.#askedAt;
    this.#askedAt = { elapsed, readThrough };
    if (before === undefined) this.#running = readThrough - IN_FLIGHT_MS + leadMs;
    if (before === undefined || before.readThrough === readThrough) return;
    const elapsedMs = elapsed - before.elapsed;
    const readMs = readThrough - before.readThrough;
    const ranOn = this.#running + (readMs < 0 ? elapsedMs : Math.min(readMs, elapsedMs));
    this.#running = Math.max(ranOn, readThrough - IN_FLIGHT_MS + leadMs);
  }
}

function isStoredTime(value: unknown): value is StoredTime {
  if (typeof value !== "object" || value === null) return false;
  const { at, takenAt, leadMs } = value as Partial<Record<keyof StoredTime, unknown>>;
  return typeof at === "number" && typeof takenAt === "number" && typeof leadMs === "number";
}
