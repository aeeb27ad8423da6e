/**
 * ServiceNow: an event of Event Management, where the key is the `message_key` and the server de-duplicates; or an incident
 * of the table, which knows no such thing: its `correlation_id` is looked for before one is made.
 *
 * Source: ServiceNow Table API (201 made, 200 changed; 429 by the customer's own rules), em_event (severity 1 critical to 5,
 * 0 clear; additional_info is JSON as text).
 */
import { cut, plainLine, type Severity } from "@culprit/model";
import { z } from "zod";
import { type HttpAnswer, type HttpRequest, jsonOf, resultOf } from "../http.ts";
import { LOGIN_OPTIONS, loginHeader } from "../http-login.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";
import { subjectName } from "../subject.ts";

const SHORT_MAX = 160;
const TEXT_MAX = 4_000;
const NODE_MAX = 100;
const EVENT_SEVERITIES: Readonly<Record<Severity, string>> = {
  critical: "1",
  high: "2",
  medium: "3",
  low: "4",
  info: "5",
};
/** Impact and urgency of an incident; together they make its priority. */
const URGENCIES: Readonly<Record<Severity, string>> = { critical: "1", high: "1", medium: "2", low: "3", info: "3" };
const Fields = z.record(z.string().regex(/^[a-z][a-z0-9_]{0,79}$/), z.string().max(1_000));
const SysId = z.string().regex(/^[0-9a-f]{32}$/);
const Made = z.object({ result: z.object({ sys_id: SysId }) });
const Found = z.object({ result: z.array(z.object({ sys_id: SysId })) });

export const servicenow = notifierKind({
  kind: "servicenow",
  options: z.strictObject({
    /** `https://example.service-now.com` */
    url: z.url({ protocol: /^https?$/ }),
    ...LOGIN_OPTIONS,
    table: z.enum(["em_event", "incident"]).default("em_event"),
    /** Of an incident: what else is set when it is made (`assignment_group`), and what when it is over. */
    fields: Fields.default({}),
    closeFields: Fields.default({ state: "6", close_code: "Solved (Permanently)", close_notes: "It is over." }),
  }),
  open: (options, { post, now }) => {
    const headers = { "content-type": "application/json", accept: "application/json", ...loginHeader(options) };
    const table = `${options.url.replace(/\/+$/, "")}/api/now/table/${options.table}`;
    const ask = (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> =>
      post({ ...request, headers }, signal);

    /** The incident that is open under our key: as remembered, else as found; an empty id when there is none. */
    const find = async ({ key, remote, action }: Notification, signal: AbortSignal): Promise<string | SendResult> => {
      // The one that is remembered may be closed: a story that has returned gets one that is open.
      if (remote["sysId"] !== undefined && action !== "trigger") return remote["sysId"];
      const query = new URLSearchParams({
        sysparm_query: `correlation_id=${key}^active=true`,
        sysparm_fields: "sys_id",
        sysparm_limit: "1",
      });
      const answer = await ask({ url: `${table}?${query}`, method: "GET" }, signal);
      const result = resultOf(answer, now(), "delivered");
      if (result.result !== "ok") return result;
      const found = Found.safeParse(jsonOf(answer));
      return found.success
        ? (found.data.result[0]?.sys_id ?? "")
        : { result: "never", detail: "the answer is no table" };
    };

    const sendIncident = async (notification: Notification, signal: AbortSignal): Promise<SendResult> => {
      const found = await find(notification, signal);
      if (typeof found !== "string") return found;
      const isOver = notification.action === "resolve";
      if (found === "" && isOver) return { result: "ok", certainty: "delivered" };
      const record = {
        ...incidentOf(notification),
        ...(found === "" ? options.fields : {}),
        ...(isOver ? options.closeFields : {}),
      };
      const request = found === "" ? { url: table } : { url: `${table}/${found}`, method: "PATCH" as const };
      const answer = await ask({ ...request, body: JSON.stringify(record) }, signal);
      const result = resultOf(answer, now(), "delivered");
      const made = Made.safeParse(jsonOf(answer));
      return result.result === "ok" && made.success
        ? { ...result, remote: { sysId: made.data.result.sys_id } }
        : result;
    };

    return {
      async send(notification, signal) {
        if (options.table === "incident") return sendIncident(notification, signal);
        const body = JSON.stringify(eventOf(notification));
        return resultOf(await ask({ url: table, body }, signal), now(), "accepted");
      },
      /** Of an event it is the alert made of it that is open; the right to read alerts is another one. */
      async isOpen({ key }, signal) {
        const isIncident = options.table === "incident";
        const query = new URLSearchParams({
          sysparm_query: isIncident ? `correlation_id=${key}^active=true` : `message_key=${key}^state!=Closed`,
          sysparm_fields: "sys_id",
          sysparm_limit: "1",
        });
        const asked = isIncident ? table : table.replace(/em_event$/, "em_alert");
        const answer = await ask({ url: `${asked}?${query}`, method: "GET" }, signal);
        const found = Found.safeParse(jsonOf(answer));
        return answer.status === 200 && found.success ? found.data.result.length > 0 : undefined;
      },
    };
  },
});

function eventOf({ action, key, page, incident, test }: Notification): Readonly<Record<string, string>> {
  const node = subjectName(incident) || "culprit";
  return {
    source: "Culprit",
    event_class: "Culprit",
    node: cut(node, NODE_MAX),
    resource: cut(plainLine(incident.playbook), NODE_MAX),
    metric_name: cut(plainLine(incident.playbook), NODE_MAX),
    type: "Windows incident",
    message_key: key,
    severity: action === "resolve" ? "0" : EVENT_SEVERITIES[incident.severity],
    description: cut(`${plainLine(titleOf(page, test))}\n${renderContent(page, { width: 80 })}`, TEXT_MAX),
    additional_info: JSON.stringify({ link: page.link ?? "", status: incident.status, startedAt: incident.startedAt }),
  };
}

function incidentOf({ action, key, page, incident, test }: Notification): Readonly<Record<string, string>> {
  const text = cut(renderContent(page, { width: 80 }), TEXT_MAX);
  const head = {
    short_description: cut(plainLine(titleOf(page, test)), SHORT_MAX),
    urgency: URGENCIES[incident.severity],
    impact: URGENCIES[incident.severity],
  };
  // The description stays what it was for: people have written below it. What changed is a work note.
  return action === "trigger"
    ? { ...head, correlation_id: key, correlation_display: "Culprit", description: text }
    : { ...head, work_notes: text };
}
