/**
 * The bus on Apache Kafka, through kafkajs: the only file that knows it.
 *
 * kafkajs brings connections, TLS, SASL and the encoding of requests. Its consumer and its producer are not used: the
 * consumer cannot finish a batch before a rebalance takes its partition, and the producer forgets records when a leader
 * changes while several brokers are written to, and reuses the sequence numbers of a write whose outcome it does not know.
 * What they would do is in the files beside this one, request by request.
 */
import { createRequire } from "node:module";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { Fault } from "@culprit/model";
import kafkajs, { type Admin, type KafkaConfig, type logLevel as LogLevel } from "kafkajs";
import type { Bus } from "./bus.ts";
import { KafkaLog, topicsOf } from "./kafka-bus.ts";
import { lz4Codec, snappyCodec, zstdCodec } from "./kafka-codecs.ts";
import { KafkaWire } from "./kafka-connection.ts";
import { inWireTerms } from "./kafka-errors.ts";
import { inputOn, type TopicInput, type TopicInputOptions } from "./kafka-input.ts";
import { KAFKA_DEFAULTS, type KafkaBusOptions, type KafkaCompression } from "./kafka-options.ts";
import type { RawCluster } from "./kafka-raw.ts";
import { type ConnectionGuard, type KafkaSender, type KafkaSenderOptions, senderOn } from "./kafka-sender.ts";
import {
  type TopicState,
  topicProblems,
  topicSettings,
  topicsFault,
  type WantedTopic,
  wantedTopics,
} from "./kafka-topics.ts";
import { persist } from "./kafka-wire.ts";

const { AssignerProtocol, CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Below the four minutes after which some brokers cut idle connections. */
const METADATA_MAX_AGE_MS = 150_000;
const START_TIMEOUT_MS = 20_000;
const OTHER_KAFKAJS = "this kafkajs is not the one the bus was written for; 2.2.4 is";

/**
 * Opens the bus on Kafka; resolves once the topics are known to be what they must be.
 * Errors: `bus.topics-unfit` with every problem and its repair; `bus.unavailable` when no broker answers.
 */
export async function openKafkaBus(options: KafkaBusOptions): Promise<Bus> {
  prepareLibrary();
  const kafka = new Kafka(configOf(options));
  const prefix = options.prefix ?? KAFKA_DEFAULTS.prefix;
  const counts = await checkTopics(kafka, options, prefix);
  const compression = COMPRESSION[options.compression ?? KAFKA_DEFAULTS.compression];
  const openCluster = () => clusterOf(kafka);
  const openWire = () => new KafkaWire({ prefix, compression, encoding: AssignerProtocol, openCluster });
  return new KafkaLog({ ...options, counts, openWire });
}

/** Opens a sender; nothing is connected before the first message. */
export function openKafkaSender(options: KafkaSenderOptions): KafkaSender {
  prepareLibrary();
  const { guard, sendTimeoutMs } = options;
  const kafka = new Kafka({
    ...configOf(options),
    ...(guard === undefined ? {} : { socketFactory: guardedSockets(guard) }),
  });
  const compression = COMPRESSION[options.compression ?? KAFKA_DEFAULTS.compression];
  const wire = new KafkaWire({
    prefix: "",
    compression,
    encoding: AssignerProtocol,
    openCluster: () => clusterOf(kafka),
  });
  const choose = kafkajs.Partitioners.JavaCompatiblePartitioner();
  const partitionOf = (key: Buffer, partitions: number): number => {
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 }));
    return choose({ topic: "", partitionMetadata: partitionMetadata as never, message: { key, value: null } });
  };
  return senderOn(wire, { timeoutMs: sendTimeoutMs, partitionOf });
}

/** Opens topics that others write to; resolves at once, and connects for as long as it takes. */
export function openTopicInput(options: TopicInputOptions): TopicInput {
  prepareLibrary();
  const kafka = new Kafka(configOf(options));
  const { sessionMs = KAFKA_DEFAULTS.sessionMs, heartbeatMs = KAFKA_DEFAULTS.heartbeatMs } = options;
  return inputOn(() => {
    const consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      maxBytesPerPartition: INPUT_PARTITION_MAX_BYTES,
      maxBytes: INPUT_MAX_BYTES,
      allowAutoTopicCreation: false,
      retry: { retries: 5, initialRetryTime: 500, maxRetryTime: 30_000, restartOnFailure: async () => true },
    });
    return {
      connect: () => consumer.connect(),
      disconnect: () => consumer.disconnect(),
      subscribe: (subscription) => consumer.subscribe(subscription),
      run: (config) => consumer.run(config),
      onCrash: (listener) => void consumer.on("consumer.crash", ({ payload }) => listener(payload.error)),
      onJoin: (listener) => void consumer.on("consumer.group_join", () => listener()),
    };
  }, options);
}

/** Asked of a partition, and of a broker, at a time; a larger record comes all the same, alone. */
const INPUT_PARTITION_MAX_BYTES = 1024 * 1024;
const INPUT_MAX_BYTES = 8 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;

