/**
 * incident.io, an HTTP alert source. The key is the `deduplication_key`; `firing` again changes the text, `resolved` ends
 * it. 202 means accepted.
 *
 * Source: incident.io Alert Events V2, "create HTTP" (512 KiB; the description is Markdown); 429 is not final.
 */
import { cut, maskSecrets, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { markdownContent } from "../page-markdown.ts";
import { titleOf } from "../sections.ts";

const TITLE_MAX = 500;
const DESCRIPTION_MAX = 50_000;

export const incidentIo = notifierKind({
  kind: "incident-io",
  options: z.strictObject({
    /** The id of the alert source, the end of its URL. */
    source: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
    token: secretText,
    url: z.url({ protocol: /^https?$/ }).default("https://api.incident.io"),
  }),
  open: ({ source, token, url }, { post, now }) => ({
    async send(notification, signal) {
      const headers = { "content-type": "application/json", authorization: `Bearer ${token.reveal()}` };
      const request = { url: `${url}/v2/alert_events/http/${source}`, headers };
      const body = JSON.stringify(eventOf(notification));
      return resultOf(await post({ ...request, body }, signal), now(), "accepted");
    },
  }),
});

function eventOf({ action, key, page, incident, test }: Notification): unknown {
  return {
    title: cut(plainLine(titleOf(page, test)), TITLE_MAX),
    description: cut(markdownContent(page), DESCRIPTION_MAX),
    deduplication_key: key,
    status: action === "resolve" ? "resolved" : "firing",
    ...(page.link === undefined ? {} : { source_url: page.link }),
    metadata: {
      severity: incident.severity,
      playbook: plainLine(incident.playbook),
      acknowledged: incident.status === "acknowledged",
      scope: incident.scope.slice(0, 20).map(({ kind, id }) => `${kind} ${cut(plainLine(maskSecrets(id)), 255)}`),
    },
  };
}
