/**
 * Messages to topics that are not Culprit's own: no group, no state, no say in how the topic is made. A key goes to the
 * partition to which Java's clients send it, so that it lies beside what others write.
 */
import type { LookupFunction } from "node:net";
import { Fault } from "@culprit/model";
import type { KafkaBusOptions } from "./kafka-options.ts";
import { Publisher } from "./kafka-publisher.ts";
import { type Wire, WireError } from "./kafka-wire.ts";

export interface KafkaSenderOptions
  extends Pick<KafkaBusOptions, "brokers" | "clientId" | "tls" | "sasl" | "compression" | "log"> {
  /** From a send to its answer, at most. */
  readonly sendTimeoutMs: number;
  /** Which addresses may be connected to; any unless given. */
  readonly guard?: ConnectionGuard;
}

/** Judges where a connection goes: brokers name each other, so the first address is not the last. */
export interface ConnectionGuard {
  /** Throws for a host that is written as an address and may not be used. */
  check(host: string): void;
  /** As `dns.lookup`, for hosts that are names. */
  readonly lookup: LookupFunction;
}

export interface ForeignMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KafkaSender {
  /**
   * Resolves once all in-sync replicas have it; a repeat after a lost answer is stored once.
   * Errors: `bus.unavailable` (retriable), `bus.unknown-topic`, `bus.too-large`, `bus.refused` for a login or a right that
   * is missing.
   */
  send(message: ForeignMessage): Promise<void>;
  close(): Promise<void>;
}

/** Errors of the protocol and the library that a person has to put right. */
const REFUSALS = /AUTHORIZATION|AUTHENTICATION|SASL/i;
const RECORD_OVERHEAD_BYTES = 64;
const PENDING_MAX_BYTES = 16 * 1024 * 1024;

/** Makes a sender of a wire. `partitionOf` is given how many partitions the topic has. */
export function senderOn(
  wire: Wire,
  options: {
    readonly timeoutMs: number;
    readonly partitionOf: (key: Buffer, partitions: number) => number;
  },
): KafkaSender {
  const publisher = new Publisher({ wire, timeoutMs: options.timeoutMs, pendingMaxBytes: PENDING_MAX_BYTES });
  const counts = new Map<string, number>();
  /** A partition without a leader is one all the same: keys must not move while a broker is away. */
  const partitionsOf = async (topic: string): Promise<number> => {
    const led = [...(await wire.leaders(topic)).keys()];
    const count = Math.max(counts.get(topic) ?? 1, ...led.map((partition) => partition + 1));
    counts.set(topic, count);
    return count;
  };
  return {
    async send({ topic, key, value, headers }) {
      try {
        const record = {
          topic,
          partition: options.partitionOf(Buffer.from(key), await partitionsOf(topic)),
          key: Buffer.from(key),
          value: Buffer.from(value),
          headers,
          bytes: key.length + value.length + RECORD_OVERHEAD_BYTES,
        };
        await publisher.publish([record]);
      } catch (error) {
        throw sendFault(error, topic);
      }
    },
    async close() {
      await publisher.drained();
      await wire.close();
    },
  };
}

function sendFault(error: unknown, topic: string): Fault {
  const cause = error instanceof Fault ? error.cause : error;
  const fields = { topic };
  if (cause instanceof WireError && cause.kind === "UNKNOWN_TOPIC_OR_PARTITION") {
    return new Fault("bus.unknown-topic", `the brokers have no topic ${topic}`, { cause, fields });
  }
  if (cause instanceof WireError && !cause.passing && REFUSALS.test(cause.kind)) {
    return new Fault("bus.refused", `the brokers do not let us write to ${topic}: ${cause.message}`, { cause, fields });
  }
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new Fault("bus.unavailable", `the brokers did not store it: ${text}`, { retriable: true, cause, fields });
}
