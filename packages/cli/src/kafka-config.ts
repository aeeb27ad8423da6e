/** The config's section on Kafka: where the brokers are, how to be let in, and what the topics are like. */
import type { KafkaBusOptions } from "@culprit/bus";
import { TOPICS, type TopicName } from "@culprit/model";
import { KAFKA_ACCESS, KafkaBroker, kafkaAccess } from "@culprit/runtime";
import { z } from "zod";

/** What docker-compose.yml makes; `state` has as many as `signals`, so that folding and its state are spread alike. */
const PARTITIONS: Readonly<Record<TopicName, number>> = {
  events: 12,
  signals: 12,
  state: 12,
  topology: 3,
  incidents: 3,
  deliveries: 3,
  actions: 3,
  sources: 3,
  "dead-letters": 3,
};

const Count = (whenAbsent: number) => z.int().min(1).max(10_000).default(whenAbsent);

export const KafkaConfig = z.strictObject({
  /** `host:port` of brokers to begin with, as a list or with commas between them. */
  brokers: z.union([
    z
      .string()
      .transform((text) => text.split(",").map((broker) => broker.trim()))
      .pipe(z.array(KafkaBroker).min(1)),
    z.array(KafkaBroker).min(1),
  ]),
  clientId: z.string().min(1).max(200).default("culprit"),
  /** Stands before the names of topics, groups and transactions, so that several Culprits can share a cluster. */
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,100}$/, "expected letters, digits, dots, dashes")
    .default(""),
  ...KAFKA_ACCESS,
  /** How many partitions each topic must have; start is refused where it has others. */
  partitions: z
    .strictObject({
      events: Count(PARTITIONS.events),
      signals: Count(PARTITIONS.signals),
      state: Count(PARTITIONS.state),
      topology: Count(PARTITIONS.topology),
      incidents: Count(PARTITIONS.incidents),
      deliveries: Count(PARTITIONS.deliveries),
      actions: Count(PARTITIONS.actions),
      sources: Count(PARTITIONS.sources),
      "dead-letters": Count(PARTITIONS["dead-letters"]),
    })
    .prefault({}),
  /** Makes topics that are missing, with so many copies; nothing is made and start is refused unless given. */
  create: z.exactOptional(z.strictObject({ replicationFactor: z.int().min(1).max(10) })),
  compression: z.enum(["none", "gzip", "zstd"]).default("zstd"),
  /** The largest message; every topic's `max.message.bytes` must allow it. */
  messageMaxBytes: z
    .int()
    .min(64 * 1024)
    .max(512 * 1024 * 1024)
    .default(16 * 1024 * 1024),
  /** What may wait for the brokers before senders are told to come back. */
  pendingMaxBytes: z
    .int()
    .min(1024 * 1024)
    .default(64 * 1024 * 1024),
  /** From a record's arrival to its answer, at most; then 503. */
  sendTimeoutMs: z.int().min(500).max(120_000).default(10_000),
  /** A process that is silent for so long loses its partitions; brokers set limits to it. */
  sessionMs: z.int().min(1_000).max(1_800_000).default(15_000),
  heartbeatMs: z.int().min(50).max(60_000).default(1_000),
  /** A partition that could get on and does not for so long ends the process. */
  stuckMs: z.int().min(10_000).default(300_000),
});
export type KafkaConfig = z.output<typeof KafkaConfig>;

/** The section as the bus takes it. */
export function kafkaOptions(config: KafkaConfig): KafkaBusOptions {
  const { tls: _tls, sasl: _sasl, partitions, ...plain } = config;
  return {
    ...plain,
    partitions: (topic) => (isTopic(topic) ? partitions[topic] : undefined),
    ...kafkaAccess(config),
  };
}

function isTopic(name: string): name is TopicName {
  return Object.hasOwn(TOPICS, name);
}
