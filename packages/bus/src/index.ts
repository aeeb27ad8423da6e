export type {
  Assignment,
  Batch,
  Bus,
  Change,
  Commit,
  ConsumeOptions,
  Follower,
  FollowOptions,
  Message,
  Outgoing,
  PartitionTask,
  Progress,
  Reader,
} from "./bus.ts";
export { type EmbeddedBus, type EmbeddedBusOptions, openEmbeddedBus } from "./embedded.ts";
export { openKafkaBus, openKafkaSender, openTopicInput } from "./kafka.ts";
export type { InputRecord, TopicInput, TopicInputOptions } from "./kafka-input.ts";
export type { KafkaBusOptions, KafkaCompression, KafkaSasl, KafkaTls } from "./kafka-options.ts";
export type { ForeignMessage, KafkaSender, KafkaSenderOptions } from "./kafka-sender.ts";
export { openTable, type Table } from "./table.ts";
