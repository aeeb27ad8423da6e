import { type Incident, type IncidentId, MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import { T0 } from "../test-kit.ts";
import { telegramData } from "./telegram.ts";
import { hmac, Office, PAGERDUTY_SECRET, SLACK_SECRET, TELEGRAM_TOKEN } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e", { children: [] });
const hook = (url: string) => [{ name: "hook", kind: "webhook", url }];
const open = (callbacks: Record<string, unknown> = {}): Promise<Office> =>
  Office.open({ targets: hook, incidents: [incident], callbacks });

interface Call {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
const send = async (office: Office, { path, headers, body }: Call): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${office.url}/callbacks/${path}`, { method: "POST", headers, body });
  return { status: answer.status, text: await answer.text() };
};

describe("PagerDuty", () => {
  const user = { type: "user_reference", id: "PUSER", summary: "Ada Lovelace" };
  const event = (change: Record<string, unknown> = {}, data: Record<string, unknown> = {}): string =>
    JSON.stringify({
      event: {
        id: "01ABC",
        event_type: "incident.acknowledged",
        resource_type: "incident",
        occurred_at: "2026-03-17T02:04:30.250Z",
        agent: user,
        data: { id: "PINC", type: "incident", incident_key: incident.id, ...data },
        ...change,
      },
    });
  const call = (body: string, secret = PAGERDUTY_SECRET): Call => {
    const headers = { "content-type": "application/json", "x-pagerduty-signature": `v1=${hmac(secret, body)}` };
    return { path: "pagerduty", headers, body };
  };

  test("an acknowledgement there is one here: who, when, from where", async () => {
    await using office = await open();
    await office.told(1);
    expect(await send(office, call(event()))).toEqual({ status: 200, text: "" });
    expect(await office.acts()).toMatchObject([
      {
        kind: "acknowledge",
        incident: incident.id,
        at: Date.parse("2026-03-17T02:04:30.250Z"),
        who: "Ada Lovelace",
        from: { via: "pagerduty", address: "127.0.0.1", detail: "PUSER" },
      },
    ]);
    expect((await office.told(2))["type"]).toBe("incident.update");
  });

  test("the same call again, as after a lost answer or by a listener, changes nothing", async () => {
    await using office = await open();
    await office.told(1);
    await send(office, call(event()));
    await office.told(2);
    await office.clock.advance(60 * MINUTE_MS);
    const before = await office.acts();
    expect((await send(office, call(event()))).status).toBe(200);
    expect(await office.acts()).toEqual(before);
    const metrics = await office.metrics.text();
    expect(metrics).toContain('culprit_notify_replies_total{via="pagerduty",outcome="repeated"} 1');
  });

  test("what our own events did there, or nobody, is no person's doing", async () => {
    await using office = await open();
    await office.told(1);
    const agents = [null, undefined, { type: "service_reference", id: "PSVC" }];
    for (const agent of agents) await send(office, call(event({ agent })));
    await send(office, call(event({ event_type: "incident.priority_updated" })));
    await send(office, call(event({ event_type: "__proto__" })));
    await send(office, call(event({ event_type: "pagey.ping", data: { message: "Hello" } })));
    expect(await office.acts()).toEqual([]);
  });

  test("a note names its incident by PagerDuty's id, which is known from what came before", async () => {
    await using office = await open();
    await office.told(1);
    const note = { id: "NOTE", content: " the pool leaks again ", incident: { id: "PINC" } };
    const annotated = call(event({ id: "02", event_type: "incident.annotated", data: note }));
    await send(office, annotated);
    expect(await office.acts()).toEqual([]);
    await send(office, call(event({ agent: null, event_type: "incident.triggered" })));
    await send(office, annotated);
    expect(await office.acts()).toMatchObject([{ kind: "note", note: "the pool leaks again" }]);
  });

  test("a signature that is wrong, missing, of another body or of a dropped secret is refused", async () => {
    await using office = await open();
    await office.told(1);
    const good = call(event());
    const bad: readonly Call[] = [
      call(event(), "q".repeat(20)),
      { ...good, body: `${good.body} ` },
      { ...good, headers: { "content-type": "application/json" } },
      { ...good, headers: { ...good.headers, "x-pagerduty-signature": `v0=${hmac(PAGERDUTY_SECRET, good.body)}` } },
      { ...good, headers: { ...good.headers, "x-pagerduty-signature": `v1=${"é".repeat(64)}` } },
    ];
    for (const each of bad) expect((await send(office, each)).status).toBe(401);
    expect(await office.acts()).toEqual([]);
    const junk = call('{"event":');
    expect((await send(office, junk)).status).toBe(400);
    expect((await send(office, call(`"${"x".repeat(300_000)}"`))).status).toBe(413);
  });

  test("while a secret is replaced both are believed, each alone or beside another", async () => {
    const pagerduty = { secret: "n".repeat(20), previousSecret: PAGERDUTY_SECRET };
    await using office = await open({ pagerduty });
    await office.told(1);
    expect((await send(office, call(event()))).status).toBe(200);
    const body = event({ id: "02", event_type: "incident.resolved" });
    const both = `v1=${"0".repeat(64)}, v1=${hmac("n".repeat(20), body)}`;
    const headers = { "content-type": "application/json", "x-pagerduty-signature": both };
    expect((await send(office, { path: "pagerduty", headers, body })).status).toBe(200);
    expect((await office.acts()).map(({ kind }) => kind)).toEqual(["acknowledge", "resolve"]);
  });

  test("a page that a wider incident took over is that incident's", async () => {
    const child: Incident = { ...fixture("dpm-vss"), startedAt: incident.startedAt };
    await using office = await Office.open({ targets: hook, incidents: [child] });
    await office.told(1);
    await office.publish({ ...incident, children: [child.id] }, { ...child, revision: 9, parent: incident.id });
    await office.told(2);
    await send(office, call(event({}, { incident_key: child.id })));
    expect(await office.acts()).toMatchObject([{ incident: incident.id }]);
  });

  test("an incident that is over, or that nobody knows, is left alone", async () => {
    await using office = await open();
    await office.told(1);
    await office.publish({ ...incident, revision: 9, status: "closed" });
    await office.told(2);
    await send(office, call(event()));
    await send(office, call(event({ id: "02" }, { incident_key: "f".repeat(64) })));
    await send(office, call(event({ id: "03" }, { incident_key: "somebody else's" })));
    expect(await office.acts()).toEqual([]);
  });
});

describe("Slack", () => {
  const press = (change: Record<string, unknown> = {}): string =>
    JSON.stringify({
      type: "block_actions",
      user: { id: "U1", username: "ada" },
      actions: [
        { action_id: "culprit:acknowledge", value: incident.id, action_ts: `${T0 / 1_000 - 2}.250000`, ...change },
      ],
    });
  const call = (payload: string, options: { secret?: string; at?: number } = {}): Call => {
    const body = new URLSearchParams({ payload }).toString();
    const stamp = String(Math.floor((options.at ?? T0) / 1_000));
    const signature = `v0=${hmac(options.secret ?? SLACK_SECRET, `v0:${stamp}:${body}`)}`;
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-request-timestamp": stamp,
      "x-slack-signature": signature,
    };
    return { path: "slack", headers, body };
  };

  test("a press of a button does what it says", async () => {
    await using office = await open();
    await office.told(1);
    expect((await send(office, call(press()))).status).toBe(200);
    await send(office, call(press({ action_id: "culprit:silence" })));
    const [acknowledged, silence] = await office.acts();
    expect(acknowledged).toMatchObject({ kind: "acknowledge", who: "ada", at: T0 - 1_750, from: { detail: "U1" } });
    expect(silence).toMatchObject({ kind: "silence", who: "ada", match: { scope: ["hv11.contoso.com"] } });
  });

  test("within five minutes a repeat changes nothing, after that it is refused", async () => {
    await using office = await open();
    await office.told(1);
    const first = call(press());
    await send(office, first);
    await office.told(2);
    const before = await office.acts();
    expect((await send(office, first)).status).toBe(200);
    expect(await office.acts()).toEqual(before);
    await office.clock.advance(5 * MINUTE_MS + 1_000);
    expect((await send(office, first)).status).toBe(401);
    expect((await send(office, call(press(), { at: T0 + 11 * MINUTE_MS }))).status).toBe(401);
  });

  test("a signature of another key, time or body is refused; other presses are passed over", async () => {
    await using office = await open();
    await office.told(1);
    const good = call(press());
    expect((await send(office, call(press(), { secret: "x".repeat(20) }))).status).toBe(401);
    const later = { ...good.headers, "x-slack-request-timestamp": String(T0 / 1_000 + 60) };
    expect((await send(office, { ...good, headers: later })).status).toBe(401);
    expect((await send(office, { ...good, body: `${good.body}&x=1` })).status).toBe(401);
    expect((await send(office, call("{"))).status).toBe(400);
    for (const change of [{ action_id: "other" }, { value: "not an id" }, { action_id: "culprit:__proto__" }]) {
      expect((await send(office, call(press(change)))).status).toBe(200);
    }
    expect(await office.acts()).toEqual([]);
  });

  test("the bot's message has buttons that come back, and a link to the console", async () => {
    await using office = await Office.open({
      targets: (url) => [{ name: "chat", kind: "slack", token: "xoxb-good", channel: "C1", url }],
      incidents: [incident],
      reply: () => ({ status: 200, body: JSON.stringify({ ok: true, ts: "1.2", channel: "C1" }) }),
    });
    const { blocks } = (await office.told(1)) as { blocks: { type: string; elements: Record<string, unknown>[] }[] };
    const buttons = blocks.find(({ type }) => type === "actions")?.elements ?? [];
    expect(buttons.map((button) => button["action_id"] ?? button["url"])).toEqual([
      `https://culprit.example/incidents/${incident.id}`,
      "culprit:acknowledge",
      "culprit:resolve",
      "culprit:silence",
    ]);
    expect(buttons[1]).toMatchObject({ value: incident.id, text: { text: "Acknowledge" } });
  });
});

