/** Whether a closed page is closed, as each target that can be asked says it. */
import { describe, expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import type { NotifierKind } from "../notifier.ts";
import { fakeServer, type Received, type Reply } from "../test-kit.ts";
import { alertmanager } from "./alertmanager.ts";
import { jira } from "./jira.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { servicenow } from "./servicenow.ts";
import { Driver } from "./test-kit.ts";

const { id } = fixture("cluster-hang-9e");
const ok = (body: unknown): Reply => ({ status: 200, body: JSON.stringify(body) });

interface Case {
  readonly name: string;
  readonly kind: NotifierKind;
  readonly options: (url: string) => Record<string, unknown>;
  readonly remote?: Readonly<Record<string, string>>;
  readonly open: Reply;
  readonly closed: Reply;
  /** What the question has to look like. */
  readonly asks: (request: Received) => void;
}

const login = { user: "bot", password: "good" };
const CASES: readonly Case[] = [
  {
    name: "PagerDuty",
    kind: pagerduty,
    options: (url) => ({ routingKey: "a".repeat(32), apiToken: "read-only", apiUrl: url }),
    open: ok({ incidents: [{ id: "P1" }] }),
    closed: ok({ incidents: [] }),
    asks({ path, headers }) {
      const { pathname, searchParams } = new URL(path, "http://x");
      expect([pathname, searchParams.get("incident_key")]).toEqual(["/incidents", id]);
      expect(searchParams.getAll("statuses[]")).toEqual(["triggered", "acknowledged"]);
      expect(headers["authorization"]).toBe("Token token=read-only");
    },
  },
  {
    name: "JSM and Opsgenie",
    kind: opsgenie,
    options: (url) => ({ apiKey: "key", url }),
    open: ok({ data: { status: "open" } }),
    closed: ok({ data: { status: "closed" } }),
    asks: ({ path }) => expect(path).toBe(`/v2/alerts/${id}?identifierType=alias`),
  },
  {
    name: "Alertmanager",
    kind: alertmanager,
    options: (url) => ({ urls: [url] }),
    open: ok([{ labels: {} }]),
    closed: ok([]),
    asks: ({ path }) => expect(new URL(path, "http://x").searchParams.get("filter")).toBe(`culprit_key="${id}"`),
  },
  {
    name: "a ServiceNow alert",
    kind: servicenow,
    options: (url) => ({ url, ...login }),
    open: ok({ result: [{ sys_id: "9".repeat(32) }] }),
    closed: ok({ result: [] }),
    asks({ path }) {
      const { pathname, searchParams } = new URL(path, "http://x");
      expect(pathname).toBe("/api/now/table/em_alert");
      expect(searchParams.get("sysparm_query")).toBe(`message_key=${id}^state!=Closed`);
    },
  },
  {
    name: "a ServiceNow incident",
    kind: servicenow,
    options: (url) => ({ url, table: "incident", ...login }),
    open: ok({ result: [{ sys_id: "9".repeat(32) }] }),
    closed: ok({ result: [] }),
    asks: ({ path }) => expect(path).toContain("/api/now/table/incident?"),
  },
  {
    name: "a Jira issue",
    kind: jira,
    options: (url) => ({ url, project: "OPS", doneTransition: "Done", ...login }),
    remote: { issue: "OPS-7" },
    open: ok({ fields: { status: { statusCategory: { key: "indeterminate" } } } }),
    closed: ok({ fields: { status: { statusCategory: { key: "done" } } } }),
    asks: ({ path }) => expect(path).toBe("/rest/api/3/issue/OPS-7?fields=status"),
  },
];

describe.each(CASES)("$name", ({ kind, options, remote, open, closed, asks }) => {
  test("says whether the page is open, and what is no such answer says nothing", async () => {
    await using server = await fakeServer();
    const driver = new Driver(kind, options(server.url));
    driver.remote = remote ?? {};
    const answers: Reply[] = [open, closed, { status: 403 }, { status: 500 }, { status: 200, body: "<html>" }];
    const said: (boolean | undefined)[] = [];
    for (const answer of answers) {
      server.reply = () => answer;
      said.push(await driver.isOpen());
    }
    expect(said).toEqual([true, false, undefined, undefined, undefined]);
    expect(server.received.every(({ method }) => method === "GET")).toBe(true);
    for (const request of server.received) asks(request);
  });
});

test("what cannot be asked is not asked", async () => {
  await using server = await fakeServer();
  const pager = new Driver(pagerduty, { routingKey: "a".repeat(32), apiUrl: server.url });
  const issue = new Driver(jira, { url: server.url, project: "OPS", ...login });
  expect([await pager.isOpen(), await issue.isOpen()]).toEqual([undefined, undefined]);
  expect(server.received).toEqual([]);
});
