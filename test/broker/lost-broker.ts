/** A broker that dies under a sender. */
import { Arrival, TOPICS } from "@culprit/model";
import { expect } from "vitest";
import { type Broker, brokerTest } from "../broker.ts";
import { openCluster, sendDocuments } from "./cluster.ts";

/** The config's `sendTimeoutMs`, and what a loaded machine adds. */
const ANSWER_MAX_MS = 4_000 + 6_000;
const DOWN_MS = 3_000;

function numbered(n: number): object {
  const at = new Date(Date.now()).toISOString();
  return {
    "@timestamp": at,
    event: { code: "7036", kind: "event", provider: "Service Control Manager", created: at },
    host: { name: `host${n % 5}.contoso.example` },
    log: { level: "information" },
    message: `number ${n}`,
    winlog: {
      channel: "System",
      computer_name: `host${n % 5}.contoso.example`,
      event_id: "7036",
      provider_name: "Service Control Manager",
      record_id: n,
      event_data: { param1: `number ${n}` },
    },
  };
}

/** Defines the tests; `broker` gives the broker once they run. It is killed and started again. */
export function lostBrokerTests(broker: () => Broker): void {
  brokerTest(
    "F1 the broker is killed while sending: 503 in time, and everything that was accepted is there afterwards",
    {
      timeout: 240_000,
    },
    async () => {
      await using cluster = await openCluster(broker().address);
      const ingest = await cluster.start("ingest");
      const accepted: number[] = [];
      const refusals: number[] = [];
      let slowest = 0;
      let next = 0;
      const sendUntil = async (done: () => boolean): Promise<void> => {
        while (!done()) {
          const n = next;
          next += 1;
          const began = performance.now();
          const status = await sendDocuments(ingest.url, [numbered(n)]);
          slowest = Math.max(slowest, performance.now() - began);
          if (status === 200) accepted.push(n);
          else refusals.push(status);
        }
      };
      await sendUntil(() => accepted.length >= 50);
      const sending = sendUntil(() => refusals.length >= 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await broker().kill();
      await sending;
      await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
      await broker().restart();
      const before = accepted.length;
      await sendUntil(() => accepted.length >= before + 50);

      expect(new Set(refusals)).toEqual(new Set([503]));
      expect(slowest).toBeLessThan(ANSWER_MAX_MS);
      const stored = (await cluster.read(TOPICS.events.name)).flatMap(({ value }) => {
        const arrival = Arrival.safeParse(value);
        return arrival.success && arrival.data.kind === "event" ? [Number(arrival.data.event.recordId)] : [];
      });
      const copies = Map.groupBy(stored, (n) => n);
      // Each was sent once: more than one copy would be a repeat of ours, less than one a loss.
      expect(accepted.filter((n) => copies.get(n)?.length !== 1)).toEqual([]);
      expect(await ingest.end("SIGTERM")).toBe(0);
    },
  );
}