describe("Telegram", () => {
  const targets = (url: string) => [
    { name: "chat", kind: "telegram", token: `1:${"a".repeat(30)}`, chat: -100, url, updateEveryMs: 0 },
  ];
  const reply = () => ({ status: 200, body: JSON.stringify({ ok: true, result: { message_id: 7 } }) });
  const update = (change: Record<string, unknown> = {}): string =>
    JSON.stringify({
      update_id: 1,
      callback_query: {
        id: "42",
        from: { id: 5, username: "ada" },
        message: { message_id: 7, chat: { id: -100 } },
        data: telegramData("resolve", incident.id),
        ...change,
      },
    });
  const call = (body: string, token = TELEGRAM_TOKEN): Call => {
    return {
      path: "telegram",
      headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": token },
      body,
    };
  };

  test("a press of a button does what it says, and the presser is told", async () => {
    await using office = await Office.open({ targets, reply, incidents: [incident] });
    const sent = await office.told(1);
    const keyboard = sent["reply_markup"] as { inline_keyboard: { callback_data?: string }[][] };
    const data = keyboard.inline_keyboard.flat().flatMap(({ callback_data }) => callback_data ?? []);
    expect(data).toHaveLength(3);
    expect(data.every((text) => Buffer.byteLength(text) <= 64)).toBe(true);
    const answer = await send(office, call(update({ data: data[1] })));
    expect(JSON.parse(answer.text)).toEqual({
      method: "answerCallbackQuery",
      callback_query_id: "42",
      text: "Done.",
    });
    expect(await office.acts()).toMatchObject([
      { kind: "resolve", who: "ada", from: { via: "telegram", detail: "5" } },
    ]);
  });

  test("without the secret it is refused; from another chat, or with data of another bot, it is passed over", async () => {
    await using office = await Office.open({ targets, reply, incidents: [incident] });
    await office.told(1);
    expect((await send(office, call(update(), "wrong"))).status).toBe(401);
    expect((await send(office, call("{"))).status).toBe(400);
    const elsewhere = { message: { message_id: 7, chat: { id: 99 } } };
    for (const change of [elsewhere, { data: "x" }, { data: "resolve:AAAA" }, { data: `resolve:${"é".repeat(20)}` }]) {
      expect((await send(office, call(update(change)))).status).toBe(200);
    }
    expect((await send(office, call(JSON.stringify({ update_id: 2 })))).status).toBe(200);
    expect(await office.acts()).toEqual([]);
  });

  test("an incident that is gone is said to be so", async () => {
    await using office = await Office.open({ targets, reply, incidents: [incident] });
    await office.told(1);
    const data = telegramData("acknowledge", "f".repeat(64) as IncidentId);
    expect((await send(office, call(update({ data })))).text).toContain("not known any more");
  });
});

test("nothing else is answered on this port", async () => {
  await using office = await open();
  for (const path of ["/", "/incidents", "/api/v1/incidents", "/callbacks/other", "/metrics"]) {
    expect((await fetch(`${office.url}${path}`)).status).toBe(404);
  }
});
