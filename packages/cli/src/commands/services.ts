/** `culprit ingest`, `correlate`, `notify`, `console`: one service, on Kafka. Any number of each may run at once. */
import { openKafkaBus } from "@culprit/bus";
import { start as startConsole } from "@culprit/console";
import { start as startCorrelate } from "@culprit/correlate";
import { start as startIngest } from "@culprit/ingest";
import { Fault } from "@culprit/model";
import { start as startNotify } from "@culprit/notify";
import { type Knowledge, knowledgeSelection } from "@culprit/rules";
import {
  createLogger,
  createMetrics,
  type Health,
  joinServices,
  type Logger,
  type Metrics,
  runService,
  type Service,
  systemClock,
} from "@culprit/runtime";
import { type Config, loadWholeConfig } from "../config.ts";
import { kafkaOptions } from "../kafka-config.ts";
import { reloadKnowledge } from "../knowledge-reload.ts";
import { startProbes } from "../probe-server.ts";
import { busService, configuredFacts, configuredKnowledge, urlOf, withTerminal } from "../service-parts.ts";
import type { ServiceVerb } from "../service-verbs.ts";

export interface ServiceOptions {
  readonly config?: string;
}

/** Where the services without HTTP of their own answer probes, unless told. */
const PROBE_PORTS = { correlate: 8081, notify: 8082 } as const;
const EXIT_GRACE_MS = 2_000;

interface Starting {
  readonly config: Config;
  readonly shared: {
    readonly bus: Awaited<ReturnType<typeof openKafkaBus>>;
    readonly clock: typeof systemClock;
    readonly logger: Logger;
    readonly metrics: Metrics;
  };
  /** The health of the whole process. */
  health(): Health;
  tell(line: string): void;
}

/**
 * Runs one service until told to stop. Returns the exit code.
 * Errors: `config.invalid`; `bus.topics-unfit` with the repair and `bus.unavailable`, before anything has started.
 */
export async function runServiceVerb(
  verb: ServiceVerb,
  options: ServiceOptions,
  tell: (line: string) => void,
): Promise<number> {
  const config = loadWholeConfig(options.config);
  if (config.kafka === undefined) {
    const message = `${verb} runs on Kafka: set kafka.brokers in the config, or CULPRIT__KAFKA__BROKERS; without Kafka use up`;
    throw new Fault("config.no-kafka", message);
  }
  const logger = createLogger({ service: verb, level: config.logLevel });
  const log = logger.child({ part: "kafka" });
  const bus = await openKafkaBus({
    ...kafkaOptions(config.kafka),
    // What the client library calls an error passes by itself, or shows in what fails because of it.
    log: (_level, message, fields) => log.debug(fields, message),
  });
  const code = await runService({
    logger,
    clock: systemClock,
    events: process,
    start: async () => {
      const metrics = createMetrics({ process: true });
      metrics.observe("bus", "The log on Kafka", () => bus.stats());
      const started: Service[] = [busService(bus)];
      const health = (): Health => joinServices(started).health();
      try {
        await STARTS[verb]({ config, shared: { bus, clock: systemClock, logger, metrics }, health, tell }, started);
        return joinServices(started);
      } catch (error) {
        await joinServices(started).stop();
        throw error;
      }
    },
  });
  // Whatever still holds the event loop after draining must not keep the process.
  setTimeout(() => process.exit(code), EXIT_GRACE_MS).unref();
  return code;
}

type Start = (starting: Starting, started: Service[]) => Promise<void>;

const STARTS: Readonly<Record<ServiceVerb, Start>> = {
  async ingest({ config, shared, tell }, started) {
    const loaded = await configuredKnowledge(config);
    const ingest = await startIngest({ ...shared, config: config.ingest, selection: knowledgeSelection(loaded) });
    const onKnowledge = (next: Knowledge): void => ingest.use(knowledgeSelection(next));
    started.push(ingest, reloadKnowledge({ ...shared, config, loaded, onKnowledge }));
    tell(`receivers  ${urlOf({ ...config.ingest, ...ingest.address })}`);
  },
  async correlate(starting, started) {
    const { config, shared } = starting;
    const [knowledge, facts] = await Promise.all([configuredKnowledge(config), configuredFacts(config)]);
    await withProbes("correlate", starting, started, async () => {
      const correlate = await startCorrelate({ ...shared, knowledge, facts });
      const onKnowledge = (next: Knowledge): void => correlate.use(next);
      return joinServices([correlate, reloadKnowledge({ ...shared, config, loaded: knowledge, onKnowledge })]);
    });
  },
  async notify(starting, started) {
    const { config, shared, tell } = starting;
    await withProbes("notify", starting, started, async () => {
      const notify = await startNotify({ ...shared, config: withTerminal(config.notify) });
      if (notify.callbacksUrl !== undefined) tell(`replies    ${notify.callbacksUrl}`);
      return notify;
    });
  },
  async console({ config, shared, health, tell }, started) {
    const pages = await startConsole({ ...shared, config: config.console, health });
    started.push(pages);
    tell(`console    ${pages.url}`);
  },
};

/** Probes answer from the beginning: "starting" until the service does its work. */
async function withProbes(
  verb: keyof typeof PROBE_PORTS,
  { config, shared, health, tell }: Starting,
  started: Service[],
  start: () => Promise<Service>,
): Promise<void> {
  let ready = false;
  const { host, port = PROBE_PORTS[verb] } = config.probe;
  const starting: Health = { state: "starting", reasons: [`${verb} is starting`] };
  const probes = await startProbes({
    host,
    port,
    metrics: shared.metrics,
    health: () => (ready ? health() : starting),
  });
  started.push(probes);
  started.push(await start());
  ready = true;
  tell(`probes     ${probes.url}`);
}
