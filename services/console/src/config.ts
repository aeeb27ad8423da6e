/** The console's part of the config. Unknown keys are refused. */
import { isIP } from "node:net";
import { z } from "zod";

export const ConsoleConfig = z.strictObject({
  /** Loopback unless told: whoever reaches the console can acknowledge and resolve. */
  host: z.string().default("127.0.0.1"),
  port: z.int().min(0).max(65_535).default(8080),
  /** Names under which people reach the console (a proxy's, a DNS name); requests for other hosts are refused. */
  hostNames: z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/i)).default([]),
  /** The zone that comes first; UTC stands beside it. */
  timeZone: z.string().default("UTC"),
  /** Streams that may be open at once. */
  streamsMax: z.int().min(1).max(10_000).default(200),
  /** Dead letters to keep at hand, newest first. */
  deadLettersMax: z.int().min(1).max(100_000).default(1_000),
});
export type ConsoleConfig = z.infer<typeof ConsoleConfig>;

/** The host names a request may be for: what was configured, the address listened on, and this machine's own names. */
export function allowedHosts(config: Pick<ConsoleConfig, "host" | "hostNames">): ReadonlySet<string> {
  const own = isIP(config.host) === 6 ? `[${config.host}]` : config.host;
  return new Set([
    "localhost",
    "127.0.0.1",
    "[::1]",
    own.toLowerCase(),
    ...config.hostNames.map((name) => name.toLowerCase()),
  ]);
}
