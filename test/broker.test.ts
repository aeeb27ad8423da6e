/** What needs a real Kafka: one broker for all of it, topics of their own for each test. */
import { afterAll, beforeAll } from "vitest";
import { busContract, CONTRACT_TOPICS, contractPartitions, type Opened } from "../packages/bus/src/bus.contract.ts";
import { openKafkaBus } from "../packages/bus/src/kafka.ts";
import { hasOpenssl, type Pki, pki } from "../services/ingest/src/testing/pki.ts";
import { deliveryContract, deliveryPartitions } from "../services/notify/src/delivery.contract.ts";
import { inputTests } from "./broker/input.ts";
import { lostBrokerTests } from "./broker/lost-broker.ts";
import { outageTests } from "./broker/outage.ts";
import { ownerTests } from "./broker/owners.ts";
import { pageTests } from "./broker/pages.ts";
import { peopleTests } from "./broker/people.ts";
import { scenarioTests } from "./broker/scenarios.ts";
import { secureTests, writeKeystore } from "./broker/secure.ts";
import { topicTests } from "./broker/topics.ts";
import { type Broker, canBroker, startBroker } from "./broker.ts";

let broker: Broker | undefined;
let keys: Pki | undefined;

beforeAll(async () => {
  keys = canBroker && hasOpenssl ? await pki() : undefined;
  broker = await startBroker(keys === undefined ? undefined : writeKeystore(keys));
}, 120_000);
afterAll(async () => {
  await broker?.stop();
  await keys?.[Symbol.asyncDispose]();
}, 60_000);

function theBroker(): Broker {
  if (broker === undefined) throw new Error("no broker has been started");
  return broker;
}

let opened = 0;

async function openForContract(): Promise<Opened> {
  opened += 1;
  const prefix = `contract${opened}.`;
  const open = () =>
    openKafkaBus({
      brokers: [broker?.address ?? ""],
      prefix,
      topics: CONTRACT_TOPICS,
      partitions: contractPartitions,
      create: { replicationFactor: 1 },
      heartbeatMs: 200,
    });
  let bus = await open();
  return {
    bus,
    async reopen() {
      await bus.close();
      bus = await open();
      return bus;
    },
    async [Symbol.asyncDispose]() {
      await bus.close();
    },
  };
}

if (canBroker) busContract("Kafka", openForContract);
if (canBroker) {
  deliveryContract("Kafka", () => {
    opened += 1;
    return openKafkaBus({
      brokers: [broker?.address ?? ""],
      prefix: `delivery${opened}.`,
      partitions: deliveryPartitions,
      create: { replicationFactor: 1 },
      heartbeatMs: 200,
    });
  });
}
const address = (): string => broker?.address ?? "";
topicTests(address);
secureTests(theBroker, () => keys);
inputTests(address);
ownerTests(address);
pageTests(address);
outageTests(address);
peopleTests(address);
scenarioTests(address);
// The last: it kills the broker.
lostBrokerTests(theBroker);
