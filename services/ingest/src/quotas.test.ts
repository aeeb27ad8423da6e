import { createMetrics, settableClock } from "@culprit/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Quota } from "./config.ts";
import { Quotas } from "./quotas.ts";
import { post, run, sendTcp, sendUdp, snare, winlogbeat } from "./test-kit.ts";

const clockOf = () => settableClock(Date.UTC(2024, 0, 1));
const A = { remote: "10.0.0.1" };

function quotas(quota: Parameters<typeof Quota.parse>[0], clock = clockOf()) {
  return { clock, limit: new Quotas({ quota: Quota.parse(quota), tokens: [], clock, metrics: createMetrics() }) };
}

test("in the long run no sender sends more than its rate and one burst", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ pauseMs: fc.nat({ max: 5_000 }), bytes: fc.nat({ max: 3_000 }) }), { maxLength: 40 }),
      async (steps) => {
        const { clock, limit } = quotas({ bytesPerSecond: 1_000, burstSeconds: 2 });
        let sent = 0;
        for (const { pauseMs, bytes } of steps) {
          await clock.advance(pauseMs);
          if (limit.waitMs(A) > 0) continue;
          limit.charge(A, { bytes });
          sent += bytes;
        }
        expect(sent).toBeLessThanOrEqual(clock.elapsed() + 2_000 + 3_000);
      },
    ),
  );
});

test("whoever waits as long as it is told may send", async () => {
  const { clock, limit } = quotas({ recordsPerSecond: 3, burstSeconds: 1 });
  for (let n = 0; n < 20; n += 1) {
    limit.charge(A, { records: 7 });
    await clock.advance(limit.waitMs(A));
    expect(limit.waitMs(A)).toBe(0);
  }
});

test("a request above the whole burst passes once, and what is given back is not owed", async () => {
  const { clock, limit } = quotas({ bytesPerSecond: 10, burstSeconds: 1 });
  expect(limit.waitMs(A)).toBe(0);
  limit.charge(A, { bytes: 1_000 });
  expect(limit.waitMs(A)).toBe(99_001);
  limit.charge(A, { bytes: -1_000 });
  expect(limit.waitMs(A)).toBe(0);
  await clock.advance(1);
});

test("F23 a sender above its quota is told 429 with a time to wait for the whole request; others are not", async () => {
  const clock = clockOf();
  const quota = { recordsPerSecond: 1, burstSeconds: 5 };
  const tokens = [
    { name: "flood", token: "hush-1", quota },
    { name: "other", token: "hush-2" },
  ];
  await using running = await run({ clock, config: { tokens } });
  const records = Array.from({ length: 15 }, (_, n) => winlogbeat(n)).join("\n");
  const from = (token: string, path = "/ingest") =>
    post(`${running.url}${path}`, records, { authorization: `Bearer ${token}` });
  expect((await from("hush-1")).status).toBe(200);
  for (const [path, words] of [
    ["/ingest", { error: "this sender's quota is used up; try again later" }],
    ["/_bulk", { status: 429, error: { type: "es_rejected_execution_exception" } }],
    ["/services/collector", { text: "Server is busy", code: 9 }],
    ["/v1/logs", {}],
  ] as const) {
    const refused = await from("hush-1", path);
    expect([path, refused.status, refused.headers.get("retry-after")]).toEqual([path, 429, "11"]);
    expect(refused.body).toMatchObject(words);
  }
  expect((await from("hush-2")).status).toBe(200);
  expect(await running.metrics.valueOf("ingest_requests_refused_total", { reason: "over-quota" })).toBe(4);
  await clock.advance(11_000);
  expect((await from("hush-1")).body).toMatchObject({ duplicates: 15 });
});

test("a request that could not be stored is not charged for", async () => {
  const config = { quota: { bytesPerSecond: 10, burstSeconds: 1 } };
  await using running = await run({ clock: clockOf(), config, bus: { sizeMaxBytes: 1_000, reserveBytes: 1_000 } });
  for (let n = 0; n < 2; n += 1) expect((await post(`${running.url}/ingest`, winlogbeat(1))).status).toBe(503);
});

test("over TCP a sender above its quota is held back and loses nothing; over UDP what is above is dropped", async () => {
  const clock = clockOf();
  const config = { quota: { recordsPerSecond: 1, burstSeconds: 5 }, syslog: { tcp: { port: 0 }, udp: { port: 0 } } };
  await using running = await run({ clock, config });
  // The last message is complete at the end of the connection only: the others are stored, and counted, before it.
  const sent = sendTcp(running, "syslog-tcp", Array.from({ length: 10 }, (_, n) => `${snare(n)}\n`).join(""));
  await expect.poll(() => running.metrics.valueOf("ingest_quotas_exceeded_total")).toBeGreaterThan(0);
  await sendUdp(running, "syslog-udp", [snare(20)]);
  const dropped = () => running.metrics.valueOf("ingest_records_dropped_total", { reason: "over-quota" });
  await expect.poll(dropped).toBe(1);
  expect((await running.events()).length).toBeLessThan(10);
  await clock.advance(10_000);
  await sent;
  expect(await running.events()).toHaveLength(10);
});
