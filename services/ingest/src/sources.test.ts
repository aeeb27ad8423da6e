import { createMetrics, settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { type Delivery, SOURCES_MAX, Sources } from "./sources.ts";
import { bulkBody, post, run, winlogbeat } from "./test-kit.ts";

const NOW = Date.UTC(2024, 2, 1, 12);
const QUIET: Omit<Delivery, "source"> = {
  receiver: "syslog",
  events: 0,
  duplicates: 0,
  notSelected: 0,
  deadLetters: 0,
  formats: new Map(),
  hosts: [],
};

function made() {
  const clock = settableClock(NOW);
  const metrics = createMetrics();
  return { clock, metrics, sources: new Sources({ clock, metrics, silentAfterMs: 60_000 }) };
}

test("a sender is known by receiver, address and token, with all that it sent", async () => {
  await using running = await run({
    config: {
      tokens: [
        { name: "a", token: "one" },
        { name: "b", token: "two" },
      ],
    },
  });
  const as = (token: string) => ({ authorization: `Bearer ${token}`, "user-agent": "Elastic-winlogbeat/8" });
  await post(`${running.url}/_bulk`, bulkBody([winlogbeat(1), winlogbeat(2), '{"broken":']), as("one"));
  await post(`${running.url}/_bulk`, bulkBody([winlogbeat(2), winlogbeat(3, { host: "hv12" })]), as("one"));
  await post(`${running.url}/ingest`, winlogbeat(4), as("two"));
  expect(running.service.sources()).toMatchObject([
    { receiver: "ingest", token: "b", events: 1, deliveries: 1 },
    {
      receiver: "elasticsearch",
      transport: "http",
      remote: "127.0.0.1",
      token: "a",
      agent: "Elastic-winlogbeat/8",
      deliveries: 2,
      events: 3,
      duplicates: 1,
      deadLetters: 1,
      hosts: 2,
      formats: [{ format: "winlogbeat", events: 4 }],
      isSilent: false,
      newestAt: Date.UTC(2024, 2, 1, 10, 0, 3),
    },
  ]);
  const text = await (await fetch(`${running.url}/metrics`)).text();
  expect(text).toContain("culprit_ingest_sources_known 2");
  expect(text).not.toContain("hv12");
});

test("P12 F38 a sender that is not heard for long enough is silent, until it is heard again", async () => {
  const { clock, metrics, sources } = made();
  sources.note({ ...QUIET, source: { remote: "n1" } });
  await clock.advance(60_001);
  sources.note({ ...QUIET, source: { remote: "n2" } });
  const silent = () => sources.view().map(({ remote, isSilent, silentMs }) => [remote, isSilent, silentMs]);
  expect(silent()).toEqual([
    ["n2", false, 0],
    ["n1", true, 60_001],
  ]);
  expect(await metrics.valueOf("ingest_sources_silent")).toBe(1);
  sources.note({ ...QUIET, source: { remote: "n1" } });
  expect(silent()).toEqual([
    ["n1", false, 0],
    ["n2", false, 0],
  ]);
});

test("F33 a wall clock that steps makes nobody silent", async () => {
  const { clock, sources } = made();
  sources.note({ ...QUIET, source: { remote: "n1" } });
  clock.setWall(NOW + 86_400_000);
  expect(sources.view()).toMatchObject([{ isSilent: false, silentMs: 0 }]);
});

test("lateness is the age of the newest record, never negative, and the worst one is kept", () => {
  const { sources } = made();
  for (const newestAt of [NOW - 5_000, NOW - 90_000, NOW + 1_000]) {
    sources.note({ ...QUIET, source: { remote: "n1" }, newestAt });
  }
  expect(sources.view()).toMatchObject([{ lateMs: 0, worstLateMs: 90_000, newestAt: NOW + 1_000 }]);
});

test("P7 senders are bounded; who was silent longest is forgotten, and counted", async () => {
  const { metrics, sources } = made();
  for (let n = 0; n <= SOURCES_MAX; n += 1) sources.note({ ...QUIET, source: { remote: `n${n}` } });
  expect(sources.view()).toHaveLength(SOURCES_MAX);
  expect(sources.view().at(-1)?.remote).toBe("n1");
  expect(await metrics.valueOf("ingest_sources_forgotten_total")).toBe(1);
});
