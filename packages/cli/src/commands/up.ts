/** `culprit up`: receivers, correlation, notifiers and console in one process on the embedded log. */
import { mkdir } from "node:fs/promises";
import { openEmbeddedBus } from "@culprit/bus";
import { start as startConsole } from "@culprit/console";
import { start as startCorrelate } from "@culprit/correlate";
import { start as startIngest } from "@culprit/ingest";
import { start as startNotify } from "@culprit/notify";
import { type Knowledge, knowledgeSelection } from "@culprit/rules";
import {
  createLogger,
  createMetrics,
  type Health,
  joinServices,
  runService,
  type Service,
  systemClock,
} from "@culprit/runtime";
import { type Config, configFileOf, loadWholeConfig } from "../config.ts";
import { playDemo } from "../demo.ts";
import { reloadKnowledge } from "../knowledge-reload.ts";
import { busService, configuredFacts, configuredKnowledge, urlOf, withTerminal } from "../service-parts.ts";

export interface UpOptions {
  readonly config?: string;
  readonly data: string;
  readonly demo?: boolean;
}

/** Runs until told to stop. Returns the exit code. */
export async function runUp(options: UpOptions, tell: (line: string) => void): Promise<number> {
  const file = configFileOf(options.config);
  const config = loadWholeConfig(file);
  const logger = createLogger({ service: "culprit", level: config.logLevel });
  return runService({
    logger,
    clock: systemClock,
    events: process,
    start: async () => {
      const up = await startAll(config, options.data);
      tell(`receivers  ${up.ingestUrl}  (_bulk, HEC, /ingest)`);
      tell(`console    ${up.consoleUrl}`);
      if (up.repliesUrl !== undefined) tell(`replies    ${up.repliesUrl}  (signed links, callbacks)`);
      tell(`data       ${options.data}${file === undefined ? "" : `, config ${file}`}`);
      if (options.demo === true) await playDemo(up.ingestUrl, { now: Date.now(), tell });
      return up.service;
    },
  });
}

interface Up {
  readonly service: Service;
  readonly ingestUrl: string;
  readonly consoleUrl: string;
  /** Where signed links and callbacks are answered, where they are configured. */
  readonly repliesUrl: string | undefined;
}

/**
 * Starts the four services over one embedded log.
 * Errors: those of the config's parts; nothing is left running after one.
 */
async function startAll(config: Config, dataDir: string): Promise<Up> {
  const [knowledge, facts] = await Promise.all([configuredKnowledge(config), configuredFacts(config)]);
  const logger = createLogger({ service: "culprit", level: config.logLevel });
  const metrics = createMetrics();
  await mkdir(dataDir, { recursive: true });
  const bus = await openEmbeddedBus({ directory: dataDir });
  metrics.observe("bus", "The embedded log", () => bus.stats());
  const started: Service[] = [busService(bus)];
  const shared = { bus, clock: systemClock, metrics };
  const add = async <S extends Service>(
    name: string,
    starting: (parts: typeof shared & { logger: typeof logger }) => Promise<S>,
  ): Promise<S> => {
    const service = await starting({ ...shared, logger: logger.child({ part: name }) });
    started.push(service);
    return service;
  };
  try {
    const whole = (): Health => joinServices(started).health();
    const pages = await add("console", (parts) => startConsole({ ...parts, config: config.console, health: whole }));
    const notify = await add("notify", (parts) =>
      startNotify({ ...parts, config: withTerminal({ consoleUrl: pages.url, ...config.notify }) }),
    );
    const correlate = await add("correlate", (parts) => startCorrelate({ ...parts, knowledge, facts }));
    const ingest = await add("ingest", (parts) =>
      startIngest({ ...parts, config: config.ingest, selection: knowledgeSelection(knowledge) }),
    );
    const onKnowledge = (next: Knowledge): void => {
      ingest.use(knowledgeSelection(next));
      correlate.use(next);
    };
    started.push(reloadKnowledge({ config, loaded: knowledge, logger, metrics, onKnowledge }));
    return {
      service: joinServices(started),
      ingestUrl: urlOf({ ...config.ingest, ...ingest.address }),
      consoleUrl: pages.url,
      repliesUrl: notify.callbacksUrl,
    };
  } catch (error) {
    await joinServices(started).stop();
    throw error;
  }
}
