/** A `Wire` over kafkajs's connections: each request to the broker that has to have it, with the coordinators remembered. */
import { inWireTerms } from "./kafka-errors.ts";
import { fetchedPartition, offsetsIn, type RawBroker, type RawCluster, type RawGroupEncoding } from "./kafka-raw.ts";
import {
  CLOSED,
  CONNECTION,
  type FetchedPartition,
  type FetchRequest,
  type Joined,
  type JoinRequest,
  type LogEnd,
  type MemberShare,
  type Membership,
  type ProduceRequest,
  type ProducerIdentity,
  type Wire,
  WireError,
} from "./kafka-wire.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const READ_COMMITTED = 1;
const READ_UNCOMMITTED = 0;
const TIMESTAMP_START = "-2";
const TIMESTAMP_END = "-1";
const ALL_IN_SYNC = -1;
const UNCOMPRESSED = 0;
/** What an idle service says once a second is not worth a compressor. */
const COMPRESSED_FROM_BYTES = 16 * 1024;
const COORDINATES_GROUP = 0;
const COORDINATES_TRANSACTION = 1;
/** After so many failures in a row the connections are made anew, from the list of brokers. */
const FAILURES_MAX = 3;

export interface KafkaWireOptions {
  /** Stands before the names of topics. */
  readonly prefix: string;
  /** The codec's number. */
  readonly compression: number;
  readonly encoding: RawGroupEncoding;
  /** New connections; none is made before it is needed. */
  openCluster(): RawCluster;
}

