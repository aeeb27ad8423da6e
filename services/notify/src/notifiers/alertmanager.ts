/**
 * Prometheus Alertmanager, API v2. The key is a label, so it groups and silences like any alert. An alert lives only as
 * long as it is posted again, to each replica itself: this kind repeats by itself, and the end of an alert is set far
 * enough for a few lost repeats.
 *
 * Source: Alertmanager OpenAPI v2 (label values are strings; 400 and 500 bodies are plain text), "Clients" (re-send).
 */
import { cut, isoOf, MINUTE_MS, plainLine } from "@culprit/model";
import { z } from "zod";
import { jsonOf, resultOf, resultOfFault } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { causeLine, renderContent } from "../page.ts";
import { subjectName } from "../subject.ts";

const REPEAT_MS = 2 * MINUTE_MS;
/** Four repeats may be lost before an alert ends. */
const LIFE_MS = 5 * REPEAT_MS;
const LABEL_MAX = 200;
const PAGE_MAX = 20_000;

const Alerts = z.array(z.unknown());

export const alertmanager = notifierKind({
  kind: "alertmanager",
  isRecord: true,
  keepAliveMs: REPEAT_MS,
  options: z.strictObject({
    /** Every replica, not a balancer in front of them. */
    urls: z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .max(10),
    labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/), z.string().max(LABEL_MAX)).default({}),
  }),
  open: ({ urls, labels }, { post, now }) => ({
    async send(notification, signal) {
      const identity = identityOf(notification);
      const body = JSON.stringify([alertOf(notification, { ...labels, ...identity })]);
      const headers = { "content-type": "application/json" };
      const results = await Promise.all(
        urls.map(async (url): Promise<SendResult> => {
          const request = { url: `${url.replace(/\/+$/, "")}/api/v2/alerts`, headers, body };
          return post(request, signal).then((answer) => resultOf(answer, now(), "accepted"), resultOfFault);
        }),
      );
      // Replicas tell each other what they have sent, so one of them is enough; the next repeat reaches the others.
      const taken = results.some(({ result }) => result === "ok");
      if (taken) return { result: "ok", certainty: "accepted", remote: identity };
      return results[0] ?? { result: "never", detail: "no address" };
    },
    async isOpen({ key }, signal) {
      const query = new URLSearchParams({ filter: `culprit_key="${key}"`, active: "true" });
      const answers = await Promise.all(
        urls.map((url) => post({ url: `${url.replace(/\/+$/, "")}/api/v2/alerts?${query}`, method: "GET" }, signal)),
      );
      const alerts = answers.map((answer) => (answer.status === 200 ? Alerts.safeParse(jsonOf(answer)) : undefined));
      if (alerts.some((read) => read?.success !== true)) return undefined;
      return alerts.some((read) => (read?.data?.length ?? 0) > 0);
    },
  }),
});

/** The labels that make an alert that alert: fixed by its first message, whatever incident its page belongs to later. */
function identityOf({ key, incident, remote }: Notification): Readonly<Record<string, string>> {
  return {
    alertname: remote["alertname"] ?? cut(plainLine(incident.playbook), LABEL_MAX),
    instance: remote["instance"] ?? cut(subjectName(incident), LABEL_MAX),
    culprit_key: key,
  };
}

function alertOf({ action, incident, page, at }: Notification, labels: Readonly<Record<string, string>>): unknown {
  return {
    labels,
    annotations: {
      severity: incident.severity,
      summary: cut(plainLine(page.title), 1_000),
      cause: cut(plainLine(causeLine(page)), 1_000),
      description: cut(renderContent(page, { width: 80 }), PAGE_MAX),
    },
    startsAt: incident.startedAt,
    endsAt: action === "resolve" ? isoOf(at) : isoOf(at + LIFE_MS),
    ...(page.link === undefined ? {} : { generatorURL: page.link }),
  };
}
