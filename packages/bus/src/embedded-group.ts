/**
 * Groups of the embedded log: members of one group, all in this process, share the partitions of a topic.
 *
 * Partition p belongs to member p mod n, in the order of joining. When a member joins or leaves, the moves are made one after
 * another: the old owner finishes its batch and closes its task, then the new owner opens one from the stored position. Between
 * the two nobody owns the partition, so no batch is ever in two hands.
 */
import { type EpochMs, Fault } from "@culprit/model";
import type { Assignment, Commit, ConsumeOptions, PartitionTask, Reader } from "./bus.ts";
import type { EmbeddedClient } from "./embedded-client.ts";
import type { StoredPosition, StreamSpec } from "./embedded-protocol.ts";
import { BATCH_MESSAGES_MAX, readStream, type SeenEnd, type Wakeup } from "./embedded-reading.ts";

/** What a group needs of the log. */
export interface GroupHost {
  readonly client: EmbeddedClient;
  readonly wakeup: Wakeup;
  now(): EpochMs;
  streamsOf(topic: string): readonly StreamSpec[];
  commit(commit: Commit, at: Omit<StoredPosition, "position">): Promise<void>;
  restore(at: Omit<StoredPosition, "position">): Promise<Pick<Assignment, "state" | "damaged">>;
}

interface Member {
  readonly options: ConsumeOptions;
  readonly ended: PromiseWithResolvers<void>;
  failure: unknown;
  failed: boolean;
}

interface Owned {
  readonly member: Member;
  stop(): Promise<void>;
}

export class Group {
  readonly #host: GroupHost;
  readonly #streams: readonly StreamSpec[];
  readonly #members: Member[] = [];
  readonly #owned = new Map<number, Owned>();
  #moves: Promise<void> = Promise.resolve();

  constructor(host: GroupHost, topic: string) {
    this.#host = host;
    this.#streams = host.streamsOf(topic);
  }

  /** Errors: what `open` threw for a partition of the new member. */
  async join(options: ConsumeOptions): Promise<Reader> {
    const member: Member = { options, ended: Promise.withResolvers(), failure: undefined, failed: false };
    this.#members.push(member);
    await this.#move();
    if (member.failed) {
      // The caller learns it from this call; the promise has no other reader.
      member.ended.promise.catch(() => {});
      await this.#leave(member);
      throw member.failure;
    }
    return { ended: member.ended.promise, close: () => this.#leave(member) };
  }

  /** Takes a member out and settles its `ended`; other members take its partitions over. */
  async #leave(member: Member): Promise<void> {
    const place = this.#members.indexOf(member);
    if (place !== -1) this.#members.splice(place, 1);
    await this.#move();
    if (member.failed) member.ended.reject(member.failure);
    else member.ended.resolve();
  }

  #fail(member: Member, error: unknown): void {
    if (member.failed) return;
    member.failed = true;
    member.failure = error;
  }

  #move(): Promise<void> {
    this.#moves = this.#moves.then(() => this.#settle());
    return this.#moves;
  }

  async #settle(): Promise<void> {
    const wanted = new Map(this.#streams.map((stream) => [stream, this.#ownerOf(stream.partition)]));
    const moving = [...wanted].filter(([stream, member]) => this.#owned.get(stream.partition)?.member !== member);
    await Promise.all(moving.map(([stream]) => this.#owned.get(stream.partition)?.stop()));
    await Promise.all(moving.map(([stream, member]) => this.#give(stream, member)));
  }

  #ownerOf(partition: number): Member | undefined {
    const able = this.#members.filter(({ failed }) => !failed);
    return able[partition % Math.max(1, able.length)];
  }

  async #give(stream: StreamSpec, member: Member | undefined): Promise<void> {
    this.#owned.delete(stream.partition);
    if (member === undefined) return;
    try {
      this.#owned.set(stream.partition, await this.#start(stream, member));
    } catch (error) {
      this.#fail(member, error);
    }
  }

  async #start(stream: StreamSpec, member: Member): Promise<Owned> {
    const { options } = member;
    const losing = new AbortController();
    const from = await this.#positionOf(stream, options);
    const hold = { owned: true, position: from };
    const at = { group: options.group, topic: stream.topic, partition: stream.partition };
    const restored = await this.#host.restore(at);
    const { wakeup } = this.#host;
    let seen: SeenEnd | undefined;
    const assignment: Assignment = {
      topic: stream.topic,
      partition: stream.partition,
      position: from,
      ...restored,
      lost: losing.signal,
      readThrough: () => (seen?.version === wakeup.versionOf(stream.id) ? this.#host.now() : seen?.at),
      commit: async (commit) => {
        refuseUnlessAllowed(commit, at, hold);
        await this.#host.commit(commit, at);
        hold.position = Math.max(hold.position, commit.position);
      },
    };
    const task = await options.open(assignment);
    const atEnd = (end: SeenEnd): void => {
      seen = end;
    };
    const running = this.#run({ stream, member, task, from, signal: losing.signal, atEnd });
    return {
      member,
      stop: async () => {
        losing.abort();
        await running;
        await Promise.resolve(task.close?.()).catch((error: unknown) => this.#fail(member, error));
        hold.owned = false;
      },
    };
  }

  async #run(run: {
    readonly stream: StreamSpec;
    readonly member: Member;
    readonly task: PartitionTask;
    readonly from: number;
    readonly signal: AbortSignal;
    readonly atEnd: (end: SeenEnd) => void;
  }): Promise<void> {
    const { client, wakeup } = this.#host;
    try {
      await readStream({
        client,
        wakeup,
        now: () => this.#host.now(),
        stream: run.stream,
        from: run.from,
        batchMessagesMax: run.member.options.batchMessagesMax ?? BATCH_MESSAGES_MAX,
        signal: run.signal,
        atEnd: run.atEnd,
        handle: (batch) => run.task.handle(batch),
      });
    } catch (error) {
      this.#fail(run.member, error);
      // Not awaited: leaving waits for this very loop to end.
      void this.#leave(run.member);
    }
  }

  async #positionOf(stream: StreamSpec, { group, topic, from }: ConsumeOptions): Promise<number> {
    const stored = await this.#host.client.ask({ kind: "positions", group, topic });
    const found = stored.find(({ partition }) => partition === stream.partition);
    if (found !== undefined) return found.position;
    if (from !== "latest") return 0;
    const ends = await this.#host.client.ask({ kind: "ends" });
    return ends.find((ends) => ends.stream === stream.id)?.end ?? 0;
  }
}

function refuseUnlessAllowed(
  commit: Commit,
  at: Omit<StoredPosition, "position">,
  hold: { readonly owned: boolean; readonly position: number },
): void {
  if (!hold.owned) {
    const message = `partition ${at.partition} of ${at.topic} no longer belongs to this member of ${at.group}`;
    throw new Fault("bus.fenced", message, { fields: { ...at } });
  }
  if (commit.position < hold.position) {
    const message = `a commit to ${at.topic}/${at.partition} goes back from ${hold.position} to ${commit.position}`;
    throw new Fault("bus.position-back", message, { fields: { ...at } });
  }
}
