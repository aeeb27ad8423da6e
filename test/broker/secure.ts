/** A broker that asks for TLS and a user. */
import { readFileSync, writeFileSync } from "node:fs";
import { openKafkaBus } from "@culprit/bus";
import type { TopicSpec } from "@culprit/model";
import { expect, test } from "vitest";
import { hasOpenssl, type Pki } from "../../services/ingest/src/testing/pki.ts";
import { type Broker, canBroker } from "../broker.ts";
import { BROKER_USER } from "./jar-broker.ts";

const NOTES: readonly TopicSpec[] = [{ name: "notes", retention: { kind: "time", retentionMs: 86_400_000 } }];

/** Key and certificate in one file, as Kafka takes them; answers with its path. */
export function writeKeystore({ tls }: Pki): string {
  const path = `${tls.certificatePath}.keystore`;
  writeFileSync(path, `${readFileSync(tls.keyPath, "utf8")}${readFileSync(tls.certificatePath, "utf8")}`);
  return path;
}

/** Defines the tests; `broker` and `keys` give the broker and its certificate once they run. */
export function secureTests(broker: () => Broker, keys: () => Pki | undefined): void {
  if (canBroker && !hasOpenssl) console.log("left out: a broker over TLS (no openssl)");
  const open = (sasl: { mechanism: "plain" | "scram-sha-512"; password?: string }) =>
    openKafkaBus({
      brokers: [broker().secureAddress ?? ""],
      prefix: `secure${process.pid}.`,
      topics: NOTES,
      tls: { ca: readFileSync(keys()?.tls.certificatePath ?? "", "utf8") },
      sasl: { ...BROKER_USER, ...sasl },
      create: { replicationFactor: 1 },
    });

  test.runIf(canBroker && hasOpenssl)(
    "records go and come over TLS as a user of PLAIN and of SCRAM; a wrong password is refused in words",
    async () => {
      for (const mechanism of ["plain", "scram-sha-512"] as const) {
        await using bus = await open({ mechanism });
        await bus.publish([{ topic: "notes", key: "k", value: mechanism }]);
        const seen: unknown[] = [];
        const follower = await bus.follow({
          topic: "notes",
          handle: ({ messages }) => void seen.push(...messages.map(({ value }) => value)),
        });
        await follower.caughtUp;
        expect(seen).toContain(mechanism);

        await expect(open({ mechanism, password: "wrong" })).rejects.toMatchObject({
          code: "bus.unavailable",
          message: expect.stringMatching(/authentication/i),
        });
      }
    },
  );
}
