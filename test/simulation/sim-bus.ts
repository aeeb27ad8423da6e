/**
 * The bus as each process of the simulation sees it. Nothing happens by itself: the world picks which reader gets its next
 * batch, and at each commit and publish whether the process dies before or after it.
 */
import { setImmediate as turn } from "node:timers/promises";
import type {
  Assignment,
  Batch,
  Bus,
  Commit,
  ConsumeOptions,
  Follower,
  FollowOptions,
  Outgoing,
  PartitionTask,
  Progress,
  Reader,
} from "@culprit/bus";
import { type EpochMs, Fault } from "@culprit/model";
import { partitionOf } from "../../packages/bus/src/partition.ts";
import type { Random } from "./random.ts";
import type { SimLog, Written } from "./sim-log.ts";

/** Ways to build the shell wrongly, each of which the invariants have to notice. */
export const MUTATIONS = ["acknowledges-before-sync", "splits-commits", "fences-nobody"] as const;
export type Mutation = (typeof MUTATIONS)[number];

export interface World {
  readonly log: SimLog;
  readonly random: Random;
  readonly mutation: Mutation | undefined;
  /** Nobody dies and nothing is refused any more. */
  isCalm: boolean;
  now(): EpochMs;
  note(what: string): void;
}

const never = (): Promise<never> => new Promise(() => {});

interface Owned {
  readonly owner: SimBus;
  readonly assignment: Assignment;
  readonly task: PartitionTask;
  readonly lost: AbortController;
  /** The next offset to hand over. */
  next: number;
}

interface Member {
  readonly bus: SimBus;
  readonly options: ConsumeOptions;
}

