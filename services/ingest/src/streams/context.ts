/** What a receiver that listens on a socket of its own needs of the service, and gives to it. */
import type { AttemptLimit, Clock, Health, Logger, Metrics } from "@culprit/runtime";
import type { Budget } from "../budget.ts";
import type { IngestConfig } from "../config.ts";
import type { HttpRequest } from "../http/answer.ts";
import type { Verdict } from "../http/credentials.ts";
import type { Intake } from "../intake.ts";
import type { IntakeMetrics } from "../intake-metrics.ts";
import type { Quotas } from "../quotas.ts";
import type { Sources } from "../sources.ts";

export interface ListenerContext {
  readonly config: IngestConfig;
  readonly intake: Intake;
  readonly sources: Sources;
  readonly budget: Budget;
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly counted: IntakeMetrics;
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  /** Who sends, for protocols that carry tokens. */
  check(request: HttpRequest): Verdict;
  /** Wrong tokens by address. */
  readonly attempts: AttemptLimit;
  /** Audit lines by address. */
  readonly audited: AttemptLimit;
}

/** A socket that listens. */
export interface Listener {
  /** `syslog-tcp`, `lumberjack`, … */
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  health(): Health;
  /** Takes in nothing new, finishes what came, closes. */
  stop(): Promise<void>;
}

/** Opens what is configured of one protocol. Errors: `ingest.cannot-listen`. */
export type OpenListeners = (context: ListenerContext) => readonly Promise<Listener>[];
