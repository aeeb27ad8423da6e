/** What takes a cluster of three real brokers: one is lost, then the majority, then all come back elsewhere. */
import { TOPICS } from "@culprit/model";
import { afterAll, beforeAll, expect } from "vitest";
import { eventually, openCluster } from "./broker/cluster.ts";
import { NumberedSender } from "./broker/numbered-sender.ts";
import { type Broker, brokerTest, startBrokers } from "./broker.ts";

const STUCK_MS = 30_000;
const PATIENCE_MS = 240_000;

let brokers: readonly Broker[] = [];

beforeAll(async () => {
  brokers = await startBrokers(3);
}, 180_000);
afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()));
}, 60_000);

brokerTest(
  "F3 F4 of three brokers one is lost, then a second, then all come back under each other's addresses: nothing is lost",
  { timeout: 420_000 },
  async () => {
    const [first, second, third] = brokers as readonly [Broker, Broker, Broker];
    await using cluster = await openCluster(brokers.map(({ address }) => address).join(), { stuckMs: STUCK_MS });
    const ingest = await cluster.start("ingest");
    let correlate = await cluster.start("correlate");
    const sender = new NumberedSender(ingest);
    await sender.sendAccepted(50);

    // Others lead what it led.
    await first.kill();
    await sender.sendAccepted(50);
    // Fewer copies than asked for are no success, not even of one.
    await second.kill();
    await sender.sendRefused();
    expect(new Set(sender.refusals)).toEqual(new Set([503]));

    await third.kill();
    const ports = brokers.map(({ address }) => Number(address.split(":")[1]));
    await Promise.all(brokers.map((broker, n) => broker.restart(ports[(n + 1) % ports.length])));
    await sender.sendAccepted(50);
    await eventually(async () => {
      // Whoever does not find its way back ends itself, and is started again as a supervisor would.
      if (correlate.hasEnded) correlate = await cluster.start("correlate");
      const lags = await cluster.bus.progress("match", TOPICS.events.name);
      return lags.every(({ position, end }) => position === end);
    }, PATIENCE_MS);
    await sender.expectEachOnce(cluster);
  },
);
