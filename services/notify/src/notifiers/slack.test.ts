import { describe, expect, test } from "vitest";
import { fixture, hostile, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply, World } from "../test-kit.ts";

const incident = fixture("cluster-hang-9e");

interface Block {
  readonly type: string;
  readonly text?: { readonly text: string };
}

/** Slack's limits on a message; the answer's `error`, or undefined. */
function refusal(message: { text?: string; blocks?: Block[] }): string | undefined {
  const { text = "", blocks = [] } = message;
  if (text === "") return "no_text";
  if (text.length > 40_000) return "msg_too_long";
  if (blocks.length > 50) return "invalid_blocks";
  if (blocks.some((block) => block.type === "header" && (block.text?.text.length ?? 0) > 150)) return "invalid_blocks";
  if (JSON.stringify(blocks).length > 13_000) return "msg_blocks_too_long";
  return undefined;
}

/** The two calls a bot makes, with messages that can be edited and deleted. */
async function slackServer(): Promise<FakeServer & { messages: Map<string, { text: string; thread?: string }> }> {
  const messages = new Map<string, { text: string; thread?: string }>();
  const no = (error: string): Reply => ({ status: 200, body: JSON.stringify({ ok: false, error }) });
  const reply = (request: Received): Reply => {
    if (request.headers["authorization"] !== "Bearer xoxb-good") return no("invalid_auth");
    const body = request.json() as {
      channel?: string;
      ts?: string;
      thread_ts?: string;
      text?: string;
      blocks?: Block[];
    };
    const wrong = refusal(body);
    if (wrong !== undefined) return no(wrong);
    if (body.channel !== "C1") return no("channel_not_found");
    if (request.path === "/chat.update" && !messages.has(String(body.ts))) return no("message_not_found");
    const ts = request.path === "/chat.update" ? String(body.ts) : `1700000000.00000${messages.size}`;
    messages.set(ts, { text: String(body.text), ...(body.thread_ts === undefined ? {} : { thread: body.thread_ts }) });
    return { status: 200, body: JSON.stringify({ ok: true, ts, channel: "C1" }) };
  };
  return Object.assign(await fakeServer(reply), { messages });
}

const bot = (url: string, more: Record<string, unknown> = {}): Promise<World> =>
  World.open({
    targets: [{ name: "chat", kind: "slack", token: "xoxb-good", channel: "C1", url, updateEveryMs: 0, ...more }],
  });

