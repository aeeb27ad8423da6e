/** Each target's limit of a title: the longest that fits goes whole, one more is cut, and no character is broken. */
import { describe, expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import type { NotifierKind } from "../notifier.ts";
import { fakeServer, type Received } from "../test-kit.ts";
import { goalert } from "./goalert.ts";
import { incidentIo } from "./incident-io.ts";
import { jira } from "./jira.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { pushover } from "./pushover.ts";
import { servicenow } from "./servicenow.ts";
import { slack, slackWebhook } from "./slack.ts";
import { splunkOncall } from "./splunk-oncall.ts";
import { teams } from "./teams.ts";
import { Driver } from "./test-kit.ts";

type Json = Record<string, unknown>;
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce((of, key) => (of as Record<string | number, unknown> | undefined)?.[key], value);

interface Limit {
  readonly field: string;
  readonly kind: NotifierKind;
  readonly options: (url: string) => Json;
  readonly textOf: (body: unknown) => unknown;
  readonly max: number;
  readonly unit: "characters" | "bytes";
  readonly answer?: unknown;
}

const made = { ok: true, ts: "1", channel: "C1", key: "OPS-7", issues: [], result: [] };
const LIMITS: readonly Limit[] = [
  {
    field: "PagerDuty's summary",
    kind: pagerduty,
    options: (url) => ({ routingKey: "a".repeat(32), url }),
    textOf: (body) => at(body, "payload", "summary"),
    max: 1_024,
    unit: "characters",
  },
  {
    field: "JSM's message",
    kind: opsgenie,
    options: (url) => ({ apiKey: "key", url }),
    textOf: (body) => at(body, "message"),
    max: 130,
    unit: "characters",
  },
  {
    field: "Splunk On-Call's display name",
    kind: splunkOncall,
    options: (url) => ({ url }),
    textOf: (body) => at(body, "entity_display_name"),
    max: 500,
    unit: "characters",
  },
  {
    field: "GoAlert's summary",
    kind: goalert,
    options: (url) => ({ url }),
    textOf: (body) => at(body, "summary"),
    max: 1_024,
    unit: "bytes",
  },
  {
    field: "incident.io's title",
    kind: incidentIo,
    options: (url) => ({ source: "abc", token: "t", url }),
    textOf: (body) => at(body, "title"),
    max: 500,
    unit: "characters",
  },
  {
    field: "the header of a Slack bot's message",
    kind: slack,
    options: (url) => ({ token: "xoxb-1", channel: "C1", url }),
    textOf: (body) => at(body, "blocks", 0, "text", "text"),
    max: 150,
    unit: "characters",
  },
  {
    field: "the header of a Slack webhook's message",
    kind: slackWebhook,
    options: (url) => ({ url }),
    textOf: (body) => at(body, "blocks", 0, "text", "text"),
    max: 150,
    unit: "characters",
  },
  {
    field: "the title of a Teams card",
    kind: teams,
    options: (url) => ({ url }),
    textOf: (body) => at(body, "attachments", 0, "content", "body", 0, "inlines", 0, "text"),
    max: 300,
    unit: "characters",
  },
  {
    field: "ntfy's title",
    kind: ntfy,
    options: (url) => ({ url, topic: "night" }),
    textOf: (body) => at(body, "title"),
    max: 250,
    unit: "characters",
  },
  {
    field: "Pushover's title",
    kind: pushover,
    options: (url) => ({ token: "t", user: "u", url }),
    textOf: (body) => at(body, "title"),
    max: 250,
    unit: "characters",
  },
  {
    field: "ServiceNow's short description",
    kind: servicenow,
    options: (url) => ({ url, user: "u", password: "p", table: "incident" }),
    textOf: (body) => at(body, "short_description"),
    max: 160,
    unit: "characters",
  },
  {
    field: "Jira's summary",
    kind: jira,
    options: (url) => ({ url, user: "u", password: "p", project: "OPS" }),
    textOf: (body) => at(body, "fields", "summary"),
    max: 255,
    unit: "characters",
  },
];

const sizeOf = (text: string, unit: Limit["unit"]): number =>
  unit === "bytes" ? Buffer.byteLength(text, "utf8") : text.length;

/** A title that makes the field exactly so long, of characters that are several bytes and code units. */
function titleFor(size: number, unit: Limit["unit"]): string {
  const room = size - "CRITICAL ".length;
  const wide = unit === "bytes" ? "💾語" : "💾";
  const count = Math.floor((room - 1) / sizeOf(wide, unit));
  const rest = room - count * sizeOf(wide, unit);
  return wide.repeat(count) + "z".repeat(rest);
}

describe.each(LIMITS)("$field ($max $unit)", ({ kind, options, textOf, max, unit, answer = made }) => {
  const sent = async (title: string): Promise<string> => {
    await using server = await fakeServer(() => ({ status: 200, body: JSON.stringify(answer) }));
    const driver = new Driver(kind, options(server.url));
    const incident = fixture("cluster-hang-9e", { title });
    expect((await driver.send("trigger", { incident })).result).toBe("ok");
    const texts = server.received.map(({ body }: Received) => (body === "" ? undefined : textOf(JSON.parse(body))));
    return String(texts.find((text) => text !== undefined));
  };

  test("the longest that fits goes whole", async () => {
    const title = titleFor(max, unit);
    const text = await sent(title);
    expect(text).toBe(`CRITICAL ${title}`);
    expect(sizeOf(text, unit)).toBe(max);
  });

  test.each([1, 2, 3, 4, 5])("%i more is cut, and no character in two", async (more) => {
    const text = await sent(titleFor(max + more, unit));
    expect(sizeOf(text, unit)).toBeLessThanOrEqual(max);
    expect(sizeOf(text, unit)).toBeGreaterThan(max - 12);
    expect(text.isWellFormed()).toBe(true);
    expect(text).toMatch(/^CRITICAL 💾/u);
  });
});
