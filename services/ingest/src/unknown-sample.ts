/**
 * A sample of what no format knows. A syslog port gets the lines of routers and Linux machines too; kept one by one they
 * would push the dead letters that matter out of the log. Of each sender some a minute are kept, the rest only counted.
 */
import type { Outgoing } from "@culprit/bus";
import { DeadLetter, TOPICS } from "@culprit/model";
import type { Clock, Metrics } from "@culprit/runtime";

const UNKNOWN = "format.unknown";
const WINDOW_MS = 60_000;
/** Senders told apart; at the limit the one whose minute began first is forgotten. */
const SENDERS_MAX = 10_000;

export interface UnknownSampleOptions {
  /** Dead letters a minute that one sender may leave behind of records that no format knows. */
  readonly perMinuteMax: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class UnknownSample {
  readonly #options: UnknownSampleOptions;
  readonly #kept = new Map<string, { count: number; since: number }>();
  readonly #leftOut: ReturnType<Metrics["counter"]>;

  constructor(options: UnknownSampleOptions) {
    this.#options = options;
    this.#leftOut = options.metrics.counter(
      "ingest_dead_letters_left_out_total",
      "Records that no format knows, counted as dead letters and not kept, because their sender sends many",
      ["receiver"],
    );
  }

  /** The messages without the dead letters that are only counted. */
  of(messages: readonly Outgoing[]): readonly Outgoing[] {
    return messages.filter(({ topic, value }) => {
      if (topic !== TOPICS["dead-letters"].name) return true;
      const { success, data } = DeadLetter.pick({ reason: true, source: true }).safeParse(value);
      if (!success || data.reason !== UNKNOWN) return true;
      const { receiver = "", remote = "", token = "" } = data.source ?? {};
      if (this.#mayKeep(JSON.stringify([receiver, remote, token]))) return true;
      this.#leftOut.add(1, { receiver });
      return false;
    });
  }

  #mayKeep(sender: string): boolean {
    const now = this.#options.clock.elapsed();
    const held = this.#kept.get(sender);
    if (held !== undefined && now - held.since < WINDOW_MS) {
      held.count += 1;
      return held.count <= this.#options.perMinuteMax;
    }
    this.#kept.delete(sender);
    this.#kept.set(sender, { count: 1, since: now });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= SENDERS_MAX) break;
      this.#kept.delete(oldest);
    }
    return true;
  }
}
