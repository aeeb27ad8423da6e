/** The config of a whole Culprit: a section for each service, every key with a default. */
import { existsSync } from "node:fs";
import { ConsoleConfig } from "@culprit/console";
import { IngestConfig } from "@culprit/ingest";
import { NotifyConfig } from "@culprit/notify";
import { LOG_LEVELS, loadConfig } from "@culprit/runtime";
import { z } from "zod";
import { KafkaConfig } from "./kafka-config.ts";

export const Config = z.strictObject({
  ingest: IngestConfig.prefault({}),
  correlate: z
    .strictObject({
      /** Facts about clusters, hosts, guests, protection servers; learned ones come to them. */
      topology: z.exactOptional(z.string()),
      /** A folder with detections/ and playbooks/ of one's own, beside ours. */
      playbooks: z.exactOptional(z.string()),
    })
    .prefault({}),
  notify: NotifyConfig.prefault({}),
  console: ConsoleConfig.prefault({}),
  /** For the services as processes of their own; `up` keeps its own log. */
  kafka: z.exactOptional(KafkaConfig),
  /** Where correlate and notify answer `/metrics`, `/livez` and `/readyz`; ports 8081 and 8082 unless told. */
  probe: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.exactOptional(z.int().min(0).max(65_535)),
    })
    .prefault({}),
  logLevel: z.enum(LOG_LEVELS).default("warn"),
});
export type Config = z.output<typeof Config>;

const CONFIG_FILE = "culprit.yaml";

/** The file to read: the one that was named, else `culprit.yaml` in this folder where there is one. */
export function configFileOf(named: string | undefined): string | undefined {
  return named ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined);
}

/** Reads the config, with the environment over it. Errors: `config.unreadable`, `config.invalid`. */
export function loadWholeConfig(named: string | undefined): Config {
  const file = configFileOf(named);
  return loadConfig(Config, file === undefined ? {} : { file });
}
