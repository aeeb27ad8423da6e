/**
 * Splunk On-Call (VictorOps), REST integration. The key is the `entity_id`; an acknowledgement made here stops the paging
 * there.
 *
 * Source: Splunk On-Call REST endpoint integration (state_message about 20,480 characters).
 */
import { cut, plainLine, type Severity } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";

const MESSAGE_MAX = 20_000;
const NAME_MAX = 500;
const TYPES: Readonly<Record<Severity, string>> = {
  critical: "CRITICAL",
  high: "CRITICAL",
  medium: "WARNING",
  low: "WARNING",
  info: "INFO",
};

export const splunkOncall = notifierKind({
  kind: "splunk-oncall",
  options: z.strictObject({
    /** The integration's URL with its API key and routing key; the whole of it is a secret. */
    url: secretText.refine((url) => URL.canParse(url.reveal()), "expected a URL"),
  }),
  open: (options, { post, now }) => ({
    async send(notification, signal) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(alertOf(notification));
      return resultOf(await post({ url: options.url.reveal(), headers, body }, signal), now(), "accepted");
    },
  }),
});

function alertOf({ action, reason, key, page, incident, test }: Notification): unknown {
  const type =
    action === "resolve" ? "RECOVERY" : reason === "acknowledged" ? "ACKNOWLEDGEMENT" : TYPES[incident.severity];
  return {
    message_type: type,
    entity_id: key,
    entity_display_name: cut(plainLine(titleOf(page, test)), NAME_MAX),
    state_message: cut(renderContent(page, { width: 80 }), MESSAGE_MAX),
    state_start_time: Math.floor(Date.parse(incident.startedAt) / 1_000),
    monitoring_tool: "Culprit",
    ...(page.link === undefined ? {} : { alert_url: page.link }),
  };
}
