import { checkConfig } from "@culprit/runtime";
import { expect, test } from "vitest";
import { Config } from "./config.ts";
import { kafkaOptions } from "./kafka-config.ts";

function optionsOf(text: string, environment: Record<string, string> = {}) {
  const result = checkConfig({ schema: Config, text, environment });
  if (!result.ok) return result.problems.map(({ path }) => path);
  if (result.value.kafka === undefined) throw new Error("no section");
  return kafkaOptions(result.value.kafka);
}

test("the variable that docker-compose.yml sets is enough", () => {
  const options = optionsOf("", { CULPRIT__KAFKA__BROKERS: "kafka:19092" });
  expect(options).toMatchObject({ brokers: ["kafka:19092"], prefix: "", compression: "zstd" });
});

test("brokers stand in a list or with commas between them", () => {
  expect(optionsOf("kafka: { brokers: 'a:9092, [::1]:9093' }")).toMatchObject({ brokers: ["a:9092", "[::1]:9093"] });
  expect(optionsOf("kafka: { brokers: [a:9092, b:9092] }")).toMatchObject({ brokers: ["a:9092", "b:9092"] });
});

test.each(["brokers: a", "brokers: []", "brokers: ''", "{}", "{ brokers: 'a:1', partitions: { event: 3 } }"])(
  "%s is refused",
  (text) => {
    expect(optionsOf(`kafka: ${text.startsWith("{") ? text : `{ ${text} }`}`)).toHaveLength(1);
  },
);

test("encryption and a password reach the bus, and the password shows nowhere else", () => {
  const text = `kafka:
  brokers: a:9093
  tls: {}
  sasl: { mechanism: scram-sha-512, username: culprit, password: hunter2 }
`;
  const result = checkConfig({ schema: Config, text, environment: {} });
  expect(JSON.stringify(result)).not.toContain("hunter2");
  expect(optionsOf(text)).toMatchObject({ tls: true, sasl: { username: "culprit", password: "hunter2" } });
});

test("each topic has the partitions that the config asks for", () => {
  const options = optionsOf("kafka: { brokers: 'a:1', partitions: { events: 48 } }");
  if (Array.isArray(options) || !("partitions" in options)) throw new Error("refused");
  expect(["events", "signals", "dead-letters", "other"].map((topic) => options.partitions?.(topic))).toEqual([
    48,
    12,
    3,
    undefined,
  ]);
});