/** Connections as the library makes them, to addresses that were judged. */
function guardedSockets({ check, lookup }: ConnectionGuard): NonNullable<KafkaConfig["socketFactory"]> {
  return ({ host, port, ssl, onConnect }) => {
    check(host);
    const socket = ssl
      ? connectTls({ host, port, lookup, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : connectPlain({ host, port, lookup }, onConnect);
    return socket.setKeepAlive(true, KEEP_ALIVE_MS);
  };
}

const COMPRESSION: Readonly<Record<KafkaCompression, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
};

function configOf(options: Pick<KafkaBusOptions, "brokers" | "clientId" | "tls" | "sasl" | "log">): KafkaConfig {
  const { tls, sasl, log } = options;
  const words: Partial<Record<LogLevel, "warn" | "error">> = { [logLevel.WARN]: "warn", [logLevel.ERROR]: "error" };
  return {
    clientId: options.clientId ?? KAFKA_DEFAULTS.clientId,
    brokers: [...options.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Trying again is decided above, where it is known how long it makes sense.
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
    logLevel: log === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator:
      () =>
      ({ level, log: { message, ...fields } }) =>
        log?.(words[level] ?? "warn", message, fields),
    ...(tls === undefined ? {} : { ssl: tls === true ? true : tlsOf(tls) }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as NonNullable<KafkaConfig["sasl"]> }),
  };
}

function tlsOf({ ca, cert, key, serverName }: Exclude<KafkaBusOptions["tls"], true | undefined>) {
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

let prepared = false;

/** Registers the codecs, and mends the timers that burn an idle processor. Once is enough for the process. */
function prepareLibrary(): void {
  if (prepared) return;
  prepared = true;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
  guardTimerLoops();
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  readonly enforceRequestTimeout: boolean;
  readonly inflight: ReadonlyMap<
    number,
    { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }
  >;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  destroy(): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

const QUEUE_CHECK_MS = 10;
const TIMEOUT_CHECK_MS = 1_000;

/**
 * kafkajs looks for waiting requests every millisecond and for late answers every 100 ms, for ever, on each connection.
 * Here it looks for the first when there are some, and for the others every second.
 * Source: kafkajs #1704, #1751, #1768; 4.6 % of a core per idle process without it.
 */
function guardTimerLoops(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load("kafkajs/src/network/requestQueue") as { readonly prototype: RequestQueue };
  if (typeof prototype.scheduleCheckPendingRequests !== "function") throw new Fault("bus.failed", OTHER_KAFKAJS);
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue): void {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const waitMs = Math.max(QUEUE_CHECK_MS, this.throttledUntil - Date.now());
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, waitMs);
  };
  prototype.scheduleRequestTimeoutCheck = function schedule(this: RequestQueue): void {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    this.requestTimeoutIntervalId = setInterval(() => {
      const now = Date.now();
      for (const request of [...this.inflight.values()]) {
        if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
      }
      if (!this.isConnected()) this.destroy();
    }, TIMEOUT_CHECK_MS);
  };
}

/** What a topic may have; answers with the partitions of each, by the bus's own names. */
async function checkTopics(
  kafka: InstanceType<typeof Kafka>,
  options: KafkaBusOptions,
  prefix: string,
): Promise<ReadonlyMap<string, number>> {
  const messageMaxBytes = options.messageMaxBytes ?? KAFKA_DEFAULTS.messageMaxBytes;
  const wanted = wantedTopics(topicsOf(options), {
    prefix,
    messageMaxBytes,
    ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
  });
  const admin = kafka.admin();
  try {
    const found = await persist(() => inWireTerms(() => findTopics(admin, wanted, options)), {
      deadline: performance.now() + START_TIMEOUT_MS,
    });
    const problems = topicProblems(wanted, found, options.brokers.join(","));
    if (problems.length > 0) throw topicsFault(problems);
    return new Map(wanted.map(({ name, spec }) => [spec.name, found.get(name)?.partitions ?? 0]));
  } catch (error) {
    if (error instanceof Fault) throw error;
    const brokers = options.brokers.join(",");
    const text = error instanceof Error ? error.message : String(error);
    throw new Fault("bus.unavailable", `none of the brokers ${brokers} can be used: ${text}`, {
      cause: error,
      fields: { brokers },
    });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function findTopics(
  admin: Admin,
  wanted: readonly WantedTopic[],
  { create }: KafkaBusOptions,
): Promise<ReadonlyMap<string, TopicState>> {
  await admin.connect();
  const there = new Set(await admin.listTopics());
  const absent = wanted.filter(({ name }) => !there.has(name));
  if (create !== undefined && absent.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: absent.map((topic) => ({
        topic: topic.name,
        numPartitions: topic.partitions ?? 1,
        replicationFactor: create.replicationFactor,
        configEntries: [...topicSettings(topic)].map(([name, value]) => ({ name, value })),
      })),
    });
    for (const { name } of absent) there.add(name);
  }
  const names = wanted.map(({ name }) => name).filter((name) => there.has(name));
  if (names.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const configs = new Map(
    resources.map((resource) => [
      resource.resourceName,
      new Map(resource.configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      { partitions: partitions.length, configs: configs.get(name) ?? new Map() },
    ]),
  );
}

/** kafkajs hands its connections out to assigners of partitions, and to nobody else. */
function clusterOf(kafka: InstanceType<typeof Kafka>): RawCluster {
  let found: RawCluster | undefined;
  kafka.consumer({
    groupId: "unused",
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (given) => {
        found = given.cluster as unknown as RawCluster;
        return kafkajs.PartitionAssigners.roundRobin(given);
      },
    ],
  });
  if (found !== undefined) return found;
  throw new Fault("bus.failed", OTHER_KAFKAJS);
}
