/** The part of a config that says where a Kafka is and how to be let in; the same wherever one is named. */
import { z } from "zod";
import { secretText } from "./secret.ts";

const ADDRESS = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\]):\d{1,5}$/;
const Pem = z.string().max(100_000);

/** `host:port` of a broker; an IPv6 address in brackets. */
export const KafkaBroker = z.string().regex(ADDRESS, "expected host:port");

/** Encryption and login, as keys of a section; spread them into its schema. */
export const KAFKA_ACCESS = {
  /** Given, even empty, connections are encrypted; `caFile`, `certFile` and `keyFile` name PEM files. */
  tls: z.exactOptional(
    z.strictObject({
      ca: z.exactOptional(Pem),
      cert: z.exactOptional(Pem),
      key: z.exactOptional(secretText),
      serverName: z.exactOptional(z.string().max(253)),
    }),
  ),
  sasl: z.exactOptional(
    z.strictObject({
      mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
      username: z.string().min(1).max(255),
      password: secretText,
    }),
  ),
} as const;

const Access = z.object(KAFKA_ACCESS);

/** The keys as the bus takes them, their secrets revealed. */
export function kafkaAccess({ tls, sasl }: z.output<typeof Access>) {
  const { key, ...names } = tls ?? {};
  const encrypted = { ...names, ...(key === undefined ? {} : { key: key.reveal() }) };
  return {
    ...(tls === undefined ? {} : { tls: Object.keys(encrypted).length === 0 ? (true as const) : encrypted }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl, password: sasl.password.reveal() } }),
  };
}