export class KafkaWire implements Wire {
  readonly #options: KafkaWireOptions;
  readonly #prefix: string;
  readonly #coordinators = new Map<string, string>();
  #cluster: RawCluster | undefined;
  #connecting: Promise<RawCluster> | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: KafkaWireOptions) {
    this.#options = options;
    this.#prefix = options.prefix;
  }

  leaders(topic: string): Promise<ReadonlyMap<number, string>> {
    return this.#ask(async (cluster) => {
      const name = this.#prefix + topic;
      await cluster.addMultipleTargetTopics([name]);
      await cluster.refreshMetadataIfNecessary();
      const led = cluster.findTopicPartitionMetadata(name).filter(({ leader }) => leader >= 0);
      return new Map(led.map(({ partitionId, leader }) => [partitionId, String(leader)]));
    });
  }

  refresh(): Promise<void> {
    this.#coordinators.clear();
    return this.#ask((cluster) => cluster.refreshMetadata());
  }

  fetch({ node, topic, from, maxWaitMs, partitionMaxBytes }: FetchRequest): Promise<readonly FetchedPartition[]> {
    return this.#askNode(node, async (broker) => {
      const partitions = [...from].map(([partition, offset]) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: partitionMaxBytes,
      }));
      const { responses } = await broker.fetch({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: partitionMaxBytes * 8,
        topics: [{ topic: this.#prefix + topic, partitions }],
      });
      return responses.flatMap((response) => response.partitions.map(fetchedPartition));
    });
  }

  produce({ node, identity, batches, timeoutMs }: ProduceRequest): Promise<void> {
    return this.#askNode(node, async (broker) => {
      const timestamp = String(Date.now());
      const byTopic = new Map<string, object[]>();
      let bytes = 0;
      for (const { topic, partition, firstSequence, records } of batches) {
        const messages = records.map(({ key, value, headers }) => ({ key, value, headers, timestamp }));
        bytes += records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
        const of = byTopic.get(topic) ?? [];
        of.push({ partition, firstSequence, messages });
        byTopic.set(topic, of);
      }
      await broker.produce({
        acks: ALL_IN_SYNC,
        timeout: Math.min(timeoutMs, REQUEST_TIMEOUT_MS),
        compression: bytes < COMPRESSED_FROM_BYTES ? UNCOMPRESSED : this.#options.compression,
        transactionalId: identity.transactionalId,
        producerId: identity.producerId,
        producerEpoch: identity.epoch,
        topicData: [...byTopic].map(([topic, partitions]) => ({ topic: this.#prefix + topic, partitions })),
      });
    });
  }

  async offsetsAt(topic: string, partitions: readonly number[], end: LogEnd): Promise<ReadonlyMap<number, number>> {
    const leaders = await this.leaders(topic);
    const byNode = Map.groupBy(partitions, (partition) => leaders.get(partition) ?? "");
    const answers = await Promise.all(
      [...byNode].map(([node, led]) =>
        this.#askNode(node, (broker) =>
          broker.listOffsets({
            replicaId: -1,
            isolationLevel: end === "stable-end" ? READ_COMMITTED : READ_UNCOMMITTED,
            topics: [
              {
                topic: this.#prefix + topic,
                partitions: led.map((partition) => ({
                  partition,
                  timestamp: end === "start" ? TIMESTAMP_START : TIMESTAMP_END,
                })),
              },
            ],
          }),
        ),
      ),
    );
    return offsetsIn(answers.flatMap(({ responses }) => responses));
  }

  async initProducer(transactionalId: string | undefined, transactionTimeout: number): Promise<ProducerIdentity> {
    const init = (broker: RawBroker) => broker.initProducerId({ transactionalId, transactionTimeout });
    const { producerId, producerEpoch } =
      transactionalId === undefined
        ? await this.#ask(async (cluster) => init(await this.#anyBroker(cluster)))
        : await this.#askCoordinator(transactionalId, COORDINATES_TRANSACTION, init);
    return { transactionalId, producerId, epoch: producerEpoch };
  }

  async addToTransaction(
    { transactionalId = "", producerId, epoch }: ProducerIdentity,
    targets: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  ): Promise<void> {
    const topics = targets.map(({ topic, partitions }) => ({ topic: this.#prefix + topic, partitions }));
    await this.#askCoordinator(transactionalId, COORDINATES_TRANSACTION, (broker) =>
      broker.addPartitionsToTxn({ transactionalId, producerId, producerEpoch: epoch, topics }),
    );
  }

  async endTransaction(identity: ProducerIdentity, outcome: "commit" | "abort"): Promise<void> {
    const { transactionalId = "", producerId, epoch } = identity;
    const transactionResult = outcome === "commit";
    await this.#askCoordinator(transactionalId, COORDINATES_TRANSACTION, (broker) =>
      broker.endTxn({ transactionalId, producerId, producerEpoch: epoch, transactionResult }),
    );
  }

  async join(request: JoinRequest): Promise<Joined> {
    const { group, topic, protocol, memberId, sessionMs, rebalanceMs, told } = request;
    const metadata = this.#options.encoding.MemberMetadata.encode({
      version: 0,
      topics: [this.#prefix + topic],
      userData: told,
    });
    const joined = await this.#askCoordinator(group, COORDINATES_GROUP, (broker) =>
      broker.joinGroup({
        groupId: group,
        sessionTimeout: sessionMs,
        rebalanceTimeout: rebalanceMs,
        memberId,
        groupProtocols: [{ name: protocol, metadata }],
      }),
    );
    return {
      memberId: joined.memberId,
      generation: joined.generationId,
      members: joined.leaderId === joined.memberId ? joined.members.map((member) => this.#toldBy(member)) : [],
    };
  }

  async sync(
    { group, memberId, generation }: Membership,
    topic: string,
    shares: ReadonlyMap<string, MemberShare>,
  ): Promise<MemberShare> {
    const name = this.#prefix + topic;
    const groupAssignment = [...shares].map(([id, { partitions, told }]) => ({
      memberId: id,
      memberAssignment: this.#options.encoding.MemberAssignment.encode({
        version: 0,
        assignment: { [name]: [...partitions] },
        userData: told,
      }),
    }));
    const { memberAssignment } = await this.#askCoordinator(group, COORDINATES_GROUP, (broker) =>
      broker.syncGroup({ groupId: group, generationId: generation, memberId, groupAssignment }),
    );
    const share = this.#options.encoding.MemberAssignment.decode(memberAssignment);
    return { partitions: share?.assignment[name] ?? [], told: share?.userData ?? Buffer.alloc(0) };
  }

  async heartbeat({ group, memberId, generation }: Membership): Promise<void> {
    await this.#askCoordinator(group, COORDINATES_GROUP, (broker) =>
      broker.heartbeat({ groupId: group, groupGenerationId: generation, memberId }),
    );
  }

  async leave({ group, memberId }: Membership): Promise<void> {
    await this.#askCoordinator(group, COORDINATES_GROUP, (broker) => broker.leaveGroup({ groupId: group, memberId }));
  }

  async commitOffsets(
    { group, memberId, generation }: Membership,
    topic: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    const topics = [{ topic: this.#prefix + topic, partitions }];
    await this.#askCoordinator(group, COORDINATES_GROUP, (broker) =>
      broker.offsetCommit({ groupId: group, groupGenerationId: generation, memberId, topics }),
    );
  }

  async committedOffsets(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const topics = [{ topic: this.#prefix + topic, partitions: partitions.map((partition) => ({ partition })) }];
    const { responses } = await this.#askCoordinator(group, COORDINATES_GROUP, (broker) =>
      broker.offsetFetch({ groupId: group, topics }),
    );
    return new Map([...offsetsIn(responses)].filter(([, offset]) => offset >= 0));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connecting?.catch(() => {});
    await this.#cluster?.disconnect();
  }

  /** One after the other, while they fail. */
  #anyBroker(cluster: RawCluster): Promise<RawBroker> {
    const nodes = cluster.getNodeIds();
    return cluster.findBroker({ nodeId: String(nodes[this.#failures % Math.max(1, nodes.length)]) });
  }

  #askNode<T>(node: string, question: (broker: RawBroker) => Promise<T>): Promise<T> {
    return this.#ask(async (cluster) => question(await cluster.findBroker({ nodeId: node })));
  }

  async #askCoordinator<T>(id: string, kind: number, question: (broker: RawBroker) => Promise<T>): Promise<T> {
    const key = `${kind}/${id}`;
    try {
      return await this.#ask(async (cluster) => {
        const node = this.#coordinators.get(key) ?? (await coordinatorOf(cluster, id, kind));
        this.#coordinators.set(key, node);
        return question(await cluster.findBroker({ nodeId: node }));
      });
    } catch (error) {
      this.#coordinators.delete(key);
      throw error;
    }
  }

  #toldBy({ memberId, memberMetadata }: { memberId: string; memberMetadata: Buffer }) {
    const metadata = this.#options.encoding.MemberMetadata.decode(memberMetadata);
    return { id: memberId, told: metadata?.userData ?? Buffer.alloc(0) };
  }

  async #ask<T>(question: (cluster: RawCluster) => Promise<T>): Promise<T> {
    if (this.#closed) throw new WireError(CLOSED, "the connections are closed", { passing: false });
    try {
      const answer = await inWireTerms(async () => question(await this.#connected()));
      this.#failures = 0;
      return answer;
    } catch (error) {
      if (error instanceof WireError && error.kind === CONNECTION) this.#countFailure();
      throw error;
    }
  }

  async #connected(): Promise<RawCluster> {
    if (this.#cluster !== undefined) return this.#cluster;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<RawCluster> {
    const cluster = this.#options.openCluster();
    await cluster.connect();
    // The first metadata names the brokers; only then can one be asked.
    await cluster.refreshMetadata();
    this.#cluster = cluster;
    return cluster;
  }

  /** Brokers may have come back elsewhere: then only the list that was configured leads to them. */
  #countFailure(): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return;
    this.#failures = 0;
    const old = this.#cluster;
    this.#cluster = undefined;
    this.#coordinators.clear();
    old?.disconnect().catch(() => {});
  }
}

async function coordinatorOf(cluster: RawCluster, groupId: string, coordinatorType: number): Promise<string> {
  const request = { groupId, coordinatorType };
  const { coordinator } = await cluster.findGroupCoordinatorMetadata(request);
  return String(coordinator.nodeId);
}
