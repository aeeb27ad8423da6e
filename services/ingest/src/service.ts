/** The ingest service: receivers over one intake, on a bus that the caller opened and will close. */
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Bus } from "@culprit/bus";
import { SELECT_ALL } from "@culprit/formats";
import { Fault } from "@culprit/model";
import type { RuleSelection } from "@culprit/rules";
import {
  AttemptLimit,
  type Clock,
  HEALTHY,
  type Health,
  type Logger,
  type Metrics,
  repeat,
  type Service,
  worstHealth,
} from "@culprit/runtime";
import { Budget } from "./budget.ts";
import type { IngestConfig } from "./config.ts";
import { credentialCheck } from "./http/credentials.ts";
import { createServer, useCertificate } from "./http/server.ts";
import { Intake, isPassing } from "./intake.ts";
import { intakeMetrics } from "./intake-metrics.ts";
import { Quotas } from "./quotas.ts";
import { httpReceivers, LISTENERS } from "./receivers/index.ts";
import { sourceOf } from "./receivers/source.ts";
import { SOURCE_REPORT_MS, sourceReporter } from "./source-report.ts";
import { type Delivery, Sources, type SourceView } from "./sources.ts";
import type { Listener } from "./streams/context.ts";
import { senderIn } from "./streams/store.ts";
import { watchTls } from "./streams/tls-files.ts";
import { UnknownSample } from "./unknown-sample.ts";

/** How often is looked for coverage that is due. */
const COVERAGE_CHECK_MS = 1_000;
/** After a refusal by the bus, the service calls itself degraded for so long. */
const TROUBLE_MS = 10_000;

