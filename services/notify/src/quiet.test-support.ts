/**
 * For tests: knows when everything that follows from what has happened has happened, on any engine of the bus. What was
 * published is followed by a marker in every partition; once all readers have seen it and nothing is under way, it is quiet.
 */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { Assignment, Bus, Follower, FollowOptions, Outgoing, PartitionTask, Reader } from "@culprit/bus";
import { TOPICS } from "@culprit/model";

const WATCHED = [TOPICS.incidents.name, TOPICS.actions.name, TOPICS.deliveries.name] as const;
const MARKER = "quiet-";
/** Turns of the event loop that must find nothing moving. */
const STILL_TURNS = 4;
/** Far more than a slow machine needs: only a test that hangs gets there. */
const PATIENCE_MS = 100_000;

/** The number of the last marker that was seen, by partition. */
type Seen = Map<number, number>;

const byBus = new WeakMap<Bus, Quiet>();

/** The one of a bus, however many processes are on it. */
export function quietOf(bus: Bus): Quiet {
  const quiet = byBus.get(bus) ?? new Quiet(bus);
  byBus.set(bus, quiet);
  return quiet;
}

export class Quiet {
  readonly #bus: Bus;
  readonly #followers = new Map<object, { readonly topic: string; readonly seen: Seen }>();
  readonly #byGroup: Seen = new Map();
  #readers = 0;
  #underWay = 0;
  #moves = 0;
  #marker = 0;
  #isDirty = true;
  /** Requests that a server holds and will not answer: waiting for them would be waiting for ever. */
  held: () => number = () => 0;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Publishes as somebody outside would. */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    await this.#bus.publish(messages);
    this.#isDirty = true;
  }

  /** Counts work as under way until it has settled. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
      this.#moves += 1;
    }
  }

  /** The bus as a process sees it; once `isDead` nothing of what it says is stored. */
  watch(isDead: () => boolean = () => false): Bus {
    const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isDead()) throw new Error("the process is dead");
      return this.track(work());
    };
    return new Proxy(this.#bus, {
      get: (bus, name) => {
        if (name === "publish") return (messages: readonly Outgoing[]) => guarded(() => bus.publish(messages));
        if (name === "follow") return (options: FollowOptions) => this.#follow(options);
        if (name === "consume") {
          return (options: Parameters<Bus["consume"]>[0]) => this.#consume(options, guarded);
        }
        const member: unknown = Reflect.get(bus, name, bus);
        return typeof member === "function" ? member.bind(bus) : member;
      },
    });
  }

  /** Resolves once what was published is read by all who read, and nothing moves any more. */
  async settle(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    if (this.#isDirty && this.#readers > 0) await this.#mark(deadline);
    let moves = -1;
    for (let still = 0; still < STILL_TURNS; ) {
      await turn();
      still = this.#underWay <= this.held() && this.#moves === moves ? still + 1 : 0;
      moves = this.#moves;
      if (still === 0) await this.#patience(deadline, "work to end");
    }
  }

  async #mark(deadline: number): Promise<void> {
    this.#isDirty = false;
    this.#marker += 1;
    const marker = this.#marker;
    const markers = WATCHED.flatMap((topic) =>
      Array.from({ length: this.#bus.partitionsOf(topic) }, (_, partition) => ({
        topic,
        key: `${MARKER}${marker}-${partition}`,
        value: null,
        partition,
      })),
    );
    await this.#bus.publish(markers);
    const seesAll = (topic: string, seen: Seen): boolean =>
      Array.from({ length: this.#bus.partitionsOf(topic) }).every((_, n) => (seen.get(n) ?? 0) >= marker);
    // The last reader may end while it reads.
    const isRead = (): boolean =>
      (this.#readers === 0 || seesAll(TOPICS.incidents.name, this.#byGroup)) &&
      [...this.#followers.values()].every(({ topic, seen }) => seesAll(topic, seen));
    while (!isRead()) await this.#patience(deadline, "readers");
  }

  async #patience(deadline: number, what: string): Promise<void> {
    if (performance.now() > deadline) throw new Error(`not quiet after ${PATIENCE_MS} ms: waiting for ${what}`);
    await sleep(1);
  }

  async #follow(options: FollowOptions): Promise<Follower> {
    const seen: Seen = new Map();
    const id = {};
    const isWatched = WATCHED.some((topic) => topic === options.topic);
    if (isWatched) this.#followers.set(id, { topic: options.topic, seen });
    const follower = await this.#bus.follow({
      ...options,
      handle: async (batch) => {
        await options.handle(batch);
        note(seen, batch.partition, batch.messages);
        this.#moves += 1;
      },
    });
    return {
      caughtUp: follower.caughtUp,
      ended: follower.ended,
      close: () => {
        this.#followers.delete(id);
        return follower.close();
      },
    };
  }

  async #consume(
    options: Parameters<Bus["consume"]>[0],
    guarded: <T>(work: () => Promise<T>) => Promise<T>,
  ): Promise<Reader> {
    const reader = await this.#bus.consume({
      ...options,
      open: async (assignment: Assignment): Promise<PartitionTask> => {
        const own = {
          ...copyOf(assignment),
          commit: (commit: Parameters<Assignment["commit"]>[0]) => guarded(() => assignment.commit(commit)),
        };
        const task = await options.open(own);
        return {
          handle: async (batch) => {
            await task.handle(batch);
            note(this.#byGroup, batch.partition, batch.messages);
            this.#moves += 1;
          },
          close: async () => task.close?.(),
        };
      },
    });
    this.#readers += 1;
    this.#isDirty = true;
    return {
      ended: reader.ended,
      close: () => {
        this.#readers -= 1;
        this.#isDirty = true;
        return reader.close();
      },
    };
  }
}

function copyOf({ topic, partition, position, state, damaged, lost, readThrough }: Assignment) {
  return { topic, partition, position, state, damaged, lost, readThrough };
}

function note(seen: Seen, partition: number, messages: readonly { readonly key: string }[]): void {
  for (const { key } of messages) {
    if (key.startsWith(MARKER))
      seen.set(partition, Math.max(seen.get(partition) ?? 0, Number.parseInt(key.slice(MARKER.length), 10)));
  }
}
