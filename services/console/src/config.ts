/** The console's part of the config. Unknown keys are refused. */
import { isIP } from "node:net";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";

const TOKEN_MIN_LENGTH = 16;
const SESSION_KEY_MIN_LENGTH = 32;
const longEnough = (least: number) =>
  secretText.refine((secret) => secret.reveal().length >= least, `expected at least ${least} characters`);

export const ConsoleConfig = z.strictObject({
  /** Loopback unless told; elsewhere a login is needed, or `openAccess`. */
  host: z.string().default("127.0.0.1"),
  port: z.int().min(0).max(65_535).default(8080),
  /** Names under which people reach the console (a proxy's, a DNS name); requests for other hosts are refused. */
  hostNames: z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/i)).default([]),
  /** Who may log in: lines `name:scrypt$…` as `culprit password` prints them. With any, everyone has to. */
  passwords: z.exactOptional(secretText),
  /** For programs: `Authorization: Bearer …`. With any, everyone has to log in. */
  tokens: z
    .array(z.strictObject({ name: z.string().min(1).max(100), token: longEnough(TOKEN_MIN_LENGTH) }))
    .max(100)
    .default([]),
  /** Signs sessions; without it they end when the process does, and several consoles do not know each other's. */
  sessionKey: z.exactOptional(longEnough(SESSION_KEY_MIN_LENGTH)),
  sessionMs: z
    .int()
    .min(MINUTE_MS)
    .max(30 * DAY_MS)
    .default(12 * HOUR_MS),
  /** Wrong passwords and tokens of one address, or for one name, in a minute. */
  attemptsPerMinuteMax: z.int().min(1).max(1_000).default(10),
  /** Lets everyone in who reaches it, where something else (a proxy with a login, a published port) keeps others out. */
  openAccess: z.boolean().default(false),
  /** Addresses and networks of proxies in front, whose X-Forwarded-For and -Proto are believed. */
  trustedProxies: z.array(z.string().min(1)).max(50).default([]),
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

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
