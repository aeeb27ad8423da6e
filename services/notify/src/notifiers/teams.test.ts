import { describe, expect, test } from "vitest";
import { fixture, hostile, oversized } from "../fixtures.ts";
import { fakeServer, type Received, type Reply, World } from "../test-kit.ts";

const incident = fixture("dpm-vss");

/** A Workflows address: takes a card of at most 24,000 bytes and answers 202. */
function flow(request: Received): Reply {
  if (Buffer.byteLength(request.body) > 24_000) return { status: 413, body: "RequestEntityTooLarge" };
  const { type, attachments } = request.json() as {
    type: string;
    attachments: { contentType: string; content: { type: string; version: string } }[];
  };
  const [card] = attachments;
  const good =
    type === "message" &&
    card?.contentType === "application/vnd.microsoft.card.adaptive" &&
    card.content.type === "AdaptiveCard";
  return { status: good ? 202 : 400 };
}

const world = (url: string): Promise<World> => World.open({ targets: [{ name: "team", kind: "teams", url }] });

describe("Teams", () => {
  test("gets a card that says what, why and what to do", async () => {
    await using server = await fakeServer(flow);
    await using running = await world(`${server.url}/workflows/secret`);
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome).toMatchObject({ result: "ok", certainty: "accepted" });
    for (const text of [
      "HIGH Backup of SQL03 failed",
      "Cause not clear",
      "Do first",
      "1. To learn which writers",
      "Action.OpenUrl",
    ]) {
      expect(server.received[0]?.body).toContain(text);
    }
  });

  test("takes far too much text of wide characters", async () => {
    await using server = await fakeServer(flow);
    await using running = await world(server.url);
    await running.publish(oversized());
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });

  test("an old connector's 200 that says 429 is not taken for success", async () => {
    await using server = await fakeServer(() => ({
      status: 200,
      body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
    }));
    await using running = await world(server.url);
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("later");
  });

  test("B46 event text is in text runs, which read no Markdown", async () => {
    await using server = await fakeServer(flow);
    await using running = await world(server.url);
    await running.publish(hostile("[click](javascript:alert(1)) **b** <at>all</at>"));
    expect(server.received[0]?.body).not.toContain('"TextBlock"');
    expect(server.received[0]?.body).not.toContain('"FactSet"');
    expect(server.received[0]?.body).toContain('"RichTextBlock"');
  });
});