/** The groups of all processes, and who owns what. */
export class Groups {
  readonly #world: World;
  readonly #members = new Map<string, Member[]>();
  /** Name of the kept -> its owner. */
  readonly #owned = new Map<string, Owned>();
  /** Owners that do not know yet that they are none. */
  readonly #zombies: Owned[] = [];
  #balancing: Promise<void> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
  }

  async join(member: Member): Promise<void> {
    const { group, topic } = member.options;
    const name = `${group} ${topic}`;
    this.#members.set(name, [...(this.#members.get(name) ?? []), member]);
    await this.balance();
  }

  leave(bus: SimBus): void {
    for (const [name, members] of this.#members)
      this.#members.set(
        name,
        members.filter((member) => member.bus !== bus),
      );
  }

  /** Gives each partition to a member that is there; those that are stopped keep believing. */
  balance(): Promise<void> {
    // A process that dies on the way leaves its part of this unfinished; the next round begins after it.
    this.#balancing = this.#balancing.then(() => this.#balance());
    return this.#balancing;
  }

  async #balance(): Promise<void> {
    for (const [name, members] of this.#members) {
      const present = members.filter(({ bus }) => bus.isPresent);
      const topic = members[0]?.options.topic ?? "";
      if (present.length === 0) continue;
      for (let partition = 0; partition < this.#world.log.partitionsOf(topic); partition += 1) {
        const member = present[partition % present.length] as Member;
        await this.#give(`${name}/${partition}`, member, partition);
      }
    }
  }

  async #give(name: string, { bus, options }: Member, partition: number): Promise<void> {
    const before = this.#owned.get(name);
    if (before?.owner === bus) return;
    if (before !== undefined) {
      // Whoever is there gives back in order; of a stopped owner nobody hears, and it is fenced from here on.
      if (before.owner.isStopped) this.#zombies.push(before);
      else await this.#take(before);
      this.#owned.delete(name);
    }
    const { log } = this.#world;
    const kept = log.kept(name);
    const lost = new AbortController();
    let through: EpochMs | undefined;
    const assignment: Assignment = {
      topic: options.topic,
      partition,
      position: kept.position,
      state: new Map([...kept.state].map(([key, value]) => [key, JSON.parse(value) as unknown])),
      damaged: [],
      lost: lost.signal,
      readThrough: () => {
        const owned = this.#owned.get(name);
        if (owned?.assignment === assignment && owned.next === log.messages(options.topic, partition).length)
          through = this.#world.now() - 1;
        return through;
      },
      commit: (commit) => bus.commit(name, commit, () => this.#owned.get(name)?.assignment === assignment, lost),
    };
    const opening = Promise.resolve(options.open(assignment));
    const task = await bus.whileAlive(opening);
    if (task !== undefined) this.#owned.set(name, { owner: bus, assignment, task, lost, next: kept.position });
  }

  async #take({ lost, task, owner }: Owned): Promise<void> {
    lost.abort();
    await owner.whileAlive(Promise.resolve(task.close?.()));
  }

  /** A process that was stopped hears what has become of its partitions. */
  async wake(bus: SimBus): Promise<void> {
    for (const zombie of this.#zombies.splice(0))
      if (zombie.owner === bus) await this.#take(zombie);
      else this.#zombies.push(zombie);
    await this.balance();
  }

  /** Readers that have something to read, a stopped one's last batches among them. */
  waiting(): readonly (() => Promise<void>)[] {
    const all = [...this.#owned.values(), ...(this.#world.isCalm ? [] : this.#zombies)];
    return all
      .filter(({ owner, assignment, next }) => {
        const { topic, partition } = assignment;
        return !owner.isDead && next < this.#world.log.messages(topic, partition).length;
      })
      .map((owned) => () => this.#hand(owned));
  }

  async #hand(owned: Owned): Promise<void> {
    const { owner, assignment, task } = owned;
    const { topic, partition } = assignment;
    const all = this.#world.log.messages(topic, partition);
    const count = 1 + this.#world.random.below(Math.min(50, all.length - owned.next));
    const messages = all.slice(owned.next, owned.next + count);
    owned.next += count;
    const batch: Batch = { topic, partition, messages, next: owned.next, end: all.length };
    try {
      await owner.whileAlive(task.handle(batch));
    } catch (error) {
      // The engines close the task of a partition that is another's by now; anything else is a fault of ours.
      if (!(error instanceof Fault && error.code === "bus.fenced")) throw error;
      const place = this.#zombies.indexOf(owned);
      if (place >= 0) this.#zombies.splice(place, 1);
    }
  }
}

/** One process' bus. */
export class SimBus implements Bus {
  readonly broken: Promise<Fault> = never();
  readonly name: string;
  readonly #world: World;
  readonly #groups: Groups;
  readonly #followers = new Set<{ readonly options: FollowOptions; readonly next: number[] }>();
  readonly #death = Promise.withResolvers<undefined>();
  isDead = false;
  isStopped = false;

  constructor(name: string, world: World, groups: Groups) {
    this.name = name;
    this.#world = world;
    this.#groups = groups;
  }

  get isPresent(): boolean {
    return !this.isDead && !this.isStopped;
  }

  die(): void {
    if (this.isDead) return;
    this.#world.note(`${this.name} dies`);
    this.isDead = true;
    this.#groups.leave(this);
    this.#death.resolve(undefined);
  }

  /** What a process does ends with it. */
  whileAlive<T>(work: Promise<T>): Promise<T | undefined> {
    return Promise.race([work, this.#death.promise]);
  }

  async publish(messages: readonly Outgoing[]): Promise<void> {
    await this.#write(() => this.#world.log.write({ outputs: this.#written(messages) }));
  }

  async commit(name: string, commit: Commit, isOwner: () => boolean, lost: AbortController): Promise<void> {
    const { log, mutation } = this.#world;
    await this.#write(() => {
      if (!isOwner() && mutation !== "fences-nobody") {
        lost.abort();
        throw new Fault("bus.fenced", `${name} is another's`);
      }
      if (commit.position < log.kept(name).position && mutation === undefined)
        throw new RangeError(`the position of ${name} went back`);
      const outputs = this.#written(commit.outputs ?? []);
      const changes = (commit.changes ?? []).map(({ key, value }) => ({
        key,
        value: value === null || value === undefined ? undefined : JSON.stringify(value),
      }));
      const kept = { name, position: commit.position, changes };
      if (mutation === "splits-commits" && this.#diesNow()) {
        log.write({ outputs });
        this.die();
      } else log.write({ outputs, kept });
    });
  }

  /** A write, in the middle of which the process may die: before it, or before it hears of it. */
  async #write(write: () => void): Promise<void> {
    if (this.isDead) return never();
    if (this.#diesNow()) {
      this.die();
      return never();
    }
    write();
    // The fault of a build that answers before the disk has it.
    if (this.#world.mutation !== "acknowledges-before-sync" || this.#world.random.chance(0.2)) this.#world.log.sync();
    if (this.#diesNow()) this.die();
    if (this.isDead) return never();
    await turn();
  }

  #diesNow(): boolean {
    return !this.#world.isCalm && this.#world.random.chance(0.004);
  }

  #written(messages: readonly Outgoing[]): Written[] {
    return messages.map(({ topic, key, value, partition }) => ({
      topic,
      partition: partition ?? partitionOf(key, this.#world.log.partitionsOf(topic)),
      key,
      value: JSON.stringify(value) ?? "null",
      at: this.#world.now(),
    }));
  }

  async consume(options: ConsumeOptions): Promise<Reader> {
    await this.whileAlive(this.#groups.join({ bus: this, options }));
    return { ended: never(), close: () => Promise.resolve() };
  }

  async follow(options: FollowOptions): Promise<Follower> {
    const follower = { options, next: Array.from({ length: this.partitionsOf(options.topic) }, () => 0) };
    this.#followers.add(follower);
    for (const read of this.following()) await read();
    return {
      caughtUp: Promise.resolve(),
      ended: never(),
      close: async () => void this.#followers.delete(follower),
    };
  }

  /** Followers that have something to read. */
  following(): readonly (() => Promise<void>)[] {
    if (!this.isPresent) return [];
    return [...this.#followers].flatMap(({ options, next }) =>
      next.flatMap((from, partition) => {
        const messages = this.#world.log.messages(options.topic, partition).slice(from);
        if (messages.length === 0) return [];
        return [
          async () => {
            next[partition] = from + messages.length;
            const end = from + messages.length;
            const handling = Promise.resolve(
              options.handle({ topic: options.topic, partition, messages, next: end, end }),
            );
            await this.whileAlive(handling);
          },
        ];
      }),
    );
  }

  partitionsOf(topic: string): number {
    return this.#world.log.partitionsOf(topic);
  }

  progress(): Promise<readonly Progress[]> {
    return Promise.resolve([]);
  }

  stats(): Readonly<Record<string, number>> {
    return {};
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
