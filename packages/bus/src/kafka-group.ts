/** A member of a group: its membership, the partitions in its hands, and one reader that feeds them all. */
import { Fault } from "@culprit/model";
import type { ConsumeOptions, Reader } from "./bus.ts";
import type { Cursor } from "./kafka-cursor.ts";
import { GroupMembership } from "./kafka-membership.ts";
import { Ownership, type OwnershipOptions } from "./kafka-ownership.ts";
import { TopicReader } from "./kafka-reading.ts";
import { type Wire, WireError } from "./kafka-wire.ts";

export interface GroupTimes {
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceMs: number;
  readonly commitTimeoutMs: number;
}

/** What a group needs of the bus. */
export interface GroupHost {
  readonly times: GroupTimes;
  /** The group's name as brokers know it. */
  groupName(group: string, topic: string): string;
  partitionsOf(topic: string): number;
  /** New connections. */
  openWire(): Wire;
  /** How a partition of this group is opened and written. */
  ownership(
    consume: ConsumeOptions,
    partition: number,
  ): Pick<OwnershipOptions, "producer" | "restore" | "begin" | "encode">;
  count(what: "dropped" | "rebalanced" | "lost", count: number): void;
}

export class GroupReader implements Reader {
  readonly ended: Promise<void>;
  readonly #host: GroupHost;
  readonly #options: ConsumeOptions;
  readonly #owned = new Map<number, Ownership>();
  readonly #cursors = new Map<Ownership, Cursor>();
  readonly #reader: TopicReader;
  readonly #membership: GroupMembership;
  readonly #end = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(host: GroupHost, options: ConsumeOptions) {
    this.#host = host;
    this.#options = options;
    this.ended = this.#end.promise;
    const { group, topic, batchMessagesMax } = options;
    this.#reader = new TopicReader({
      wire: host.openWire(),
      topic,
      ...(batchMessagesMax === undefined ? {} : { batchMessagesMax }),
      onFailure: (error) => this.#fail(error),
      onLost: (count) => host.count("lost", count),
    });
    this.#membership = new GroupMembership({
      wire: host.openWire(),
      group: host.groupName(group, topic),
      topic,
      partitions: host.partitionsOf(topic),
      ...host.times,
      owned: () => [...this.#owned.values()].filter(({ dropped }) => !dropped).map(({ partition }) => partition),
      adopt: (partitions, settled) => this.#adopt(partitions, settled),
      lose: () => {
        for (const ownership of this.#owned.values()) ownership.drop(new Error("the group has given this member up"));
      },
      offsets: () => this.#offsets(),
    });
    this.#membership.ended.catch((error: unknown) => this.#fail(error));
  }

  /** Joins the group; resolves once everything this member is to have is open. Errors: what opening a task threw. */
  static async join(host: GroupHost, options: ConsumeOptions): Promise<GroupReader> {
    const reader = new GroupReader(host, options);
    try {
      await reader.#settled.promise;
    } catch (error) {
      // The caller learns it from this call; the promise has no other reader.
      reader.ended.catch(() => {});
      await reader.close();
      throw error;
    }
    return reader;
  }

  /** For the watchdog. */
  get reader(): TopicReader {
    return this.#reader;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#settled.reject(new Fault("bus.closed", `reading of ${this.#options.topic} ended before it had begun`));
    this.#settled.promise.catch(() => {});
    await Promise.all([...this.#owned.values()].map((ownership) => this.#release(ownership)));
    await this.#membership.leave();
    // A round that was under way when closing began may have brought more.
    await Promise.all([...this.#owned.values()].map((ownership) => this.#release(ownership)));
    await this.#reader.close();
    if (this.#failure === undefined) this.#end.resolve();
    else this.#end.reject(this.#failure.error);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#settled.reject(error);
    this.#settled.promise.catch(() => {});
    // Not awaited: closing waits for the very work that failed.
    void this.close().catch(() => {});
  }

  async #adopt(partitions: readonly number[], settled: boolean): Promise<boolean> {
    const leaving = [...this.#owned.values()].filter(
      ({ partition, dropped }) => !dropped && !partitions.includes(partition),
    );
    await Promise.all(leaving.map((ownership) => this.#letGo(ownership)));
    this.#host.count("rebalanced", 1);
    if (this.#closing !== undefined) return false;
    for (const partition of partitions) {
      const current = this.#owned.get(partition);
      if (current === undefined || current.dropped) this.#take(partition, current);
    }
    if (settled) {
      const opening = [...this.#owned.values()].map(({ opened }) => opened);
      Promise.allSettled(opening).then(() => this.#settled.resolve());
    }
    return leaving.length > 0;
  }

  #take(partition: number, previous: Ownership | undefined): void {
    const how = this.#host.ownership(this.#options, partition);
    const ownership: Ownership = new Ownership({
      ...how,
      partition,
      consume: this.#options,
      commitTimeoutMs: this.#host.times.commitTimeoutMs,
      producer: async (signal) => {
        // What this member itself lost of the partition may still be at work.
        if (previous !== undefined) await this.#release(previous);
        return how.producer(signal);
      },
      read: (from, handle) => {
        const cursor = this.#reader.add({ partition, from, handle });
        this.#cursors.set(ownership, cursor);
        return cursor;
      },
      onDropped: () => {
        this.#host.count("dropped", 1);
        void this.#letGo(ownership).then(() => this.#membership.rejoin());
      },
    });
    this.#owned.set(partition, ownership);
    ownership.opened.catch((error: unknown) => {
      if (ownership.dropped || this.#closing !== undefined) return;
      const mayPass = (error instanceof WireError && error.passing) || (error instanceof Fault && error.retriable);
      if (mayPass) ownership.drop(error);
      else this.#fail(error);
    });
  }

  async #letGo(ownership: Ownership): Promise<void> {
    await this.#release(ownership);
    this.#cursors.delete(ownership);
    if (this.#owned.get(ownership.partition) === ownership) this.#owned.delete(ownership.partition);
  }

  /** A task that does not close well ends the reader, and must not keep other partitions from moving. */
  async #release(ownership: Ownership): Promise<void> {
    await ownership.release().catch((error: unknown) => this.#fail(error));
  }

  /** Behind the last committed batch may lie markers of transactions, which count as read. */
  #offsets(): ReadonlyMap<number, number> {
    const offsets = new Map<number, number>();
    for (const [partition, ownership] of this.#owned) {
      const cursor = this.#cursors.get(ownership);
      if (cursor === undefined || ownership.position < 0) continue;
      const committed = ownership.position;
      offsets.set(partition, committed >= cursor.handledTo ? Math.max(committed, cursor.position) : committed);
    }
    return offsets;
  }
}
