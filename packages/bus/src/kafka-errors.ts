/**
 * The client library's errors in the words of the protocol: what a broker said, or that none did, and whether it may pass.
 * They are told apart by name, as the library sets it.
 */
import { Fault } from "@culprit/model";
import { CONNECTION, WireError } from "./kafka-wire.ts";

/** Errors of kafkajs that mean that a broker was not there, went away, or is not known yet. */
const CONNECTION_ERRORS = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
  "KafkaJSMetadataNotLoaded",
  "KafkaJSTopicMetadataNotLoaded",
  "KafkaJSGroupCoordinatorNotFound",
  "KafkaJSLockTimeout",
]);

/** Protocol errors that pass although kafkajs does not say so. */
const PASSING = new Set([
  "NOT_COORDINATOR_FOR_GROUP",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
  "CONCURRENT_TRANSACTIONS",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

/** Protocol errors that are newer than kafkajs. Source: Kafka, Errors. */
const NEWER_ERRORS: Readonly<Record<string, string>> = { "90": "PRODUCER_FENCED" };

/** Does work with the library; what it throws comes out as a `WireError`. */
export async function inWireTerms<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw wireErrorOf(error);
  }
}

function wireErrorOf(error: unknown): unknown {
  if (error instanceof WireError || error instanceof Fault || !(error instanceof Error)) return error;
  // "Retries exceeded" and its like are wrappers: what they wrap says what is wrong.
  if (error.name === "KafkaJSNumberOfRetriesExceeded" || error.name === "KafkaJSNonRetriableError") {
    return error.cause instanceof Error ? wireErrorOf(error.cause) : wireError(CONNECTION, error, true);
  }
  if (CONNECTION_ERRORS.has(error.name)) return wireError(CONNECTION, error, true);
  if (!("type" in error) || typeof error.type !== "string") {
    return wireError(error.name, error, "code" in error && typeof error.code === "string");
  }
  const code = /^Unknown error code (\d+)/.exec(error.message)?.[1];
  const kind = (code === undefined ? undefined : NEWER_ERRORS[code]) ?? error.type;
  const retriable = "retriable" in error && error.retriable === true;
  return wireError(kind, error, retriable || PASSING.has(kind));
}

function wireError(kind: string, error: Error, passing: boolean): WireError {
  const partition = "partition" in error && typeof error.partition === "number" ? error.partition : undefined;
  return new WireError(kind, error.message, { passing, partition, cause: error });
}
