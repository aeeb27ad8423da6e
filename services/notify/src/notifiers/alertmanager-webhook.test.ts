import { expect, test } from "vitest";
import { z } from "zod";
import { fixture, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { alertmanagerWebhook } from "./alertmanager-webhook.ts";
import { Driver, wholeStory } from "./test-kit.ts";

const Texts = z.record(z.string(), z.string());
const Status = z.enum(["firing", "resolved"]);
/** The body as Alertmanager documents it. */
const Body = z.strictObject({
  version: z.literal("4"),
  groupKey: z.string(),
  truncatedAlerts: z.number(),
  status: Status,
  receiver: z.string(),
  groupLabels: Texts,
  commonLabels: Texts,
  commonAnnotations: Texts,
  externalURL: z.string(),
  alerts: z.array(
    z.strictObject({
      status: Status,
      labels: Texts,
      annotations: Texts,
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
      generatorURL: z.string(),
      fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
    }),
  ),
});
const api = (request: Received): Reply => ({
  status: request.headers["authorization"] !== "Bearer good" ? 401 : Body.safeParse(request.json()).success ? 200 : 400,
});
const to = (url: string, token = "good"): Driver =>
  new Driver(alertmanagerWebhook, { url, token, labels: { team: "win" } });

test("sends the body that Alertmanager's receivers know, firing and then resolved under one group", async () => {
  await using server = await fakeServer(api);
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => Body.parse(request.json()));
  expect(sent.map(({ status }) => status)).toEqual(["firing", "firing", "resolved"]);
  expect(new Set(sent.map(({ groupKey }) => groupKey))).toEqual(new Set([fixture("cluster-hang-9e").id]));
  expect(sent[0]?.commonLabels).toEqual({
    team: "win",
    alertname: "cluster-hang-9e",
    instance: "HV11",
    severity: "critical",
  });
});

test("takes far too much text, and a wrong token needs a person", async () => {
  await using server = await fakeServer(api);
  expect(await to(server.url).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
  expect(await to(server.url, "bad").send("trigger")).toMatchObject({ result: "auth" });
});
