import { Incident } from "@culprit/model";
import { systemClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { NotifyConfig } from "./config.ts";
import { drillIncident, sendTest } from "./drill.ts";
import { fakeServer, T0 } from "./test-kit.ts";

test("a drill opens and closes one page that says it is a drill", async () => {
  await using server = await fakeServer();
  const config = NotifyConfig.parse({
    allowAddresses: ["127.0.0.1"],
    targets: [{ name: "hook", kind: "webhook", url: server.url }],
  });
  const results = await sendTest({ config, clock: systemClock }, "hook");
  expect(results?.map(({ result }) => result)).toEqual(["ok", "ok"]);
  const bodies = server.received.map(
    (request) => request.json() as { type: string; data: { key: string; test: boolean; text: string } },
  );
  expect(bodies.map(({ type }) => type)).toEqual(["incident.trigger", "incident.resolve"]);
  expect(new Set(bodies.map(({ data }) => data.key)).size).toBe(1);
  expect(bodies.every(({ data }) => data.test && data.text.includes("this page is a drill"))).toBe(true);
});

test("a drill tells what was wrong and does not go on", async () => {
  await using server = await fakeServer(() => ({ status: 401, body: "no such token" }));
  const config = NotifyConfig.parse({
    allowAddresses: ["127.0.0.1"],
    targets: [{ name: "hook", kind: "webhook", url: server.url }],
  });
  expect(await sendTest({ config, clock: systemClock }, "hook")).toEqual([
    { result: "auth", detail: "HTTP 401: no such token" },
  ]);
  expect(await sendTest({ config, clock: systemClock }, "other")).toBeUndefined();
});

test("the drill's incident is an incident of the contract", () => {
  expect(Incident.parse(drillIncident(T0)).title).toContain("drill");
});
