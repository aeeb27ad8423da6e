/**
 * Pushover. A page of severity high or above is of emergency priority: it sounds again until somebody confirms it on the
 * phone, and is called off when the incident is acknowledged here, or over.
 *
 * Source: Pushover Message API (message 1,024 characters, title 250, URL 512; retry at least 30 s, expire at most 10,800 s;
 * 4xx is final, 429 means that the month is used up), Receipts API.
 */
import { cut, plainLine, type Severity } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { type HttpAnswer, resultOf } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { shortContent } from "../page.ts";
import { titleOf } from "../sections.ts";

const MESSAGE_MAX = 1_024;
const TITLE_MAX = 250;
const URL_MAX = 512;
const EMERGENCY = 2;
const PRIORITIES: Readonly<Record<Severity, number>> = { critical: 2, high: 2, medium: 1, low: 0, info: -1 };
const Receipt = z.object({ receipt: z.string().regex(/^[A-Za-z0-9]{30}$/) });

export const pushover = notifierKind({
  kind: "pushover",
  options: z.strictObject({
    token: secretText,
    /** Of a person or a group. */
    user: secretText,
    retryEverySeconds: z.int().min(30).max(10_800).default(60),
    expireSeconds: z.int().min(30).max(10_800).default(3_600),
    url: z.url({ protocol: /^https?$/ }).default("https://api.pushover.net"),
  }),
  open: (options, { post, now }) => {
    const call = (
      path: string,
      fields: Readonly<Record<string, unknown>>,
      signal: AbortSignal,
    ): Promise<HttpAnswer> => {
      const body = JSON.stringify({ token: options.token.reveal(), ...fields });
      return post({ url: `${options.url}/1/${path}`, headers: { "content-type": "application/json" }, body }, signal);
    };
    return {
      async send(notification, signal): Promise<SendResult> {
        const { remote, action, reason, incident } = notification;
        const isDone = action === "resolve" || reason === "acknowledged";
        if (isDone && remote["receipt"] !== undefined && remote["receipt"] !== "") {
          const called = resultOf(
            await call(`receipts/${remote["receipt"]}/cancel.json`, {}, signal),
            now(),
            "accepted",
          );
          // A receipt that is no longer known has nothing left to sound.
          if (called.result === "later" || called.result === "auth") return called;
        }
        const priority = action === "trigger" ? PRIORITIES[incident.severity] : 0;
        const alarm = priority < EMERGENCY ? {} : { retry: options.retryEverySeconds, expire: options.expireSeconds };
        const fields = { user: options.user.reveal(), priority, ...alarm, ...messageOf(notification) };
        const answer = await call("messages.json", fields, signal);
        // The month's messages are used up: only time or a person helps, and the fallback should know at once.
        if (answer.status === 429) return { result: "auth", detail: "HTTP 429: no messages are left this month" };
        const result = resultOf(answer, now(), "accepted");
        if (result.result === "never" && /"(?:token|user)":\s?"invalid"/.test(answer.body)) {
          return { result: "auth", detail: result.detail };
        }
        if (result.result !== "ok") return result;
        const receipt = receiptOf(answer);
        return { ...result, remote: isDone ? { receipt: "" } : receipt === undefined ? {} : { receipt } };
      },
    };
  },
});

function messageOf({ page, incident, test }: Notification): Readonly<Record<string, unknown>> {
  const link = page.link === undefined || page.link.length > URL_MAX ? {} : { url: page.link, url_title: "Open" };
  return {
    title: cut(plainLine(titleOf(page, test)), TITLE_MAX),
    message: shortContent(page, MESSAGE_MAX),
    timestamp: Math.floor(Date.parse(incident.startedAt) / 1_000),
    ...link,
  };
}

function receiptOf({ body }: HttpAnswer): string | undefined {
  try {
    const read = Receipt.safeParse(JSON.parse(body));
    return read.success ? read.data.receipt : undefined;
  } catch {
    return undefined;
  }
}
