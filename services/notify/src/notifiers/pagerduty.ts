/**
 * PagerDuty, Events API v2. The key is the `dedup_key`: a repeat updates the open alert, a resolve closes it. An
 * acknowledgement made here stops the escalation there. 202 means accepted, not delivered.
 *
 * Source: PagerDuty Events API v2 (summary 1,024 characters, dedup_key 255, event 512 KB; 429 means slow down);
 * REST API v2, list incidents (`incident_key` also finds incidents whose alerts have that key).
 */

import type { Severity } from "@culprit/model";
import { cut, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { jsonOf, resultOf } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { sectionsOf, titleOf } from "../sections.ts";
import { subjectOf } from "../subject.ts";

const SUMMARY_MAX = 1_024;
const DETAILS_TEXT_MAX = 20_000;
const SEVERITIES: Readonly<Record<Severity, string>> = {
  critical: "critical",
  high: "error",
  medium: "warning",
  low: "info",
  info: "info",
};

const OPEN_STATES = ["triggered", "acknowledged"];
const Incidents = z.object({ incidents: z.array(z.unknown()) });

export const pagerduty = notifierKind({
  kind: "pagerduty",
  options: z.strictObject({
    routingKey: secretText.refine(
      (key) => /^[A-Za-z0-9]{32}$/.test(key.reveal()),
      "expected the 32 characters of an integration key",
    ),
    url: z.url({ protocol: /^https?$/ }).default("https://events.pagerduty.com/v2/enqueue"),
    /** A read-only key of the REST API: with it PagerDuty is asked whether what was closed is closed. */
    apiToken: z.exactOptional(secretText),
    apiUrl: z.url({ protocol: /^https?$/ }).default("https://api.pagerduty.com"),
  }),
  open: (options, { post, now }) => ({
    async send(notification, signal) {
      let result: SendResult = { result: "ok", certainty: "accepted" };
      for (const event of eventsOf(notification)) {
        const body = JSON.stringify({ routing_key: options.routingKey.reveal(), ...event });
        const answer = await post({ url: options.url, headers: { "content-type": "application/json" }, body }, signal);
        result = resultOf(answer, now(), "accepted");
        if (result.result !== "ok") break;
      }
      return result;
    },
    async isOpen({ key }, signal) {
      if (options.apiToken === undefined) return undefined;
      const query = new URLSearchParams([["incident_key", key], ...OPEN_STATES.map((state) => ["statuses[]", state])]);
      const headers = {
        authorization: `Token token=${options.apiToken.reveal()}`,
        accept: "application/vnd.pagerduty+json;version=2",
      };
      const answer = await post({ url: `${options.apiUrl}/incidents?${query}`, method: "GET", headers }, signal);
      const read = Incidents.safeParse(jsonOf(answer));
      return answer.status === 200 && read.success ? read.data.incidents.length > 0 : undefined;
    },
  }),
});

/** The events of a notification, without their routing key; an acknowledgement carries the newest text before it. */
function eventsOf(notification: Notification): readonly Record<string, unknown>[] {
  const { action, key, reason } = notification;
  if (action === "resolve") return [{ event_action: "resolve", dedup_key: key }];
  const trigger = triggerOf(notification);
  return reason === "acknowledged" ? [trigger, { event_action: "acknowledge", dedup_key: key }] : [trigger];
}

function triggerOf({ key, page, incident, test }: Notification): Record<string, unknown> {
  const link =
    page.link === undefined ? {} : { client_url: page.link, links: [{ href: page.link, text: "Open the incident" }] };
  return {
    event_action: "trigger",
    dedup_key: key,
    client: "Culprit",
    ...link,
    payload: {
      summary: cut(plainLine(titleOf(page, test)), SUMMARY_MAX),
      source: cut(subjectOf(incident), 255),
      severity: SEVERITIES[incident.severity],
      timestamp: incident.startedAt,
      class: incident.playbook,
      custom_details: {
        ...detailsOf(page),
        Page: cut(renderContent(page, { width: 80 }), DETAILS_TEXT_MAX),
      },
    },
  };
}

/** The sections by their labels; several of one label stand together. */
function detailsOf(page: PageContent): Readonly<Record<string, readonly string[]>> {
  const details = new Map<string, string[]>();
  for (const { label, text, items } of sectionsOf(page)) {
    const lines = [text, ...items].filter((line) => line !== "").map(plainLine);
    const name = label === "" ? "Text" : plainLine(label);
    details.set(name, [...(details.get(name) ?? []), ...lines]);
  }
  return Object.fromEntries(details);
}
