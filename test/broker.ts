/**
 * A real Kafka for tests: Apache Kafka's own jars under the machine's Java. Where there is none, tests that need a broker are
 * left out and a line says so; with `CI=true` that is an error.
 */
import { test } from "vitest";
import { type Broker, startJarBroker, startJarBrokers } from "./broker/jar-broker.ts";
import { findKafkaJars } from "./broker/kafka-jars.ts";

export type { Broker } from "./broker/jar-broker.ts";

const jars = findKafkaJars();
const missing = "missing" in jars ? jars.missing : undefined;
if (missing !== undefined) {
  if (process.env["CI"] === "true") throw new Error(`tests that need a Kafka broker cannot run here: ${missing}`);
  console.log(`left out: tests that need a Kafka broker (${missing})`);
}

/** Whether there can be a broker here. */
export const canBroker = missing === undefined;

/** A test that runs where a broker can be had. */
export const brokerTest = test.runIf(canBroker);

/** Starts brokers that make one cluster, or none where there cannot be any. */
export async function startBrokers(count: number): Promise<readonly Broker[]> {
  return "missing" in jars ? [] : startJarBrokers(jars, count);
}

/** Starts a broker of one's own, or none where there cannot be one. `keystore`: see `startJarBroker`. */
export async function startBroker(keystore?: string): Promise<Broker | undefined> {
  return "missing" in jars ? undefined : startJarBroker(jars, keystore);
}
