/** A broker that stands still, or dies, under a sender. */
import { expect } from "vitest";
import { type Broker, brokerTest } from "../broker.ts";
import { openCluster } from "./cluster.ts";
import { NumberedSender } from "./numbered-sender.ts";

/** The config's `sendTimeoutMs`, and what a loaded machine adds. */
const ANSWER_MAX_MS = 4_000 + 6_000;
const DOWN_MS = 3_000;

/** Defines the tests; `broker` gives the broker once they run. It is stopped, killed and started again. */
export function lostBrokerTests(broker: () => Broker): void {
  brokerTest(
    "F1 F2 the broker stands still, then is killed, while sending: 503 in time, and what was accepted is there once",
    { timeout: 240_000 },
    async () => {
      await using cluster = await openCluster(broker().address);
      const ingest = await cluster.start("ingest");
      const sender = new NumberedSender(ingest);
      await sender.sendAccepted(50);

      broker().signal("SIGSTOP");
      await sender.sendRefused();
      broker().signal("SIGCONT");
      await sender.sendAccepted(50);

      const sending = sender.sendRefused();
      await new Promise((resolve) => setTimeout(resolve, 200));
      await broker().kill();
      await sending;
      await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
      await broker().restart();
      await sender.sendAccepted(50);

      expect(new Set(sender.refusals)).toEqual(new Set([503]));
      expect(sender.slowestMs).toBeLessThan(ANSWER_MAX_MS);
      await sender.expectEachOnce(cluster);
      expect(await ingest.end("SIGTERM")).toBe(0);
    },
  );
}
