/** Owners of partitions that are killed or stopped where they stand: what readers of committed records see of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Bus, openKafkaBus, type Reader } from "@culprit/bus";
import { expect } from "vitest";
import { brokerTest } from "../broker.ts";
import { eventually } from "./cluster.ts";
import { openCopyTask } from "./copy-task.ts";
import { COPY_TOPICS, copyPartitions } from "./copy-topics.ts";

const WORKER = fileURLToPath(new URL("copy-worker.ts", import.meta.url));
const SESSION_MS = 4_000;
const TIMEOUT_MS = 240_000;
const STORM_ROUNDS = 6;

interface Worker {
  readonly child: ChildProcess;
  /** How many partitions it has opened since it began. */
  opened(): number;
}

interface Copied {
  readonly n: number;
  readonly partition: number;
  readonly count: number;
}

class Copying {
  readonly bus: Bus;
  readonly #start: () => ChildProcess;
  readonly #workers: Worker[] = [];

  private constructor(bus: Bus, start: () => ChildProcess) {
    this.bus = bus;
    this.#start = start;
  }

  static async open(address: string, prefix: string): Promise<Copying> {
    const bus = await openKafkaBus({
      brokers: [address],
      prefix,
      topics: COPY_TOPICS,
      partitions: copyPartitions,
      create: { replicationFactor: 1 },
    });
    const start = () =>
      spawn(process.execPath, [WORKER, address, prefix, String(SESSION_MS)], { stdio: ["ignore", "pipe", "inherit"] });
    return new Copying(bus, start);
  }

  async worker(): Promise<Worker> {
    const child = this.#start();
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    const worker = { child, opened: () => output.split("open ").length - 1 };
    this.#workers.push(worker);
    await eventually(() => output.includes("ready"));
    return worker;
  }

  /** A member of this process. */
  join(): Promise<Reader> {
    return this.bus.consume({ group: "copy", topic: "in", batchMessagesMax: 7, open: openCopyTask });
  }

  /** Numbers from `from` on, spread over many keys. */
  publish(from: number, count: number): Promise<void> {
    return this.bus.publish(
      Array.from({ length: count }, (_, i) => ({ topic: "in", key: `k${(from + i) % 23}`, value: from + i })),
    );
  }

  async committed(): Promise<readonly Copied[]> {
    const seen: Copied[] = [];
    const handle = (batch: { messages: readonly { value: unknown }[] }): void => {
      seen.push(...batch.messages.map(({ value }) => value as Copied));
    };
    const follower = await this.bus.follow({ topic: "out", handle });
    await follower.caughtUp;
    await follower.close();
    return seen;
  }

  /** Every number is there once, and each partition's count rose by one with each: no state was lost or used twice. */
  async expectEachOnce(total: number): Promise<void> {
    await eventually(async () => (await this.committed()).length >= total);
    const copied = await this.committed();
    expect(copied.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n));
    for (let partition = 0; partition < copyPartitions("in"); partition += 1) {
      const counts = copied.filter((one) => one.partition === partition).map(({ count }) => count);
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts.at(-1) ?? 0).toBe(counts.length);
    }
  }

  /** The positions that were ever committed for a partition, in the order of the log. */
  async positions(): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = new Map<string, number[]>();
    const follower = await this.bus.follow({
      topic: "state",
      handle({ messages }) {
        for (const { key, value } of messages) {
          if (typeof value !== "object" || value === null || !("position" in value)) continue;
          found.set(key, [...(found.get(key) ?? []), Number(value.position)]);
        }
      },
    });
    await follower.caughtUp;
    await follower.close();
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#workers) child.kill("SIGKILL");
    await this.bus.close();
  }
}

let made = 0;
const nextPrefix = (): string => {
  made += 1;
  return `copy${process.pid}-${made}.`;
};

/** Defines the tests; `address` tells where the broker is once they run. */
export function ownerTests(address: () => string): void {
  brokerTest(
    "F5 owners killed while they commit: every output is there once, and the next owner goes on with its state",
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      await using copying = await Copying.open(address(), nextPrefix());
      const [first, steady] = await Promise.all([copying.worker(), copying.worker()]);
      let victim = first;
      let published = 0;
      for (let round = 0; round < 3; round += 1) {
        // Work comes in small pieces all the while, so that the kill finds commits at every stage.
        for (let piece = 0; piece < 20; piece += 1) {
          await copying.publish(published, 25);
          published += 25;
          if (piece === 7 + round * 5) victim.child.kill("SIGKILL");
        }
        victim = await copying.worker();
      }
      await copying.expectEachOnce(published);
      expect(steady.child.exitCode).toBeNull();
    },
  );

  brokerTest(
    "F6 an owner stopped for longer than its session says nothing when it goes on, and works again",
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      await using copying = await Copying.open(address(), nextPrefix());
      const [zombie, other] = await Promise.all([copying.worker(), copying.worker()]);
      let published = 0;
      const publishFor = async (pieces: number): Promise<void> => {
        for (let piece = 0; piece < pieces; piece += 1) {
          await copying.publish(published, 25);
          published += 25;
        }
      };
      await publishFor(10);
      const ownedBefore = other.opened();
      const openedBefore = zombie.opened();
      zombie.child.kill("SIGSTOP");
      await publishFor(10);
      // The others wait for no one: what the stopped owner held goes on without it.
      await copying.expectEachOnce(published);
      expect(other.opened()).toBeGreaterThan(ownedBefore);

      zombie.child.kill("SIGCONT");
      await publishFor(10);
      await copying.expectEachOnce(published);
      await eventually(() => zombie.opened() > openedBefore);
      for (const [key, positions] of await copying.positions()) {
        expect(positions, key).toEqual(positions.toSorted((a, b) => a - b));
      }
    },
  );

  brokerTest(
    "F8 members come and go all the time: work goes on, and every output is there once",
    { timeout: TIMEOUT_MS },
    async () => {
      await using copying = await Copying.open(address(), nextPrefix());
      const steady = await copying.worker();
      let published = 0;
      for (let round = 0; round < STORM_ROUNDS; round += 1) {
        const passing = await copying.join();
        await copying.publish(published, 50);
        published += 50;
        await passing.close();
        // The steady one is alone again, or about to be: it has worked all the while.
        await copying.publish(published, 50);
        published += 50;
      }
      await copying.expectEachOnce(published);
      expect(steady.child.exitCode).toBeNull();
    },
  );
}
