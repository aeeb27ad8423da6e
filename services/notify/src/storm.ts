/**
 * Tells a target's digest: opens it when more new pages wait behind the rate than `digestOver`, tells when the number has
 * doubled or halved, and closes it once nothing waits. The digest goes past the rate, because it is one.
 *
 * Each owner of partitions has a digest of its own, under the lowest of them; those of partitions that came with an open
 * one from another owner are closed.
 */
import { type EpochMs, type Incident, type IncidentId, MINUTE_MS, SECOND_MS } from "@culprit/model";
import type { Decision } from "./decision.ts";
import { decide } from "./decision.ts";
import type { Desk } from "./desk.ts";
import { digestId, digestOf } from "./digest.ts";
import type { SendResult } from "./notifier.ts";

/** How long a digest that was not taken is left alone: what it counts goes on being told meanwhile. */
const VAIN_PAUSE_MS = MINUTE_MS;
/** Counting what waits looks at all of it, so it is not done for each that comes. */
const LOOK_EVERY_MS = SECOND_MS;

export interface StormOptions {
  readonly notifier: string;
  readonly digestOver: number;
  readonly updateEveryMs: number;
  readonly desk: Pick<Desk, "record" | "seats">;
  /** Sends what was decided and records it. */
  readonly tell: (incident: Incident, decision: Exclude<Decision, { act: "none" }>) => Promise<SendResult>;
}

export class Storm {
  readonly #options: StormOptions;
  #notBefore: EpochMs = 0;
  #lookedAt: EpochMs = -Infinity;
  /** When the digest that is open began, as far as this process knows. */
  #since: EpochMs | undefined;

  constructor(options: StormOptions) {
    this.#options = options;
  }

  /** `waiting` gives the incidents that are to be told for the first time; it is asked only where it matters. */
  async look(now: EpochMs, isLimited: boolean, waiting: () => readonly Incident[]): Promise<void> {
    if (now < this.#notBefore) return;
    const [own, ...others] = this.#options.desk.seats();
    if (own === undefined) return;
    for (const seat of others) if (this.#isHeld(seat)) await this.#tell(seat, [], now);
    const isHeld = this.#isHeld(own);
    if ((!isHeld && !isLimited) || Math.abs(now - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const found = waiting();
    if (isHeld || found.length > this.#options.digestOver) await this.#tell(own, found, now);
  }

  async #tell(seat: number, waiting: readonly Incident[], now: EpochMs): Promise<void> {
    const { notifier, desk, updateEveryMs, tell } = this.#options;
    const id = digestId(notifier, seat);
    const record = desk.record(id, notifier);
    this.#since ??= record?.held === "open" ? (record.openedAt ?? now) : now;
    const incident = digestOf(waiting, { id, since: this.#since, now });
    if (waiting.length === 0) this.#since = undefined;
    const decision = decide({ incident, record, parentRecord: undefined, wanted: true, now, updateEveryMs });
    if (decision.act === "none") return;
    const result = await tell(incident, decision);
    if (result.result !== "ok") this.#notBefore = now + VAIN_PAUSE_MS;
  }

  #isHeld(seat: number): boolean {
    const held = this.#options.desk.record(this.#id(seat), this.#options.notifier)?.held;
    return held === "open" || held === "maybe";
  }

  #id(seat: number): IncidentId {
    return digestId(this.#options.notifier, seat);
  }
}
