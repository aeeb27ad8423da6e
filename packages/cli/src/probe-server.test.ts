import { createMetrics, type Health } from "@culprit/runtime";
import { expect, test } from "vitest";
import { startProbes } from "./probe-server.ts";

test("probes tell the truth, and nothing else is answered", async () => {
  let health: Health = { state: "starting", reasons: ["correlate is starting"] };
  const metrics = createMetrics();
  metrics.counter("things_total", "Things.").add(3);
  const probes = await startProbes({ host: "127.0.0.1", port: 0, metrics, health: () => health });
  try {
    const status = async (path: string, method = "GET") => (await fetch(probes.url + path, { method })).status;
    expect([await status("/livez"), await status("/readyz")]).toEqual([200, 503]);
    health = { state: "ok", reasons: [] };
    expect([await status("/readyz"), await status("/readyz?x=1")]).toEqual([200, 200]);
    health = { state: "failed", reasons: ["the log is broken"] };
    expect([await status("/livez"), await status("/readyz")]).toEqual([503, 503]);
    expect(await (await fetch(`${probes.url}/metrics`)).text()).toContain("culprit_things_total 3");
    expect([await status("/"), await status("/metrics", "POST")]).toEqual([404, 405]);
  } finally {
    await probes.stop();
  }
});

test("a port that is taken is refused with the key that changes it", async () => {
  const options = { host: "127.0.0.1", metrics: createMetrics(), health: (): Health => ({ state: "ok", reasons: [] }) };
  const first = await startProbes({ ...options, port: 0 });
  try {
    const second = startProbes({ ...options, port: Number(new URL(first.url).port) });
    await expect(second).rejects.toMatchObject({
      code: "probe.cannot-listen",
      message: expect.stringContaining("probe.port"),
    });
  } finally {
    await first.stop();
  }
});
