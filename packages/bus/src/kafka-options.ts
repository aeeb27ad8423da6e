/** How the Kafka bus is set up. */
import type { TopicSpec } from "@culprit/model";

export interface KafkaTls {
  /** Authorities to trust instead of the system's; PEM. */
  readonly ca?: string;
  /** For brokers that ask for a client's certificate; PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** The name the broker's certificate must carry, where it is not the host's. */
  readonly serverName?: string;
}

export interface KafkaSasl {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

export type KafkaCompression = "none" | "gzip" | "zstd";

export interface KafkaBusOptions {
  /** `host:port` of brokers to begin with; the others are learnt from them. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
  /** Stands before the names of topics, groups and transactions, so that several Culprits can share a cluster. */
  readonly prefix?: string;
  readonly tls?: KafkaTls | true;
  readonly sasl?: KafkaSasl;
  /** The topics to use; all of Culprit's unless told. `state` is always among them. */
  readonly topics?: readonly TopicSpec[];
  /** How many partitions a topic must have; whatever it has unless told. */
  readonly partitions?: (topic: string) => number | undefined;
  /** Makes the topics that are missing, with so many copies; start is refused for want of a topic unless told. */
  readonly create?: { readonly replicationFactor: number };
  readonly compression?: KafkaCompression;
  /** The largest message: key, value and headers. Every topic must take it. */
  readonly messageMaxBytes?: number;
  /** What may wait for the brokers before `publish` answers `bus.busy`. */
  readonly pendingMaxBytes?: number;
  /** From a publish to its answer, at most. */
  readonly sendTimeoutMs?: number;
  /** A member that is silent for so long loses its partitions. */
  readonly sessionMs?: number;
  readonly heartbeatMs?: number;
  /** A partition that could get on and does not for so long breaks the bus. */
  readonly stuckMs?: number;
  /** What the client library has to say: connections lost, retries. */
  readonly log?: (level: "warn" | "error", message: string, fields: Readonly<Record<string, unknown>>) => void;
}

const MIB = 1024 * 1024;

export const KAFKA_DEFAULTS = {
  clientId: "culprit",
  prefix: "",
  compression: "zstd",
  messageMaxBytes: 16 * MIB,
  pendingMaxBytes: 64 * MIB,
  sendTimeoutMs: 10_000,
  sessionMs: 15_000,
  heartbeatMs: 1_000,
  stuckMs: 5 * 60_000,
} as const satisfies Partial<KafkaBusOptions>;
