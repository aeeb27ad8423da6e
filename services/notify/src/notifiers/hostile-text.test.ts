/** One corpus of hostile event text through every target: nothing in it acts, hides, or tells a secret. */
import { describe, expect, test } from "vitest";
import { fixture, hostile } from "../fixtures.ts";
import { fakeServer } from "../test-kit.ts";
import { NOTIFIERS } from "./index.ts";
import { Driver, FakePeer } from "./test-kit.ts";

type Options = Record<string, unknown>;
const login = { user: "bot", password: "good" };

/** What each target that speaks HTTP needs to be told. */
const OVER_HTTP: Readonly<Record<string, (url: string) => Options>> = {
  webhook: (url) => ({ url }),
  pagerduty: (url) => ({ url, routingKey: "a".repeat(32) }),
  opsgenie: (url) => ({ url, apiKey: "key" }),
  "splunk-oncall": (url) => ({ url }),
  goalert: (url) => ({ url }),
  "incident-io": (url) => ({ url, source: "abc", token: "t" }),
  slack: (url) => ({ url, token: "xoxb-1", channel: "C1" }),
  "slack-webhook": (url) => ({ url }),
  teams: (url) => ({ url }),
  telegram: (url) => ({ url, token: `1:${"a".repeat(35)}`, chat: -100 }),
  ntfy: (url) => ({ url, topic: "night" }),
  pushover: (url) => ({ url, token: "t", user: "u" }),
  twilio: (url) => ({ url, account: `AC${"0".repeat(32)}`, token: "t", from: "+4712345678", to: "+4712345679" }),
  alertmanager: (url) => ({ urls: [url] }),
  "alertmanager-webhook": (url) => ({ url }),
  servicenow: (url) => ({ url, ...login }),
  jira: (url) => ({ url, ...login, project: "OPS" }),
  icinga: (url) => ({ url, ...login }),
  "splunk-hec": (url) => ({ url, token: "t" }),
  elasticsearch: (url) => ({ url, ...login }),
};
/** Targets that speak otherwise, or to a program; their own tests hold them against hostile text. */
const OTHERWISE = ["terminal", "command", "email", "zabbix", "syslog", "kafka"];

const CORPUS = [
  ["controls and escape sequences", "a\u0000b\u001b[2Jc\u001b]8;;http://evil\u0007link\u0008d"],
  ["line breaks", "one\r\ntwo\rthree\u2028four\u2029five"],
  ["text that turns its direction", "exe.\u202egnp.\u2066txt\u200b"],
  ["a secret", "login failed: user=sa password=Hunter2 token=abcd1234efgh5678"],
  ["half a character", "broken \ud83d surrogate"],
] as const;

const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Every text of a body for people; the incident of the contract is data and stands as it was logged. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => (name === "incident" ? [] : textsOf(item)));
}

function bodiesOf(body: string, type: string | undefined): readonly unknown[] {
  if (type?.includes("urlencoded") === true) return [Object.fromEntries(new URLSearchParams(body))];
  const lines = type?.includes("ndjson") === true ? body.trim().split("\n") : [body];
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
}

test("every kind is held against hostile text, here or in its own test", () => {
  const known = NOTIFIERS.map(({ kind }) => kind).sort();
  expect([...Object.keys(OVER_HTTP), ...OTHERWISE].sort()).toEqual(known);
});

describe.each(NOTIFIERS.filter(({ kind }) => Object.hasOwn(OVER_HTTP, kind)))("$kind", (kind) => {
  test.each(CORPUS)("B48 B50 B54 %s stands as visible text on lines of our own", async (_, text) => {
    const answer = { ok: true, ts: "1", channel: "C1", key: "OPS-7", issues: [], result: [], errors: false };
    await using server = await fakeServer(() => ({ status: 200, body: JSON.stringify(answer) }));
    const options = OVER_HTTP[kind.kind]?.(server.url) ?? {};
    const driver = new Driver(kind, options);
    await driver.send("trigger", { incident: hostile(text) });
    expect(server.received.length).toBeGreaterThan(0);
    const sent = server.received.flatMap(({ body, headers }) => bodiesOf(body, headers["content-type"]));
    const texts = sent.flatMap(textsOf);
    for (const each of texts) {
      for (const line of each.split("\n")) expect(FORBIDDEN.test(line), JSON.stringify(line)).toBe(false);
      expect(each).not.toContain("Hunter2");
      expect(each.isWellFormed()).toBe(true);
    }
  });
});

test.each(["syslog", "zabbix"] as const)("%s gets visible text as well", async (name) => {
  await using peer = await new FakePeer({
    tls: false,
    ...(name === "zabbix" ? { answer: () => Buffer.from("ZBXD\u0001") } : {}),
  }).listen();
  const kind = NOTIFIERS.find((known) => known.kind === name) ?? NOTIFIERS[0];
  if (kind === undefined) throw new Error("there are notifiers");
  const options = name === "syslog" ? { host: "127.0.0.1", tls: "none" } : { server: "127.0.0.1" };
  for (const [, text] of CORPUS) {
    await new Driver(kind, { ...options, port: peer.port }).send("trigger", { incident: hostile(text) });
  }
  const said = Buffer.concat(peer.said)
    .toString("utf8")
    .replaceAll(/ZBXD[\s\S]{9}/g, "");
  expect(FORBIDDEN.test(said)).toBe(false);
  expect(said).not.toContain("Hunter2");
});

test("what is no event's text is told as it is", async () => {
  await using server = await fakeServer();
  const kind = NOTIFIERS.find((known) => known.kind === "webhook") ?? NOTIFIERS[0];
  if (kind === undefined) throw new Error("there are notifiers");
  await new Driver(kind, { url: server.url }).send("trigger");
  expect(server.received[0]?.body).toContain(fixture("cluster-hang-9e").title);
});
