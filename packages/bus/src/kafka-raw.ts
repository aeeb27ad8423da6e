/** What kafkajs sends and answers, as far as the bus uses it: its own types leave most of it out. */
import type { FetchedPartition, FetchedRecord } from "./kafka-wire.ts";

/** The requests a broker of the library can make. */
export interface RawBroker {
  fetch(request: object): Promise<{ responses: RawFetched[] }>;
  produce(request: object): Promise<unknown>;
  listOffsets(request: object): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>;
  initProducerId(request: object): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(request: object): Promise<unknown>;
  endTxn(request: object): Promise<unknown>;
  joinGroup(request: object): Promise<{
    memberId: string;
    generationId: number;
    leaderId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: object): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: object): Promise<unknown>;
  leaveGroup(request: object): Promise<unknown>;
  offsetCommit(request: object): Promise<unknown>;
  offsetFetch(request: object): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>;
}

interface RawRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | null | readonly (Buffer | string)[]>>;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface RawFetched {
  readonly partitions: readonly {
    readonly partition: number;
    readonly lastStableOffset?: string;
    readonly highWatermark: string;
    readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
    readonly messages: readonly RawRecord[];
  }[];
}

/** The connections to a cluster's brokers, and what is known of it. */
export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: string[]): Promise<void>;
  getNodeIds(): readonly (number | string)[];
  findBroker(node: { nodeId: string }): Promise<RawBroker>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findGroupCoordinatorMetadata(request: {
    groupId: string;
    coordinatorType: number;
  }): Promise<{ readonly coordinator: { readonly nodeId: number | string } }>;
}

/** How members of a group write down what they say and what they are given. */
export interface RawGroupEncoding {
  readonly MemberMetadata: {
    encode(metadata: { version: number; topics: string[]; userData: Buffer }): Buffer;
    decode(bytes: Buffer): { userData: Buffer } | null;
  };
  readonly MemberAssignment: {
    encode(share: { version: number; assignment: Record<string, number[]>; userData: Buffer }): Buffer;
    decode(bytes: Buffer): { assignment: Record<string, number[]>; userData: Buffer } | null;
  };
}

/** Offsets by partition. */
export function offsetsIn(
  responses: readonly { readonly partitions: readonly { partition: number; offset: string }[] }[],
): ReadonlyMap<number, number> {
  return new Map(
    responses.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])),
  );
}

export function fetchedPartition(answer: RawFetched["partitions"][number]): FetchedPartition {
  return {
    partition: answer.partition,
    stableEnd: Number(answer.lastStableOffset ?? answer.highWatermark),
    aborted: (answer.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
      producerId,
      firstOffset: Number(firstOffset),
    })),
    records: answer.messages.map(fetchedRecord),
  };
}

function fetchedRecord(record: RawRecord): FetchedRecord {
  return {
    offset: Number(record.offset),
    key: record.key,
    value: record.value,
    at: Number(record.timestamp),
    headers: Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, headerText(value)])),
    producerId: record.batchContext.producerId,
    inTransaction: record.batchContext.inTransaction,
    isControl: record.isControlRecord,
  };
}

/** A header that is given several times counts once. */
function headerText(value: RawRecord["headers"][string]): string {
  const first = Array.isArray(value) ? value[0] : value;
  return first === null || first === undefined ? "" : first.toString();
}
