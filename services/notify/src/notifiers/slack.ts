/**
 * Slack: an incoming webhook, or a bot that edits its message when something changes and tells what changed in the thread.
 *
 * A bot's answer is HTTP 200 with `ok: false` when something is wrong; the word in `error` says what kind of wrong. A
 * webhook cannot edit, so each change is a message of its own.
 * Source: Slack Web API (chat.postMessage, chat.update), incoming webhooks; 429 carries Retry-After.
 */
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { type HttpAnswer, type HttpPost, resultOf } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { slackLine, slackMessage } from "./slack-blocks.ts";

const AUTH_ERRORS = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "missing_scope",
  "no_permission",
  "channel_not_found",
  "not_in_channel",
  "is_archived",
  "ekm_access_denied",
  "org_login_required",
  "team_access_not_granted",
]);
const LATER_ERRORS = new Set([
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
]);
const LOUD_REASONS = new Set(["severity-changed", "reopened"]);
/** The message is gone or may not be edited any more: a new one is posted. */
const GONE_ERRORS = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);

export const slackWebhook = notifierKind({
  kind: "slack-webhook",
  options: z.strictObject({
    /** The whole URL is a secret. */
    url: secretText.refine((url) => URL.canParse(url.reveal()), "expected a URL"),
  }),
  open: (options, { post, now }) => ({
    async send({ page, test }, signal) {
      const body = JSON.stringify(slackMessage(page, test));
      const answer = await post(
        { url: options.url.reveal(), headers: { "content-type": "application/json" }, body },
        signal,
      );
      // 404 and 410 mean that the webhook or its channel is gone: a person has to make a new one.
      if (answer.status === 404 || answer.status === 410)
        return { result: "auth", detail: `HTTP ${answer.status}: ${answer.body.slice(0, 100)}` };
      return resultOf(answer, now(), "delivered");
    },
  }),
});

export const slack = notifierKind({
  kind: "slack",
  options: z.strictObject({
    token: secretText.refine((token) => token.reveal().startsWith("xox"), "expected a bot token (xoxb-…)"),
    /** The id (`C…`) rather than the name: names change. */
    channel: z.string().min(1).max(80),
    url: z.url({ protocol: /^https?$/ }).default("https://slack.com/api"),
  }),
  open: (options, { post, now, interactive }) => {
    const call = caller(post, options.url, options.token.reveal());
    return {
      async send(notification, signal) {
        const message = slackMessage(notification.page, notification.test, interactive.has("slack"));
        const { channel, ts } = notification.remote;
        // A story that has returned is a message of its own: an edit of the old one would wake nobody.
        if (notification.action !== "trigger" && channel !== undefined && ts !== undefined) {
          const edited = await call("chat.update", { channel, ts, ...message }, signal);
          const result = slackResult(edited, now());
          if (result.result === "ok") {
            // What changed is said in the thread; the page itself is right already, so a failure here is not one.
            await call(
              "chat.postMessage",
              { channel, thread_ts: ts, ...slackLine(changeText(notification)), ...broadcastOf(notification) },
              signal,
            ).catch(() => undefined);
            return { ...result, remote: { channel, ts } };
          }
          if (!GONE_ERRORS.has(errorOf(edited))) return result;
        }
        const posted = await call(
          "chat.postMessage",
          { channel: options.channel, unfurl_links: false, ...message },
          signal,
        );
        const result = slackResult(posted, now());
        const answer = readAnswer(posted);
        if (result.result !== "ok" || answer.ts === undefined || answer.channel === undefined) return result;
        return { ...result, remote: { channel: answer.channel, ts: answer.ts } };
      },
    };
  },
});

function caller(post: HttpPost, url: string, token: string) {
  return (method: string, body: unknown, signal: AbortSignal): Promise<HttpAnswer> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json; charset=utf-8" };
    return post({ url: `${url}/${method}`, headers, body: JSON.stringify(body) }, signal);
  };
}

function changeText({ action, reason, page }: Notification): string {
  const why = reason.replaceAll("-", " ");
  return action === "resolve"
    ? `It is over (${why}).`
    : `Changed: ${why}. ${page.clear ? "Probable cause" : "Cause not clear"}: ${page.headline}`;
}

/** What people should not miss is shown in the channel too, which an edit and a thread are not. */
function broadcastOf({ reason }: Notification): Readonly<Record<string, boolean>> {
  return LOUD_REASONS.has(reason) ? { reply_broadcast: true } : {};
}

const Answer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  ts: z.string().optional(),
  channel: z.string().optional(),
});

function readAnswer(answer: HttpAnswer): z.infer<typeof Answer> {
  try {
    return Answer.parse(JSON.parse(answer.body));
  } catch {
    return { ok: false, error: "unreadable_answer" };
  }
}

function errorOf(answer: HttpAnswer): string {
  return readAnswer(answer).error ?? "";
}

/** What an answer of the Web API means. */
function slackResult(answer: HttpAnswer, now: number): SendResult {
  const { ok, error = "" } = answer.status === 200 ? readAnswer(answer) : { ok: false };
  if (ok) return { result: "ok", certainty: "delivered" };
  if (answer.status !== 200) return resultOf(answer, now, "delivered");
  const detail = `Slack: ${error.slice(0, 100)}`;
  if (AUTH_ERRORS.has(error)) return { result: "auth", detail };
  if (LATER_ERRORS.has(error) || error === "unreadable_answer") return { result: "later", detail, uncertain: true };
  return { result: "never", detail };
}
