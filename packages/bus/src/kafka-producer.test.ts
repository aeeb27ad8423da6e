import fc from "fast-check";
import { expect, test } from "vitest";
import { Producer } from "./kafka-producer.ts";
import type { SizedRecord } from "./kafka-record.ts";
import { type ProduceRequest, type Wire, WireError } from "./kafka-wire.ts";

const soon = (): number => performance.now() + 2_000;
const broken = (kind = "CONNECTION"): WireError => new WireError(kind, "gone", { passing: true });

function record(partition: number, text: string, bytes = text.length): SizedRecord {
  return { topic: "t", partition, key: Buffer.from(""), value: Buffer.from(text), headers: {}, bytes };
}

/** Brokers that keep what they take by sequence number, as real ones do, and fail when told. */
class Brokers {
  leaderOf = (partition: number): string => String(partition % 2);
  /** Decides what becomes of a request: stored and answered, stored with the answer lost, or not stored. */
  fate: (request: ProduceRequest) => "answered" | "answer lost" | "lost" = () => "answered";
  readonly stored = new Map<number, string[]>();
  readonly said: string[] = [];
  readonly requests: ProduceRequest[] = [];
  readonly #next = new Map<number, number>();

  wire(): Wire {
    const partial: Partial<Wire> = {
      leaders: async () => new Map([0, 1, 2, 3].map((partition) => [partition, this.leaderOf(partition)])),
      refresh: async () => {},
      initProducer: async (transactionalId) => ({ transactionalId, producerId: "1", epoch: 0 }),
      addToTransaction: async () => void this.said.push("begin"),
      endTransaction: async (_, outcome) => void this.said.push(outcome),
      produce: async (request) => this.#take(request),
    };
    return partial as Wire;
  }

  #take(request: ProduceRequest): void {
    this.requests.push(request);
    const fate = this.fate(request);
    if (fate === "lost") throw broken();
    for (const { partition, firstSequence, records } of request.batches) {
      if (this.leaderOf(partition) !== request.node) throw broken("NOT_LEADER_FOR_PARTITION");
      const expected = this.#next.get(partition) ?? 0;
      if (firstSequence > expected) throw new Error(`a gap before ${firstSequence} in ${partition}`);
      // A number that is known already is a repeat: it is answered, and not stored again.
      if (firstSequence < expected) continue;
      const texts = records.map(({ value }) => value?.toString() ?? "");
      this.stored.set(partition, [...(this.stored.get(partition) ?? []), ...texts]);
      this.#next.set(partition, expected + records.length);
    }
    if (fate === "answer lost") throw broken();
  }
}

function openProducer(brokers: Brokers, transactionalId?: string): Promise<Producer> {
  const options = { transactionTimeoutMs: 1_000, deadline: soon() };
  return Producer.open(brokers.wire(), transactionalId === undefined ? options : { ...options, transactionalId });
}

test("F1 whatever requests and answers get lost, each record is stored once and in order", async () => {
  const fates = fc.array(fc.constantFrom("answered", "answer lost", "lost"), { maxLength: 12 });
  const sends = fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fates, sends, async (script, batches) => {
      const brokers = new Brokers();
      brokers.fate = () => script.shift() ?? "answered";
      const producer = await openProducer(brokers);
      const expected = new Map<number, string[]>();
      let n = 0;
      for (const partitions of batches) {
        const records = partitions.map((partition) => {
          n += 1;
          expected.set(partition, [...(expected.get(partition) ?? []), String(n)]);
          return record(partition, String(n));
        });
        await producer.send(records, soon());
      }
      expect(brokers.stored).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test("a leader that changes between two brokers' answers loses nothing", async () => {
  const brokers = new Brokers();
  brokers.fate = ({ node }) => {
    if (node !== "0" || brokers.requests.length > 2) return "answered";
    brokers.leaderOf = () => "1";
    return "lost";
  };
  const producer = await openProducer(brokers);
  await producer.send([record(0, "a"), record(1, "b")], soon());
  expect(brokers.stored).toEqual(
    new Map([
      [1, ["b"]],
      [0, ["a"]],
    ]),
  );
});

test("after a write whose outcome nobody knows the producer is not used again", async () => {
  const brokers = new Brokers();
  brokers.fate = () => "lost";
  const producer = await openProducer(brokers);
  await expect(producer.send([record(0, "a")], performance.now() + 30)).rejects.toMatchObject({ kind: "CONNECTION" });
  brokers.fate = () => "answered";
  expect(producer.usable).toBe(false);
  await expect(producer.send([record(0, "b")], soon())).rejects.toMatchObject({ kind: "UNUSABLE" });
  expect(brokers.stored.size).toBe(0);
});

test("a transaction begins before its records and is committed after the last", async () => {
  const brokers = new Brokers();
  const producer = await openProducer(brokers, "group.t.0");
  brokers.fate = () => {
    brokers.said.push("records");
    return "answered";
  };
  await producer.transact([record(0, "a"), record(2, "b")], soon());
  expect(brokers.said).toEqual(["begin", "records", "commit"]);
  expect(brokers.requests[0]?.identity.transactionalId).toBe("group.t.0");
});

test("a transaction whose records cannot be stored is never committed", async () => {
  const brokers = new Brokers();
  const producer = await openProducer(brokers, "x");
  brokers.fate = () => "lost";
  await expect(producer.transact([record(0, "a")], performance.now() + 30)).rejects.toThrow();
  expect(brokers.said).toEqual(["begin"]);
});

test("P7 large records go out in requests and batches of bounded size, in order", async () => {
  const brokers = new Brokers();
  const producer = await openProducer(brokers);
  const size = 400 * 1024;
  const records = Array.from({ length: 60 }, (_, n) => record(n % 4, String(n), size));
  await producer.send([...records, record(0, "huge", 12 * 1024 * 1024)], soon());
  for (const { batches } of brokers.requests) {
    const bytes = batches.flatMap((batch) => (batch.records as SizedRecord[]).map((one) => one.bytes));
    expect(bytes.length === 1 || bytes.reduce((sum, each) => sum + each, 0) <= 8 * 1024 * 1024).toBe(true);
  }
  expect(brokers.stored.get(0)?.at(-1)).toBe("huge");
  expect([...brokers.stored.values()].flat()).toHaveLength(61);
});
