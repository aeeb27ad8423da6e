/**
 * One Windows event as every format decodes to: the event schema's own words in camelCase, text values, and the original.
 */
import { z } from "zod";
import { EventData } from "./data.ts";
import { HostId } from "./host.ts";
import { EpochMs } from "./instant.ts";

/** What is known of `timeCreated`: the sender's clock, or why another time stands there. */
export const TimeQuality = z.enum(["event", "received", "clamped", "assumed-zone", "ambiguous-zone"]);
export type TimeQuality = z.infer<typeof TimeQuality>;

export const WindowsEvent = z.object({
  /** Manifest name where the source gives it, else the classic source name, as sent. Compare with `providerKey`. */
  provider: z.string(),
  /** The classic source name (`EventSourceName`) beside a manifest name. */
  providerAlias: z.exactOptional(z.string()),
  channel: z.string(),
  /** As sent. */
  computer: z.string(),
  /** `computer`, folded. */
  host: HostId,
  /** 0 to 65535, without qualifiers. */
  eventId: z.number().int().min(0).max(65_535),
  qualifiers: z.exactOptional(z.number().int().min(0).max(65_535)),
  version: z.exactOptional(z.number().int()),
  /** 0 LogAlways, 1 Critical, 2 Error, 3 Warning, 4 Information, 5 Verbose. */
  level: z.number().int().min(0).max(255),
  /** 64 bit as `0x…`, or the words a forwarder made of it. */
  keywords: z.exactOptional(z.string()),
  task: z.exactOptional(z.string()),
  opcode: z.exactOptional(z.string()),
  /** The host's own clock. */
  timeCreated: EpochMs,
  /** The stamp as written, where it says more than milliseconds. */
  timeText: z.exactOptional(z.string()),
  timeQuality: TimeQuality,
  /** When the forwarder took it, by its own stamp. */
  receivedAt: z.exactOptional(EpochMs),
  /** Unsigned 64 bit as decimal text. */
  recordId: z.exactOptional(z.string()),
  processId: z.exactOptional(z.number().int()),
  threadId: z.exactOptional(z.number().int()),
  activityId: z.exactOptional(z.string()),
  userId: z.exactOptional(z.string()),
  /** EventData or UserData; nested names are joined with a dot. */
  data: EventData,
  /** Rendered text, in the language of the machine. */
  message: z.exactOptional(z.string()),
  /** The record as it came, where it was text. */
  original: z.exactOptional(z.string()),
  /** What was repaired or is odd: `repaired-utf8`, `duplicate-key`, `cut`, … (REFERENCE.md). */
  marks: z.exactOptional(z.array(z.string())),
});
export type WindowsEvent = Readonly<Omit<z.infer<typeof WindowsEvent>, "data">> & { readonly data: EventData };

const LEVEL_WORDS: Readonly<Record<string, number>> = {
  critical: 1,
  error: 2,
  warning: 3,
  information: 4,
  informational: 4,
  info: 4,
  verbose: 5,
  "success audit": 0,
  "failure audit": 0,
  audit_success: 0,
  audit_failure: 0,
};
export const LEVEL_INFORMATION = 4;

/** The number of an English level word; 4 (Information) for words of other languages, which mean nothing to us. */
export function levelOf(word: string): number {
  return LEVEL_WORDS[word.trim().toLowerCase()] ?? LEVEL_INFORMATION;
}

const LEVEL_NAMES = ["Information", "Critical", "Error", "Warning", "Information", "Verbose"] as const;

/** The English word of a level number; LogAlways reads as Information. */
export function levelName(level: number): string {
  return LEVEL_NAMES[level] ?? "Information";
}

/** The provider that lines of text logs get; their channel is `FileLog/<file name>`, their data `file` and `line`. */
export const FILE_LOG_PROVIDER = "FileLog";
