/**
 * Splunk HTTP Event Collector: each change of an incident as an event, for dashboards and reports. 200 means that it looks
 * valid, no more.
 *
 * Source: Splunk HEC (`/services/collector/event`; 503 busy, 400 and 403 final).
 */
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { subjectOf } from "../subject.ts";

export const splunkHec = notifierKind({
  kind: "splunk-hec",
  isRecord: true,
  options: z.strictObject({
    /** `https://splunk.corp:8088` */
    url: z.url({ protocol: /^https?$/ }),
    token: secretText,
    index: z.exactOptional(z.string().regex(/^[a-z0-9_][a-z0-9_-]{0,79}$/)),
    sourcetype: z.string().min(1).max(80).default("culprit:incident"),
  }),
  open: ({ url, token, index, sourcetype }, { post, now }) => ({
    async send(notification, signal) {
      const headers = { "content-type": "application/json", authorization: `Splunk ${token.reveal()}` };
      const where = { source: "culprit", sourcetype, ...(index === undefined ? {} : { index }) };
      const body = JSON.stringify({ ...where, ...eventOf(notification) });
      const address = `${url.replace(/\/+$/, "")}/services/collector/event`;
      return resultOf(await post({ url: address, headers, body }, signal), now(), "accepted");
    },
  }),
});

function eventOf({ action, reason, key, page, incident, at, test }: Notification): Readonly<Record<string, unknown>> {
  const link = page.link === undefined ? {} : { link: page.link };
  return {
    time: at / 1_000,
    host: subjectOf(incident),
    event: { action, reason, key, test, ...link, incident },
  };
}
