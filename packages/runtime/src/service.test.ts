import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";
import { HEALTHY, type Health, joinServices, probeAnswer, type Service } from "./service.ts";

function part(name: string, order: string[], health: Health = HEALTHY): Service {
  return {
    ready: Promise.resolve(),
    health: () => health,
    async stop() {
      order.push(name);
      if (name === "bad") throw new Error("cannot stop");
    },
  };
}

test("joined services stop once, in reverse order, the rest even where one cannot", async () => {
  const order: string[] = [];
  const joined = joinServices(["a", "bad", "c"].map((name) => part(name, order)));
  await joined.ready;
  await expect(Promise.all([joined.stop(), joined.stop()])).rejects.toThrow("cannot stop");
  expect(order).toEqual(["c", "bad", "a"]);
});

test("the health of joined services is the worst, with every reason", () => {
  const degraded: Health = { state: "degraded", reasons: ["slow disk"] };
  const failed: Health = { state: "failed", reasons: ["no bus"] };
  const joined = (...healths: Health[]) => joinServices(healths.map((health) => part("x", [], health))).health();
  expect(joined(HEALTHY, degraded)).toEqual(degraded);
  expect(joined(degraded, HEALTHY, failed)).toEqual({ state: "failed", reasons: ["slow disk", "no bus"] });
});

test("joined services fail when one of them does", async () => {
  const joined = joinServices([part("a", []), { ...part("b", []), failed: Promise.resolve("why") }]);
  expect(await joined.failed).toBe("why");
});

test.each([
  ["starting", 200, 503],
  ["ok", 200, 200],
  ["degraded", 200, 200],
  ["stopping", 200, 503],
  ["failed", 503, 503],
] as const)("a service that is %s answers %i to livez and %i to readyz", async (state, live, ready) => {
  const sources = { metrics: createMetrics(), health: (): Health => ({ state, reasons: [] }) };
  expect((await probeAnswer("/livez", sources))?.status).toBe(live);
  expect((await probeAnswer("/readyz", sources))?.status).toBe(ready);
  expect(await probeAnswer("/other", sources)).toBeUndefined();
});

test("metrics are served as text, counted, labelled and read from their sources at the scrape", async () => {
  const metrics = createMetrics();
  metrics.counter("records_accepted_total", "Records taken in", ["receiver"]).add(3, { receiver: "hec" });
  metrics.counter("records_accepted_total", "Records taken in", ["receiver"]).add(1, { receiver: "bulk" });
  let stored = 5;
  metrics.observe("bus", "The log", () => ({ stored_batches_total: stored, used_bytes: 10 }));
  const answer = await probeAnswer("/metrics", { metrics, health: () => HEALTHY });
  expect(answer?.body).toContain('culprit_records_accepted_total{receiver="hec"} 3');
  expect(answer?.body).toContain("# TYPE culprit_bus_stored_batches_total counter\nculprit_bus_stored_batches_total 5");
  stored = 7;
  expect(await metrics.valueOf("bus_stored_batches_total")).toBe(7);
  expect(await metrics.valueOf("records_accepted_total")).toBe(4);
  expect(await metrics.valueOf("records_accepted_total", { receiver: "hec" })).toBe(3);
});
