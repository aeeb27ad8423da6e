/**
 * A topic of one's own Kafka: each change of an incident as a CloudEvent in binary mode, keyed by the page's key, so that a
 * compacted topic keeps how things stand and any other the whole story. A repeat after a lost answer carries the same
 * `ce_id`.
 *
 * Source: CloudEvents 1.0.2, Kafka protocol binding 1.0.2 (`ce_` headers, `content-type`), partitioning extension.
 */
import { isIP } from "node:net";
import { type KafkaSender, type KafkaSenderOptions, openKafkaSender } from "@culprit/bus";
import { contentId, Fault, isoOf } from "@culprit/model";
import { KAFKA_ACCESS, KafkaBroker, kafkaAccess } from "@culprit/runtime";
import { z } from "zod";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { incidentData } from "./incident-data.ts";

const SEND_TIMEOUT_MS = 10_000;
const KafkaOptions = z.strictObject({
  /** `host:port` of brokers to begin with; the others are learnt from them. */
  brokers: z.array(KafkaBroker).min(1).max(20),
  topic: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, "expected the name of a topic"),
  clientId: z.string().min(1).max(200).default("culprit-notify"),
  ...KAFKA_ACCESS,
  compression: z.enum(["none", "gzip", "zstd"]).default("none"),
  /** Who speaks: a URI reference, the same for all of one's messages. */
  source: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "expected a URI without spaces")
    .default("/culprit"),
});
type KafkaOptions = z.output<typeof KafkaOptions>;

/**
 * The kind, given how to open a sender.
 * @internal
 */
export function kafkaKind(openSender: (options: KafkaSenderOptions) => KafkaSender) {
  return notifierKind({
    kind: "kafka",
    isRecord: true,
    options: KafkaOptions,
    open: (options, { guard }) => {
      const check = (host: string): void => void guard.check(`https://${isIP(host) === 6 ? `[${host}]` : host}/`);
      const sender = openSender({ ...senderOptions(options), guard: { check, lookup: guard.lookup } });
      return {
        async send(notification) {
          const { key } = notification;
          const value = Buffer.from(JSON.stringify(incidentData(notification)), "utf8");
          const headers = cloudEventHeaders(notification, options.source);
          try {
            await sender.send({ topic: options.topic, key, value, headers });
            return { result: "ok", certainty: "delivered" };
          } catch (fault) {
            return resultOfSend(fault);
          }
        },
        close: () => sender.close(),
      };
    },
  });
}

export const kafka = kafkaKind(openKafkaSender);

function senderOptions(options: KafkaOptions): KafkaSenderOptions {
  const { brokers, clientId, compression } = options;
  return { brokers, clientId, compression, sendTimeoutMs: SEND_TIMEOUT_MS, ...kafkaAccess(options) };
}

function cloudEventHeaders(notification: Notification, source: string): Readonly<Record<string, string>> {
  const { key, action, reason, incident, at, since } = notification;
  return {
    "content-type": "application/json",
    ce_specversion: "1.0",
    ce_id: contentId("cloudevent", key, action, reason, String(since)),
    ce_source: source,
    ce_type: `culprit.incident.${action}`,
    ce_time: isoOf(at),
    ce_subject: incident.id,
    ce_partitionkey: key,
  };
}

/** A topic that is missing, a login or a right is for a person; a message that is too large will not become smaller. */
function resultOfSend(fault: unknown): SendResult {
  const detail = fault instanceof Error ? fault.message : String(fault);
  const code = fault instanceof Fault ? fault.code : "";
  if (code === "bus.unknown-topic" || code === "bus.refused") return { result: "auth", detail };
  if (code === "bus.too-large") return { result: "never", detail };
  return { result: "later", detail, uncertain: true };
}
