/**
 * What one process of ingest knows of one sender: who sends what, how late, how many. On the topic `sources`, under the key
 * `<instance>/<id>`; read by the console, which adds up what several processes say of one sender.
 */
import { z } from "zod";
import { ID_PATTERN } from "./identity.ts";
import { EpochMs } from "./instant.ts";

const Count = z.number().int().min(0);

export const SourceReport = z.object({
  /** Hash of receiver, address and token: the same in every process. */
  id: z.string().regex(ID_PATTERN),
  /** The process that says so, as its host is named. */
  instance: z.string().min(1).max(255),
  receiver: z.string(),
  /** Hostile text. */
  remote: z.string(),
  /** Name of its token, or of its client certificate. */
  token: z.exactOptional(z.string()),
  transport: z.string(),
  /** What it says it is; hostile text. */
  agent: z.exactOptional(z.string()),
  /** Since when it is counted. */
  firstAt: EpochMs,
  lastAt: EpochMs,
  /** It counts as silent when it was not heard for longer. */
  silentAfterMs: z.number().int().min(0),
  deliveries: Count,
  events: Count,
  duplicates: Count,
  notSelected: Count,
  deadLetters: Count,
  dropped: Count,
  formats: z.array(z.object({ format: z.string(), events: Count })),
  /** Different computers in its records. */
  hosts: Count,
  newestAt: z.exactOptional(EpochMs),
  /** How old the newest record of a delivery was when it came: of the last delivery, and the worst. */
  lateMs: z.exactOptional(z.number().min(0)),
  worstLateMs: z.exactOptional(z.number().min(0)),
});
export type SourceReport = Readonly<z.infer<typeof SourceReport>>;

/** The key of a report's message. */
export function sourceKey(report: Pick<SourceReport, "instance" | "id">): string {
  return `${report.instance}/${report.id}`;
}
