import type { ForeignMessage, KafkaSenderOptions } from "@culprit/bus";
import { Fault } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { kafkaKind } from "./kafka.ts";
import { Driver, wholeStory } from "./test-kit.ts";

function open(more: Record<string, unknown> = {}) {
  const sent: ForeignMessage[] = [];
  let opened: KafkaSenderOptions | undefined;
  const broker = { answer: async (): Promise<void> => undefined };
  const kind = kafkaKind((options) => {
    opened = options;
    return {
      send: async (message) => {
        await broker.answer();
        sent.push(message);
      },
      close: async () => undefined,
    };
  });
  const driver = new Driver(kind, { brokers: ["kafka.corp:9092"], topic: "culprit-incidents", ...more });
  return { driver, sent, broker, options: () => opened };
}

test("each change is a CloudEvent under the page's key, with the incident of the contract", async () => {
  const { driver, sent } = open();
  expect(await wholeStory(driver)).toEqual(["ok", "ok", "ok"]);
  const { id } = fixture("cluster-hang-9e");
  expect(sent.map(({ topic, key }) => [topic, key])).toEqual(Array(3).fill(["culprit-incidents", id]));
  expect(sent.map(({ headers }) => headers["ce_type"])).toEqual([
    "culprit.incident.trigger",
    "culprit.incident.update",
    "culprit.incident.resolve",
  ]);
  expect(sent[0]?.headers).toMatchObject({
    ce_specversion: "1.0",
    ce_source: "/culprit",
    ce_time: "2026-03-17T02:05:00.000Z",
    ce_subject: id,
    "content-type": "application/json",
  });
  expect(new Set(sent.map(({ headers }) => headers["ce_id"])).size).toBe(3);
  const value = JSON.parse(Buffer.from(sent[0]?.value ?? []).toString("utf8"));
  expect(value).toMatchObject({ key: id, incident: { id, playbook: "cluster-hang-9e" } });
});

test("a repeat of one message has its id again", async () => {
  const { driver, sent } = open();
  await driver.send("trigger");
  await driver.send("trigger");
  expect(new Set(sent.map(({ headers }) => headers["ce_id"])).size).toBe(1);
});

test.each([
  ["bus.unknown-topic", "auth"],
  ["bus.refused", "auth"],
  ["bus.too-large", "never"],
  ["bus.unavailable", "later"],
] as const)("%s is %s", async (code, result) => {
  const { driver, broker } = open();
  broker.answer = () => Promise.reject(new Fault(code, "no"));
  expect(await driver.send("trigger")).toMatchObject({ result });
});

test("B54 the password goes to the brokers, and the headers stay ASCII whatever an event says", async () => {
  const sasl = { mechanism: "scram-sha-512", username: "us", password: "secret" };
  const { driver, sent, options } = open({ sasl, tls: {} });
  expect(options()).toMatchObject({ tls: true, sasl: { password: "secret" } });
  await driver.send("trigger", { incident: oversized() });
  for (const text of Object.values(sent[0]?.headers ?? {})) expect(text).toMatch(/^[\x20-\x7e]+$/);
});

test("B44 the brokers' addresses are judged, those they name later among them", async () => {
  const { options } = open();
  expect(() => options()?.guard?.check("10.0.0.7")).toThrow("may not be used");
  expect(() => options()?.guard?.check("fd00::7")).toThrow("may not be used");
  options()?.guard?.check("kafka.corp");
});
