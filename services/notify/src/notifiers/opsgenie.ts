/**
 * Opsgenie, and Jira Service Management's alerts, which speak the same language under another address. The key is the
 * `alias`; a change of text needs requests of its own, because a repeated create only counts up. 202 means accepted: the
 * request is worked on later.
 *
 * Source: Opsgenie Alert API (message 130 characters, alias 512, description 15,000, tag 50); 422 is final, 429 is not.
 */
import { cut, plainLine, type Severity } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { type HttpRequest, jsonOf, resultOf } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";
import { subjectOf } from "../subject.ts";

const MESSAGE_MAX = 130;
const DESCRIPTION_MAX = 15_000;
const ENTITY_MAX = 512;
const PRIORITIES: Readonly<Record<Severity, string>> = {
  critical: "P1",
  high: "P2",
  medium: "P3",
  low: "P4",
  info: "P5",
};
const ADDRESSES = {
  opsgenie: "https://api.opsgenie.com",
  "opsgenie-eu": "https://api.eu.opsgenie.com",
  jsm: "https://api.atlassian.com/jsm/ops/integration",
} as const;

const Alert = z.object({ data: z.object({ status: z.string() }) });

export const opsgenie = notifierKind({
  kind: "opsgenie",
  options: z.strictObject({
    apiKey: secretText,
    service: z.enum(["jsm", "opsgenie", "opsgenie-eu"]).default("jsm"),
    /** Instead of the service's own address. */
    url: z.exactOptional(z.url({ protocol: /^https?$/ })),
    tags: z.array(z.string().min(1).max(50)).max(20).default([]),
  }),
  open: ({ apiKey, service, url, tags }, { post, now }) => ({
    async send(notification, signal) {
      const base = `${url ?? ADDRESSES[service]}/v2/alerts`;
      const headers = { authorization: `GenieKey ${apiKey.reveal()}`, "content-type": "application/json" };
      let result: SendResult = { result: "ok", certainty: "accepted" };
      for (const request of requestsOf(notification, base, tags)) {
        result = resultOf(await post({ ...request, headers }, signal), now(), "accepted");
        if (result.result !== "ok") return result;
      }
      return result;
    },
    async isOpen({ key }, signal) {
      const headers = { authorization: `GenieKey ${apiKey.reveal()}` };
      const address = `${url ?? ADDRESSES[service]}/v2/alerts/${key}?identifierType=alias`;
      const answer = await post({ url: address, method: "GET", headers }, signal);
      if (answer.status === 404) return false;
      const read = Alert.safeParse(jsonOf(answer));
      return answer.status === 200 && read.success ? read.data.data.status !== "closed" : undefined;
    },
  }),
});

function requestsOf(notification: Notification, base: string, tags: readonly string[]): readonly HttpRequest[] {
  const { action, reason, key, page, incident, test } = notification;
  const of = (verb: string): string => `${base}/${key}/${verb}?identifierType=alias`;
  const message = cut(plainLine(titleOf(page, test)), MESSAGE_MAX);
  const description = cut(renderContent(page, { width: 80 }), DESCRIPTION_MAX);
  const source = "Culprit";
  if (action === "resolve") return [{ url: of("close"), body: JSON.stringify({ source, note: "It is over." }) }];
  if (action === "update") {
    return [
      { url: of("message"), method: "PUT", body: JSON.stringify({ message }) },
      { url: of("description"), method: "PUT", body: JSON.stringify({ description }) },
      { url: of("priority"), method: "PUT", body: JSON.stringify({ priority: PRIORITIES[incident.severity] }) },
      ...(reason === "acknowledged" ? [{ url: of("acknowledge"), body: JSON.stringify({ source }) }] : []),
    ];
  }
  const entity = cut(subjectOf(incident), ENTITY_MAX);
  const alert = {
    message,
    alias: key,
    description,
    priority: PRIORITIES[incident.severity],
    entity,
    source,
    tags: [...tags],
  };
  return [
    {
      url: base,
      body: JSON.stringify({
        ...alert,
        details: { playbook: incident.playbook, ...(page.link === undefined ? {} : { link: page.link }) },
      }),
    },
  ];
}
