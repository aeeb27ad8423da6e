/**
 * A process to be stopped or killed by a test: ingest over an embedded log in the directory it is given, on a port of its
 * own, run as every service is. Prints `port <n>` once it listens.
 */
import { writeSync } from "node:fs";
import { openEmbeddedBus } from "@culprit/bus";
import { SELECT_ALL } from "@culprit/formats";
import { createLogger, createMetrics, HEALTHY, joinServices, runService, systemClock } from "@culprit/runtime";
import { IngestConfig } from "../config.ts";
import { start } from "../service.ts";

const [, , directory = ""] = process.argv;
const logger = createLogger({ service: "ingest", level: "error" });

process.exit(
  await runService({
    logger,
    clock: systemClock,
    events: process,
    drainMs: 10_000,
    async start() {
      const bus = await openEmbeddedBus({ directory });
      const ingest = await start({
        config: IngestConfig.parse({ port: 0 }),
        bus,
        selection: SELECT_ALL,
        clock: systemClock,
        logger,
        metrics: createMetrics(),
      });
      writeSync(1, `port ${ingest.address.port}\n`);
      const log = { ready: Promise.resolve(), health: () => HEALTHY, stop: () => bus.close(), failed: bus.broken };
      return joinServices([log, ingest]);
    },
  }),
);
