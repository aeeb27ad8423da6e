/**
 * GoAlert, generic API. The key is the `dedup`: a repeat joins the open alert, `action: close` ends it. It cannot be
 * acknowledged from outside, so an acknowledgement here only changes nothing there.
 *
 * Source: GoAlert "Generic API" (summary 1 KiB, details 6 KiB; 204 without a body).
 */
import { cut, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";
import { cutBytes } from "./cut-bytes.ts";

const SUMMARY_MAX_BYTES = 1_024;
const DETAILS_MAX_BYTES = 6 * 1_024;
const META_MAX = 200;

export const goalert = notifierKind({
  kind: "goalert",
  options: z.strictObject({
    /** The integration key's URL with its token; the whole of it is a secret. */
    url: secretText.refine((url) => URL.canParse(url.reveal()), "expected a URL"),
  }),
  open: (options, { post, now }) => ({
    async send(notification, signal) {
      // An acknowledgement sent as an alert would only count up there.
      if (notification.reason === "acknowledged") return { result: "ok", certainty: "accepted" };
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(alertOf(notification));
      return resultOf(await post({ url: options.url.reveal(), headers, body }, signal), now(), "accepted");
    },
  }),
});

function alertOf({ action, key, page, incident, test }: Notification): unknown {
  const link = page.link === undefined ? {} : { link: cut(page.link, META_MAX) };
  return {
    summary: cutBytes(plainLine(titleOf(page, test)), SUMMARY_MAX_BYTES),
    details: cutBytes(renderContent(page, { width: 80 }), DETAILS_MAX_BYTES),
    dedup: key,
    meta: { playbook: cut(plainLine(incident.playbook), META_MAX), severity: incident.severity, ...link },
    ...(action === "resolve" ? { action: "close" } : {}),
  };
}
