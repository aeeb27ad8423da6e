/** Where receivers that are not HTTP listen, and what one sender may do there. */
import { isIP } from "node:net";
import { KAFKA_ACCESS, KafkaBroker } from "@culprit/runtime";
import { z } from "zod";

const MIB = 1024 * 1024;
const LOOPBACK = "127.0.0.1";

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. */
const Network = z.string().refine(
  (text) => {
    const [address = "", prefix] = text.split("/");
    const bits = isIP(address) === 4 ? 32 : 128;
    return isIP(address) !== 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
  },
  { error: "an address or a network such as 10.0.0.0/8" },
);

/** The only addresses and networks that may send. */
export const AllowList = z.array(Network).min(1).max(10_000);

function place(port: number) {
  return {
    host: z.string().default(LOOPBACK),
    port: z.number().int().min(0).max(65_535).default(port),
    /** The only addresses and networks that may send; any that reach the port when left out. */
    allow: z.exactOptional(AllowList),
  };
}

/** Files in PEM; read again when they change, without an end to open connections. */
export const TlsFiles = z.strictObject({
  certificatePath: z.string().min(1),
  keyPath: z.string().min(1),
  /** Who signs the senders' certificates. With it a sender without one is refused. */
  clientCaPath: z.exactOptional(z.string().min(1)),
});
export type TlsFiles = z.output<typeof TlsFiles>;

function stream(port: number) {
  return {
    ...place(port),
    /** Open connections; at the limit new ones are closed. */
    connectionsMax: z.number().int().positive().default(1_024),
    /** A connection without a byte is closed after this; one whose peer is gone is noticed earlier. */
    idleTimeoutMs: z.number().int().positive().default(3_600_000),
  };
}

function streamListener(port: number) {
  return z.strictObject({ ...stream(port), tls: z.exactOptional(TlsFiles) });
}
export type StreamListener = z.output<ReturnType<typeof streamListener>>;

function datagramListener(port: number) {
  return z.strictObject({
    ...place(port),
    /** Datagrams that wait to be stored; at the limit new ones are dropped and counted. */
    queueMaxBytes: z
      .number()
      .int()
      .positive()
      .default(16 * MIB),
    /** Asked of the system for its own queue; it may give less. */
    socketBufferBytes: z
      .number()
      .int()
      .positive()
      .default(4 * MIB),
  });
}
export type DatagramListener = z.output<ReturnType<typeof datagramListener>>;

export const SyslogConfig = z.strictObject({
  tcp: z.exactOptional(streamListener(5514)),
  udp: z.exactOptional(datagramListener(5514)),
  tls: z.exactOptional(z.strictObject({ ...stream(6514), tls: TlsFiles })),
  /** One message; a longer one is cut and marked. Never above `recordMaxBytes`. */
  messageMaxBytes: z.number().int().min(480).default(MIB),
  /** A message of several lines is complete when its connection is quiet for so long. */
  lullMs: z.number().int().positive().default(250),
});
export type SyslogConfig = z.output<typeof SyslogConfig>;

export const GelfConfig = z.strictObject({
  tcp: z.exactOptional(streamListener(12_201)),
  udp: z.exactOptional(datagramListener(12_201)),
  /** The parts of a message must come within this. */
  chunksTimeoutMs: z.number().int().positive().default(5_000),
  /** Parts of unfinished messages in memory; at the limit the oldest message is dropped and counted. */
  chunksMaxBytes: z
    .number()
    .int()
    .positive()
    .default(16 * MIB),
});
export type GelfConfig = z.output<typeof GelfConfig>;

export const LumberjackConfig = z.strictObject({
  ...stream(5044),
  tls: z.exactOptional(TlsFiles),
  /** A compressed frame as sent; a larger one ends the connection. */
  frameMaxBytes: z
    .number()
    .int()
    .positive()
    .default(16 * MIB),
  /** How often a sender that waits is told that it is not forgotten. */
  keepAliveMs: z.number().int().positive().default(5_000),
});
export type LumberjackConfig = z.output<typeof LumberjackConfig>;

export const OtlpConfig = z.strictObject({
  grpc: z.exactOptional(
    z.strictObject({
      host: z.string().default(LOOPBACK),
      port: z.number().int().min(0).max(65_535).default(4317),
      tls: z.exactOptional(TlsFiles),
      /** A message, unpacked; a larger one is RESOURCE_EXHAUSTED. */
      messageMaxBytes: z
        .number()
        .int()
        .positive()
        .default(20 * MIB),
    }),
  ),
});
export type OtlpConfig = z.output<typeof OtlpConfig>;

/** Topics of a Kafka that forwarders write to. */
export const KafkaInput = z.strictObject({
  /** `host:port` of brokers to begin with; the others are learnt from them. */
  brokers: z.array(KafkaBroker).min(1).max(20),
  topics: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, "expected the name of a topic"))
    .min(1)
    .max(100),
  /** Processes that share the work name the same group. */
  group: z.string().min(1).max(200).default("culprit-ingest"),
  /** Whether a group that has no place yet begins with the oldest record. */
  fromBeginning: z.boolean().default(false),
  clientId: z.string().min(1).max(200).default("culprit-ingest"),
  ...KAFKA_ACCESS,
});
export type KafkaInput = z.output<typeof KafkaInput>;
