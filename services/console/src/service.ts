/** The console service: bus in, pages and API out. */
import { randomUUID } from "node:crypto";
import type { Bus } from "@culprit/bus";
import { HOUR_MS, sourceKey, TOPICS } from "@culprit/model";
import { type Clock, HEALTHY, type Health, type Logger, type Metrics, repeat, type Service } from "@culprit/runtime";
import { actionWriter } from "./actions.ts";
import type { ConsoleConfig } from "./config.ts";
import { callersOf } from "./login/callers.ts";
import { openProjection } from "./projection.ts";
import { createServer } from "./server.ts";
import { silenceWriter } from "./silences.ts";
import { forgottenReports } from "./sources.ts";
import { COMMENT_EVERY_MS, EventStream } from "./stream.ts";

const FORGET_EVERY_MS = HOUR_MS;

export interface ConsoleOptions {
  readonly bus: Bus;
  readonly config: ConsoleConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The health that the probes answer with: that of the whole process where the console is one part of it. */
  readonly health?: () => Health;
}

export interface ConsoleService extends Service {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
}

/** Starts the console. Errors: `console.unknown-zone`, `console.bad-passwords`, `console.no-login`; those of the bus and of listening. */
export async function start(options: ConsoleOptions): Promise<ConsoleService> {
  const { bus, config, clock, logger, metrics } = options;
  const callers = callersOf(config, clock);
  const projection = await openProjection(bus, { deadLettersMax: config.deadLettersMax, now: () => clock.now() });
  const stream = new EventStream({ epoch: randomUUID().slice(0, 8), streamsMax: config.streamsMax });
  projection.onChange((id) => {
    const incident = projection.incident(id);
    if (incident !== undefined) stream.publish(incident);
  });
  metrics.observe("console", "Open streams", () => ({ streams_open: stream.open }));
  const app = createServer({
    config,
    clock,
    logger,
    metrics,
    callers,
    projection,
    stream,
    actions: actionWriter({ bus, clock, unique: randomUUID, known: (id) => projection.actions(id) }),
    silences: silenceWriter({ bus, clock, unique: randomUUID, known: () => projection.silences() }),
    health: options.health ?? (() => HEALTHY),
  });
  const url = await app.listen({ host: config.host, port: config.port });
  const stopping = new AbortController();
  const comments = repeat({ clock, everyMs: COMMENT_EVERY_MS, signal: stopping.signal, work: () => stream.comment() });
  const topic = TOPICS.sources.name;
  const forgetting = repeat({
    clock,
    everyMs: FORGET_EVERY_MS,
    signal: stopping.signal,
    async work() {
      const forgotten = forgottenReports(projection.sources(), clock.now());
      if (forgotten.length === 0) return;
      // What cannot be stored now is still there the next time.
      await bus.publish(forgotten.map((report) => ({ topic, key: sourceKey(report), value: null }))).catch(() => {});
    },
  });
  let stopped: Promise<void> | undefined;
  return {
    url,
    ready: Promise.resolve(),
    health: () => HEALTHY,
    failed: new Promise((resolve) => {
      projection.ended.catch(resolve);
    }),
    stop() {
      stopped ??= (async () => {
        stopping.abort();
        await Promise.all([comments, forgetting]);
        stream.close();
        await app.close();
        await projection.close();
      })();
      return stopped;
    },
  };
}
