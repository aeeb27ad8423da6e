import { expect, test } from "vitest";
import { senderOn } from "./kafka-sender.ts";
import { type ProduceRequest, type Wire, WireError } from "./kafka-wire.ts";

const message = { topic: "pages", key: "k", value: Buffer.from("text"), headers: { ce_id: "1" } };

function open(produce: (request: ProduceRequest) => Promise<void>, leaders: () => Map<number, string>) {
  const wire: Partial<Wire> = {
    leaders: async () => leaders(),
    refresh: async () => {},
    initProducer: async () => ({ transactionalId: undefined, producerId: "1", epoch: 0 }),
    produce,
    close: async () => {},
  };
  return senderOn(wire as Wire, { timeoutMs: 200, partitionOf: (_, partitions) => partitions - 1 });
}
const three = (): Map<number, string> => new Map([0, 1, 2].map((n) => [n, "1"]));

test("a key stays in its partition while the leader of the last one is away", async () => {
  const used: number[] = [];
  let led = three();
  const sender = open(
    async ({ batches }) => void used.push(...batches.map(({ partition }) => partition)),
    () => led,
  );
  await sender.send(message);
  led = new Map([
    [0, "1"],
    [1, "1"],
  ]);
  await expect(sender.send(message)).rejects.toMatchObject({ code: "bus.unavailable", retriable: true });
  led = three();
  await sender.send(message);
  expect(used).toEqual([2, 2]);
  await sender.close();
});

test.each([
  ["UNKNOWN_TOPIC_OR_PARTITION", true, "bus.unknown-topic", false],
  ["TOPIC_AUTHORIZATION_FAILED", false, "bus.refused", false],
  ["KafkaJSSASLAuthenticationError", false, "bus.refused", false],
  ["MESSAGE_TOO_LARGE", false, "bus.too-large", false],
  ["NOT_ENOUGH_REPLICAS", true, "bus.unavailable", true],
] as const)("%s is told as %s", async (kind, passing, code, retriable) => {
  const refuse = (): never => {
    throw new WireError(kind, "no", { passing });
  };
  const sender = open(async () => refuse(), three);
  await expect(sender.send(message)).rejects.toMatchObject({ code, retriable });
});
