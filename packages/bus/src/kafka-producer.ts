/**
 * Writing with sequence numbers: a record that is sent again because the answer got lost is stored once.
 *
 * One request per broker is under way at a time, and a batch keeps its numbers until it is stored. When nobody knows whether
 * it was (the deadline passed), the producer must not be used again: its next batch would carry the same numbers, and a
 * broker that has the first one would take the second for a repeat and drop it.
 */
import type { SizedRecord } from "./kafka-record.ts";
import { type ProduceRequest, type ProducerIdentity, persist, type Wire, WireError } from "./kafka-wire.ts";

/** What one record batch holds at most, unless one record is larger. */
const BATCH_MAX_BYTES = 512 * 1024;
/** What one request holds at most, likewise. */
const REQUEST_MAX_BYTES = 8 * 1024 * 1024;
const SEQUENCE_LIMIT = 2 ** 31;

interface Target {
  readonly topic: string;
  readonly partition: number;
  readonly records: SizedRecord[];
  bytes: number;
}

export class Producer {
  readonly #wire: Wire;
  readonly #identity: ProducerIdentity;
  readonly #sequences = new Map<string, number>();
  #usable = true;

  private constructor(wire: Wire, identity: ProducerIdentity) {
    this.#wire = wire;
    this.#identity = identity;
  }

  /** With a transactional id, fences whoever had it before and ends what they left open. */
  static async open(
    wire: Wire,
    options: {
      readonly transactionalId?: string;
      readonly transactionTimeoutMs: number;
      readonly deadline: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<Producer> {
    const { transactionalId, transactionTimeoutMs, deadline, signal } = options;
    const identity = await persist(() => wire.initProducer(transactionalId, transactionTimeoutMs), {
      deadline,
      refresh: () => wire.refresh(),
      ...(signal === undefined ? {} : { signal }),
    });
    return new Producer(wire, identity);
  }

  /** Whether it may still be used; not after an error of `send` or `transact`. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Stores records in their order, acknowledged by all in-sync replicas. */
  async send(records: readonly SizedRecord[], deadline: number): Promise<void> {
    await this.#unlessFailed(async () => {
      for (const targets of requestsOf(records)) await this.#store(targets, deadline);
    });
  }

  /** Stores records as one transaction: all of them, or none that a reader of committed records sees. */
  async transact(records: readonly SizedRecord[], deadline: number): Promise<void> {
    await this.#unlessFailed(async () => {
      const persistence = { deadline, refresh: () => this.#wire.refresh() };
      await persist(() => this.#wire.addToTransaction(this.#identity, topicsOf(records)), persistence);
      for (const targets of requestsOf(records)) await this.#store(targets, deadline);
      await persist(() => this.#wire.endTransaction(this.#identity, "commit"), persistence);
    });
  }

  async #unlessFailed(work: () => Promise<void>): Promise<void> {
    if (!this.#usable) throw new WireError("UNUSABLE", "an earlier write failed", { passing: false });
    try {
      await work();
    } catch (error) {
      this.#usable = false;
      throw error;
    }
  }

  async #store(targets: readonly Target[], deadline: number): Promise<void> {
    const numbered = targets.map((target) => ({ ...target, firstSequence: this.#sequenceOf(target) }));
    let left = numbered;
    await persist(
      async () => {
        const byNode = await this.#byNode(left);
        const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
        const outcomes = await Promise.allSettled(
          [...byNode].map(([node, batches]) =>
            this.#wire.produce({ node, identity: this.#identity, batches, timeoutMs }).then(() => batches),
          ),
        );
        const stored = new Set(outcomes.flatMap((each) => (each.status === "fulfilled" ? each.value : [])));
        left = left.filter((batch) => !stored.has(batch));
        const failures = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
        if (failures.length > 0) throw worstOf(failures);
      },
      { deadline, refresh: () => this.#wire.refresh() },
    );
    for (const { topic, partition, firstSequence, records } of numbered) {
      this.#sequences.set(`${topic}/${partition}`, (firstSequence + records.length) % SEQUENCE_LIMIT);
    }
  }

  #sequenceOf({ topic, partition }: Target): number {
    return this.#sequences.get(`${topic}/${partition}`) ?? 0;
  }

  async #byNode<B extends ProduceRequest["batches"][number]>(batches: readonly B[]): Promise<Map<string, B[]>> {
    const byNode = new Map<string, B[]>();
    for (const batch of batches) {
      const node = (await this.#wire.leaders(batch.topic)).get(batch.partition);
      if (node === undefined) {
        const message = `${batch.topic}/${batch.partition} has no leader`;
        throw new WireError("LEADER_NOT_AVAILABLE", message, { passing: true });
      }
      const of = byNode.get(node);
      if (of === undefined) byNode.set(node, [batch]);
      else of.push(batch);
    }
    return byNode;
  }
}

/** An error that will not pass comes first: trying again would not help the others either. */
function worstOf(failures: readonly unknown[]): unknown {
  return failures.find((error) => !(error instanceof WireError && error.passing)) ?? failures[0];
}

/** Requests that keep to the limits, with the order of each partition. */
function requestsOf(records: readonly SizedRecord[]): readonly (readonly Target[])[] {
  const requests: Target[][] = [];
  let targets = new Map<string, Target>();
  let bytes = 0;
  const flush = (): void => {
    if (targets.size > 0) requests.push([...targets.values()]);
    targets = new Map();
    bytes = 0;
  };
  for (const record of records) {
    const { topic, partition } = record;
    const name = `${topic}/${partition}`;
    const full = (targets.get(name)?.bytes ?? 0) + record.bytes > BATCH_MAX_BYTES && targets.has(name);
    if (full || bytes + record.bytes > REQUEST_MAX_BYTES) flush();
    const target = targets.get(name) ?? { topic, partition, records: [], bytes: 0 };
    targets.set(name, target);
    target.records.push(record);
    target.bytes += record.bytes;
    bytes += record.bytes;
  }
  flush();
  return requests;
}

function topicsOf(records: readonly SizedRecord[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, Set<number>>();
  for (const { topic, partition } of records) topics.set(topic, (topics.get(topic) ?? new Set()).add(partition));
  return [...topics].map(([topic, partitions]) => ({ topic, partitions: [...partitions] }));
}
