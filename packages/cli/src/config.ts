/** The config of a whole Culprit: a section for each service, every key with a default. */
import { ConsoleConfig } from "@culprit/console";
import { IngestConfig } from "@culprit/ingest";
import { NotifyConfig } from "@culprit/notify";
import { LOG_LEVELS } from "@culprit/runtime";
import { z } from "zod";

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
  logLevel: z.enum(LOG_LEVELS).default("warn"),
});
export type Config = z.output<typeof Config>;
