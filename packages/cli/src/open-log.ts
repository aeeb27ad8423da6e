/** The log that a config means: Kafka's where it names brokers, else the embedded one in a data directory. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Bus, openEmbeddedBus, openKafkaBus } from "@culprit/bus";
import { Fault } from "@culprit/model";
import type { Config } from "./config.ts";
import { kafkaOptions } from "./kafka-config.ts";

/**
 * Opens a log that exists already.
 * Errors: `log.none` where the directory holds none; `bus.owned` while a process runs on it; those of the engines.
 */
export async function openLog({ kafka }: Pick<Config, "kafka">, directory: string): Promise<Bus> {
  if (kafka !== undefined) return openKafkaBus(kafkaOptions(kafka));
  if (!existsSync(join(directory, "culprit.db")))
    throw new Fault("log.none", `${directory} holds no log; name the directory of culprit up with --data`);
  return openEmbeddedBus({ directory });
}