export interface IngestOptions {
  readonly config: IngestConfig;
  readonly bus: Bus;
  /** What the loaded rules want; `retain: all` overrides it. */
  readonly selection: Pick<RuleSelection, "wants">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface IngestService extends Service {
  /** Where it listens for HTTP. */
  readonly address: { readonly host: string; readonly port: number };
  /** Where else it listens, by name: `syslog-tcp`, `lumberjack`, … */
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Who sends what, how much, how late; the one heard last first. */
  sources(): readonly SourceView[];
  /** Goes on with another selection, from the next request or batch on. */
  use(selection: IngestOptions["selection"]): void;
}

/**
 * Starts ingest; resolves once it listens.
 * Errors: `ingest.cannot-listen` for an address that is taken or not ours, `ingest.certificate-unusable`.
 */
export async function start(options: IngestOptions): Promise<IngestService> {
  const { config, bus, clock, logger, metrics } = options;
  let { selection } = options;
  const counted = intakeMetrics(metrics);
  const stopping = new AbortController();
  const active = new ActiveRequests();
  let failure: Fault | undefined;
  let listeners: readonly Listener[] = [];
  let troubledAt = Number.NEGATIVE_INFINITY;
  const failed = bus.broken.then((fault) => {
    failure = fault;
    return fault;
  });
  const quotas = new Quotas({ quota: config.quota, tokens: config.tokens, clock, metrics });
  const sources = new Sources({
    clock,
    metrics,
    silentAfterMs: config.silentAfterMs,
    onDelivery: (delivery) => quotas.charge(senderIn(delivery.source), { records: recordsIn(delivery) }),
  });
  const unknown = new UnknownSample({ perMinuteMax: config.unknownLettersPerMinute, clock, metrics });
  const budget = new Budget(config.inFlightMaxBytes);
  metrics.observe("ingest_in_flight", "Bytes of senders held in memory", () => ({ bytes: budget.held }));
  const check = credentialCheck(config);
  const attempts = new AttemptLimit(config.wrongTokensPerMinuteMax, clock);
  const audited = new AttemptLimit(config.wrongTokensPerMinuteMax, clock);
  const intake = new Intake({
    bus: watched(bus),
    selection: () => (config.retain === "all" ? SELECT_ALL : selection),
    zone: config.timezone,
    recordMaxBytes: config.recordMaxBytes,
    recordsMax: config.recordsMax,
    recentIdsMax: config.recentIdsMax,
    clock,
    logger,
    metrics: counted,
    sources,
  });

  /** The bus, without the dead letters that are only counted, and with an eye on whether it takes what is published. */
  function watched(inner: Bus): Pick<Bus, "publish"> {
    return {
      async publish(messages) {
        try {
          await inner.publish(unknown.of(messages));
          troubledAt = Number.NEGATIVE_INFINITY;
        } catch (error) {
          if (isPassing(error)) troubledAt = clock.elapsed();
          throw error;
        }
      },
    };
  }

  function health(): Health {
    if (failure !== undefined) return { state: "failed", reasons: [failure.message] };
    if (stopping.signal.aborted) return { state: "stopping", reasons: ["ingest is stopping"] };
    if (clock.elapsed() - troubledAt < TROUBLE_MS) return { state: "degraded", reasons: ["records cannot be stored"] };
    return worstHealth([tls?.health() ?? HEALTHY, ...listeners.map((listener) => listener.health())]);
  }

  const tls =
    config.tls &&
    (await watchTls({
      name: "http",
      files: config.tls,
      clock,
      logger,
      stopping: stopping.signal,
      use: (material) => useCertificate(server, material),
    }));

  const { recordsMax, recordMaxBytes } = config;
  const server = createServer({
    config,
    receivers: httpReceivers({
      intake,
      recordsMax,
      recordMaxBytes,
      budget,
      limits: config,
      isHealthy: () => health().state === "ok",
    }),
    budget,
    quotas,
    tls,
    check,
    attempts,
    audited,
    counted,
    metrics,
    logger,
    health,
    setAside: (receiver, request, sent, detail) =>
      intake.setAside(sent, { receiver, source: sourceOf(request) }, { reason: "http.broken-encoding", detail }),
    begin: () => active.begin(),
    isStopping: () => stopping.signal.aborted,
  });
  await server.listen({ host: config.host, port: config.port }).catch((cause: unknown) => {
    const fields = { host: config.host, port: config.port };
    throw new Fault("ingest.cannot-listen", `cannot listen on ${config.host}:${config.port}`, { cause, fields });
  });
  const { address, port } = server.server.address() as AddressInfo;
  const context = {
    config,
    intake,
    sources,
    budget,
    quotas,
    clock,
    logger,
    metrics,
    counted,
    stopping: stopping.signal,
    check,
    attempts,
    audited,
  };
  const opened = await Promise.allSettled(LISTENERS.flatMap((open) => open(context)));
  listeners = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const refused = opened.find((outcome) => outcome.status === "rejected");
  if (refused !== undefined) {
    stopping.abort();
    await Promise.all([server.close(), ...listeners.map((listener) => listener.stop())]);
    throw refused.reason;
  }
  const summing = repeat({
    clock,
    everyMs: COVERAGE_CHECK_MS,
    signal: stopping.signal,
    work: () => intake.storeCoverage(),
  });
  const reporter = sourceReporter({
    bus,
    instance: hostname(),
    silentAfterMs: config.silentAfterMs,
    view: () => sources.view(),
  });
  const reporting = repeat({
    clock,
    everyMs: SOURCE_REPORT_MS,
    signal: stopping.signal,
    work: () => reporter.report(),
  });
  logger.info({ host: address, port, tokens: config.tokens.length }, "listening");

  /** New requests are refused, those in work are answered, and only then do connections end. */
  async function stopOnce(): Promise<void> {
    stopping.abort();
    const closed = server.close();
    await Promise.all([active.idle(), ...listeners.map((listener) => listener.stop())]);
    // What is left are connections without a request, which Node would wait for until they time out.
    server.server.closeAllConnections();
    await Promise.all([closed, summing, reporting]);
    await reporter.report();
    await intake.storeCoverage(true);
  }
  let stopped: Promise<void> | undefined;

  return {
    address: { host: address, port },
    listeners: Object.fromEntries(listeners.map((listener) => [listener.name, listener.address])),
    sources: () => sources.view(),
    use(next) {
      selection = next;
    },
    ready: Promise.resolve(),
    health,
    failed,
    stop() {
      stopped ??= stopOnce();
      return stopped;
    },
  };
}

function recordsIn({ events, duplicates, notSelected, deadLetters }: Delivery): number {
  return events + duplicates + notSelected + deadLetters;
}

/** Counts requests in work, for those who wait until there are none. */
class ActiveRequests {
  #count = 0;
  #waiting: (() => void)[] = [];

  begin(): () => void {
    this.#count += 1;
    return () => {
      this.#count -= 1;
      if (this.#count > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }

  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
