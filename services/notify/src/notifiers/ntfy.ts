/**
 * ntfy: a push on the phone. The short page as its text, the console one tap away, answers as buttons.
 *
 * Source: ntfy "Publish as JSON" (message 4,096 bytes, longer ones become files; priorities 1 to 5; three action buttons).
 */
import { cut, plainLine, type Severity } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { shortLines } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { titleOf } from "../sections.ts";
import { cutBytes } from "./cut-bytes.ts";

const MESSAGE_MAX_BYTES = 3_800;
const TITLE_MAX = 250;
const ACTIONS_MAX = 3;
const PRIORITIES: Readonly<Record<Severity, number>> = { critical: 5, high: 4, medium: 3, low: 2, info: 1 };

export const ntfy = notifierKind({
  kind: "ntfy",
  options: z.strictObject({
    url: z.url({ protocol: /^https?$/ }).default("https://ntfy.sh"),
    topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/),
    token: z.exactOptional(secretText),
  }),
  open: ({ url, topic, token }, { post, now }) => ({
    async send(notification, signal) {
      const login = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
      const headers = { "content-type": "application/json", ...login };
      const body = JSON.stringify({ topic, ...messageOf(notification) });
      return resultOf(await post({ url, headers, body }, signal), now(), "delivered");
    },
  }),
});

function messageOf({ action, page, incident, test }: Notification): Record<string, unknown> {
  const lines = [...(page.body === undefined ? [page.when] : []), ...shortLines(page)].map(plainLine);
  return {
    title: cut(plainLine(titleOf(page, test)), TITLE_MAX),
    message: cutBytes(lines.join("\n"), MESSAGE_MAX_BYTES),
    priority: action === "trigger" ? PRIORITIES[incident.severity] : 3,
    tags: [page.over ? "white_check_mark" : "rotating_light"],
    ...(page.link === undefined ? {} : { click: page.link }),
    ...actionsOf(page),
  };
}

/** Buttons of the push: the phone posts to the signed link, which does what it says without asking. */
function actionsOf({ replies }: PageContent): Record<string, unknown> {
  const actions = replies.flatMap(({ label, url }) =>
    url === undefined ? [] : [{ action: "http", label, url, method: "POST", clear: true }],
  );
  return actions.length === 0 ? {} : { actions: actions.slice(0, ACTIONS_MAX) };
}
