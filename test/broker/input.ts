/** Topics that forwarders write to, read by ingest: good and bad records, and a place that is kept. */
import { openKafkaBus } from "@culprit/bus";
import { expect } from "vitest";
import { equation, eventXml, type Running, run, winlogbeat } from "../../services/ingest/src/test-kit.ts";
import { brokerTest } from "../broker.ts";

let made = 0;

/** Defines the tests; `address` tells where the broker is once they run. */
export function inputTests(address: () => string): void {
  brokerTest(
    "B39 null values, garbage and records of 50 MB are dead letters, the records around them events, and each is taken once",
    { timeout: 120_000 },
    async () => {
      made += 1;
      const prefix = `input${process.pid}-${made}.`;
      const brokers = [address()];
      await using forwarder = await openKafkaBus({
        brokers,
        prefix,
        topics: [{ name: "winlogs", retention: { kind: "time", retentionMs: 86_400_000 } }],
        partitions: (topic) => (topic === "winlogs" ? 2 : 1),
        create: { replicationFactor: 1 },
        messageMaxBytes: 64 * 1024 * 1024,
      });
      const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
      const send = (...values: readonly (string | Uint8Array | null)[]): Promise<void> =>
        forwarder.publish(
          values.map((value, n) => ({
            topic: "winlogs",
            key: `host${n}`,
            value: typeof value === "string" ? bytes(value) : value,
          })),
        );
      const config = {
        kafka: [{ brokers, topics: [`${prefix}winlogs`], group: `${prefix}ingest`, fromBeginning: true }],
      };

      await send(winlogbeat(1), null, eventXml(2), Uint8Array.of(0xff, 0xfe, 0x00), winlogbeat(3));
      await send(winlogbeat(4, { message: "m".repeat(50_000_000) }), winlogbeat(5));
      const ids = async (running: Running): Promise<(string | undefined)[]> =>
        (await running.events()).map(({ event }) => event.recordId).sort();
      {
        await using running = await run({ config });
        await expect.poll(() => equation(running), { timeout: 60_000 }).toMatchObject({ events: 4, deadLetters: 3 });
        expect(await ids(running)).toEqual(["1", "2", "3", "5"]);
        const letters = await running.letters();
        expect(letters.map(({ reason }) => reason).sort()).toEqual([
          "format.unknown",
          "kafka.no-value",
          "record.too-long",
        ]);
        expect(letters.map(({ source }) => source?.["remote"]?.replace(/\d$/, "n"))).toEqual(
          Array(3).fill(`${prefix}winlogs/n`),
        );
        expect(running.service.health().state).toBe("ok");
      }
      // What was taken is not read again, and what comes is.
      await send(winlogbeat(6));
      await using later = await run({ config });
      await expect.poll(() => ids(later), { timeout: 60_000 }).toEqual(["6"]);
    },
  );

  brokerTest("a topic that cannot be reached is told, and the other receivers go on", { timeout: 60_000 }, async () => {
    const config = { kafka: [{ brokers: ["127.0.0.1:1"], topics: ["nothing"] }] };
    await using running = await run({ config });
    await expect
      .poll(() => running.service.health().reasons.join(), { timeout: 30_000 })
      .toContain("kafka nothing is not read");
    expect((await fetch(`${running.url}/ingest`, { method: "POST", body: winlogbeat(1) })).status).toBe(200);
  });
}
