/**
 * Any receiver of Alertmanager's webhook body: many tools take it. Each message is a group of one alert; the key is both
 * its `groupKey` and its fingerprint's text.
 *
 * Source: Alertmanager "webhook_config", body version 4.
 */
import { cut, isoOf, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { causeLine, renderContent } from "../page.ts";
import { subjectName } from "../subject.ts";

const LABEL_MAX = 200;
const PAGE_MAX = 20_000;
/** What Alertmanager writes as the end of an alert that has none. */
const NO_END = "0001-01-01T00:00:00Z";

export const alertmanagerWebhook = notifierKind({
  kind: "alertmanager-webhook",
  isRecord: true,
  options: z.strictObject({
    url: z.url({ protocol: /^https?$/ }),
    token: z.exactOptional(secretText),
    receiver: z.string().max(LABEL_MAX).default("culprit"),
    labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/), z.string().max(LABEL_MAX)).default({}),
  }),
  open: ({ url, token, receiver, labels }, { post, now }) => ({
    async send(notification, signal) {
      const login = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
      const headers = { "content-type": "application/json", ...login };
      const body = JSON.stringify(groupOf(notification, { receiver, labels }));
      return resultOf(await post({ url, headers, body }, signal), now(), "delivered");
    },
  }),
});

function groupOf(
  { action, key, page, incident, at, reason }: Notification,
  own: { readonly receiver: string; readonly labels: Readonly<Record<string, string>> },
): unknown {
  const status = action === "resolve" ? "resolved" : "firing";
  const labels = {
    ...own.labels,
    alertname: cut(plainLine(incident.playbook), LABEL_MAX),
    instance: cut(subjectName(incident), LABEL_MAX),
    severity: incident.severity,
  };
  const annotations = {
    summary: cut(plainLine(page.title), 1_000),
    cause: cut(plainLine(causeLine(page)), 1_000),
    description: cut(renderContent(page, { width: 80 }), PAGE_MAX),
    reason,
  };
  const link = page.link ?? "";
  const alert = {
    status,
    labels,
    annotations,
    startsAt: incident.startedAt,
    endsAt: action === "resolve" ? (incident.endedAt ?? isoOf(at)) : NO_END,
    generatorURL: link,
    // Alertmanager's is 16 hex digits of a hash.
    fingerprint: key.slice(0, 16),
  };
  return {
    version: "4",
    groupKey: key,
    truncatedAlerts: 0,
    status,
    receiver: own.receiver,
    groupLabels: { alertname: labels.alertname, instance: labels.instance },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: link === "" ? "" : new URL(link).origin,
    alerts: [alert],
  };
}
