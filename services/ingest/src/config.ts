/** What ingest can be told. Every limit has its behaviour at the limit beside it. */
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import {
  AllowList,
  GelfConfig,
  KafkaInput,
  LumberjackConfig,
  OtlpConfig,
  SyslogConfig,
  TlsFiles,
} from "./listen-config.ts";

const MIB = 1024 * 1024;

/** What one sender may send. More is told to come back (429), or held back where the protocol has no answer; over UDP it is dropped. */
export const Quota = z.strictObject({
  /** Bytes of bodies and records, unpacked. */
  bytesPerSecond: z.exactOptional(z.number().positive()),
  recordsPerSecond: z.exactOptional(z.number().positive()),
  /** How many seconds' worth may come at once after a quiet time. */
  burstSeconds: z.number().min(1).max(86_400).default(10),
});
export type Quota = z.output<typeof Quota>;

const TokenFields = z.strictObject({
  /** Who uses it; shown in logs and dead letters instead of the token. */
  name: z.string().min(1).max(100),
  /** The token itself; better is `sha256`, which is of no use to who reads it. */
  token: z.exactOptional(secretText),
  /** SHA-256 of the token as 64 hex digits; `culprit token` makes both. */
  sha256: z.exactOptional(z.string().regex(/^[0-9A-Fa-f]{64}$/, { error: "64 hex digits" })),
  /** The only addresses and networks it may be used from. */
  allow: z.exactOptional(AllowList),
  /** In place of `ingest.quota`. */
  quota: z.exactOptional(Quota),
  /** A disabled token is answered 403 and remembered as known. */
  disabled: z.boolean().default(false),
  /** The only indexes this token may name; any when left out. */
  indexes: z.exactOptional(z.array(z.string()).min(1)),
  /** Splunk's indexer acknowledgement: answers carry an `ackId`. */
  acknowledges: z.boolean().default(false),
});

export const IngestToken = TokenFields.refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), {
  error: "give sha256, or token, and not both",
});
export type IngestToken = z.output<typeof IngestToken>;

export const IngestConfig = z.strictObject({
  /** The address to listen on. Without tokens only loopback addresses are served, whatever this says. */
  host: z.string().default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(8088),
  tokens: z.array(IngestToken).max(10_000).default([]),
  /** HTTPS instead of HTTP. With `clientCaPath` a sender's certificate is asked for, and is enough where there are no tokens. */
  tls: z.exactOptional(TlsFiles),
  /** The only addresses and networks that may send over HTTP and OTLP's gRPC; the probes answer everyone. */
  allow: z.exactOptional(AllowList),
  /** What each sender may send, by its token, its certificate or its address; without limit when left out. */
  quota: z.exactOptional(Quota),
  /** Whether HEC's `?token=` is honoured; it ends up in proxies' logs. */
  tokenInQuery: z.boolean().default(false),
  /** `selected` stores what a rule may want and counts the rest; `all` stores everything. */
  retain: z.enum(["selected", "all"]).default("selected"),
  /** IANA zone for stamps that have none. */
  timezone: z.string().default("UTC"),
  /** A request body as sent; more is 413. */
  bodyMaxBytes: z
    .number()
    .int()
    .positive()
    .default(32 * MIB),
  /** A request body unpacked; more is 413. */
  unpackedMaxBytes: z
    .number()
    .int()
    .positive()
    .default(64 * MIB),
  /** How many times larger than sent a body may unpack to, above 1 MiB; more is 413. */
  unpackRatioMax: z.number().positive().default(200),
  /** One record; a larger one goes to the dead letters. */
  recordMaxBytes: z.number().int().positive().default(MIB),
  /** Records in one request; more is 413. */
  recordsMax: z.number().int().positive().default(50_000),
  /** Bytes held in memory for all senders; at the limit requests are told to come back, and connections are closed. */
  inFlightMaxBytes: z
    .number()
    .int()
    .positive()
    .default(128 * MIB),
  /** Open connections; at the limit new ones are closed. */
  connectionsMax: z.number().int().positive().default(4_096),
  /** From the first byte of a request to the last of its body; later is 408. */
  requestTimeoutMs: z.number().int().positive().default(60_000),
  /** From a connection's opening, or a request's first byte, to the end of the headers; later is 408. */
  headersTimeoutMs: z.number().int().positive().default(20_000),
  /** An idle connection is closed after this. */
  idleTimeoutMs: z.number().int().positive().default(75_000),
  /** Wrong tokens a minute from one address before it is told 429. */
  wrongTokensPerMinuteMax: z.number().int().positive().default(50),
  /** Event ids remembered to recognise what is sent again; the oldest is forgotten first. */
  recentIdsMax: z.number().int().positive().default(100_000),
  /** Of the records that no format knows, dead letters a minute that are kept of one sender; the rest are only counted. */
  unknownLettersPerMinute: z.number().int().min(1).default(60),
  /** What a sender that is told to come back is told to wait. */
  retryAfterSeconds: z.number().int().positive().default(5),
  /** A sender that was heard before counts as silent after this. */
  silentAfterMs: z.number().int().positive().default(900_000),
  /** Syslog over TCP, UDP and TLS. Off until configured, like every section below. */
  syslog: z.exactOptional(SyslogConfig),
  /** GELF over TCP and UDP. */
  gelf: z.exactOptional(GelfConfig),
  /** Beats and Logstash. */
  lumberjack: z.exactOptional(LumberjackConfig),
  /** OpenTelemetry over gRPC; over HTTP it is part of the HTTP port. */
  otlp: z.exactOptional(OtlpConfig),
  /** Topics that forwarders write to, Azure Event Hubs among them. */
  kafka: z.exactOptional(z.array(KafkaInput).min(1).max(20)),
});
export type IngestConfig = z.output<typeof IngestConfig>;