describe("the Slack bot", () => {
  test("has one message, edits it and tells the changes in its thread", async () => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish(incident);
    await running.publish({ ...incident, revision: 4, severity: "high" });
    await running.end();
    await running.begin();
    await running.publish({ ...incident, revision: 5, severity: "high", status: "closed" });
    const roots = [...server.messages].filter(([, { thread }]) => thread === undefined);
    expect(roots).toHaveLength(1);
    expect(roots[0]?.[1].text).toMatch(/^RESOLVED HV11/);
    const replies = [...server.messages.values()].filter(({ thread }) => thread === roots[0]?.[0]);
    expect(replies.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Changed: severity changed\./),
      "It is over (ended).",
    ]);
  });

  test("shows in the channel what nobody should miss, and reads no link in what changed", async () => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish(incident);
    const [first, ...others] = incident.causes;
    if (first === undefined) throw new Error("the fixture has causes");
    const causes = [{ ...first, id: "other", title: "see http://evil.example <!here>" }, ...others];
    await running.publish({ ...incident, revision: 4, causes });
    await running.publish({ ...incident, revision: 5, causes, severity: "high" });
    const replies = server.received.map((request) => request.json()).filter((body) => body["thread_ts"] !== undefined);
    expect(replies.map((body) => body["reply_broadcast"])).toEqual([undefined, true]);
    expect(replies[0]?.["blocks"]).toMatchObject([{ type: "rich_text" }]);
    expect(replies[0]?.["text"]).not.toContain("<!here>");
  });

  test("has a new message for an incident that has returned", async () => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish(incident);
    await running.publish({ ...incident, revision: 4, status: "closed" });
    await running.publish({ ...incident, revision: 5 });
    const roots = [...server.messages.values()].filter(({ thread }) => thread === undefined);
    expect(roots.map(({ text }) => text.split(" ")[0])).toEqual(["RESOLVED", "CRITICAL"]);
  });

  test("posts anew when someone has deleted the message", async () => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish(incident);
    server.messages.clear();
    await running.publish({ ...incident, revision: 4, severity: "high" });
    expect(server.messages.size).toBe(1);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  });

  test.each([
    ["a wrong token", { token: "xoxb-bad" }, "auth"],
    ["a channel that is not there", { channel: "C2" }, "auth"],
  ])("%s is a configuration error although Slack answers 200", async (_, more, result) => {
    await using server = await slackServer();
    await using running = await bot(server.url, more);
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe(result);
  });

  test("takes far too much text, and keeps title, cause and link", async () => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish({ ...oversized(), title: "HV11 crashed" });
    expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
    const body = server.received[0]?.body ?? "";
    expect(body).toContain("HV11 crashed");
    expect(body).toContain("Probable cause");
    expect(body).toContain("Open the incident");
  });

  test("is told to wait and waits", async () => {
    await using server = await slackServer();
    const works = server.reply;
    server.reply = (request) =>
      server.received.length === 1 ? { status: 429, headers: { "retry-after": "30" } } : works(request);
    await using running = await bot(server.url);
    await running.publish(incident);
    await running.advance(29_000);
    expect(server.received).toHaveLength(1);
    await running.advance(3_000);
    expect(server.messages.size).toBe(1);
  });
});

describe("B46 event text in Slack", () => {
  test.each([
    "<!channel>",
    "<!here|here>",
    "<@U123>",
    "<https://evil.example|click>",
    "@here",
    "*bold* _it_ `code`",
    "a & b",
  ])("%s is only text", async (text) => {
    await using server = await slackServer();
    await using running = await bot(server.url);
    await running.publish(hostile(text));
    const { text: fallback, blocks } = JSON.parse(server.received[0]?.body ?? "") as { text: string; blocks: Block[] };
    expect(fallback).not.toMatch(/<[!@#h]|@/);
    // Only rich_text and plain_text, in which Slack reads no markup; the one link is ours.
    const types = new Set<string>();
    JSON.stringify(blocks, (key, value: unknown) => {
      if (key === "type") types.add(String(value));
      return value;
    });
    expect([...types].sort()).toEqual([
      "actions",
      "button",
      "header",
      "plain_text",
      "rich_text",
      "rich_text_list",
      "rich_text_section",
      "text",
    ]);
  });
});

describe("the Slack webhook", () => {
  const hook = (url: string): Promise<World> =>
    World.open({ targets: [{ name: "chat", kind: "slack-webhook", url, updateEveryMs: 0 }] });

  test("posts a message for each change, because it cannot edit", async () => {
    await using server = await fakeServer((request) =>
      refusal(request.json()) === undefined ? { status: 200, body: "ok" } : { status: 400, body: "invalid_blocks" },
    );
    await using running = await hook(`${server.url}/services/T/B/secret`);
    await running.publish(incident);
    await running.publish({ ...incident, revision: 4, status: "closed" });
    expect(server.received).toHaveLength(2);
  });

  test("a webhook that is gone needs a person, and its address is not told", async () => {
    await using server = await fakeServer(() => ({ status: 404, body: "no_service" }));
    await using running = await hook(`${server.url}/services/T/B/secret`);
    await running.publish(incident);
    const [record] = await running.deliveries();
    expect(record?.outcome?.result).toBe("auth");
    expect(JSON.stringify(record)).not.toContain("secret");
  });
});
