/**
 * Telegram, a bot in a chat. The page is one message that is edited when something changes; what is graver than an edit can
 * tell (a new page, the end) is a message that sounds, as a reply to it.
 *
 * The text is preformatted: there Telegram finds no mention, command or link in what events say. 429 carries the wait in
 * its JSON.
 * Source: Bot API (sendMessage, editMessageText: 4,096 characters after entities), ResponseParameters.
 */
import { cut } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { telegramData } from "../callbacks/telegram.ts";
import { htmlText } from "../escape/html.ts";
import { type HttpAnswer, resultOf } from "../http.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { titleOf } from "../sections.ts";

const TEXT_MAX = 4_096;
const PAGE_WIDTH = 48;

const Answer = z.object({
  ok: z.boolean(),
  description: z.exactOptional(z.string()),
  result: z.exactOptional(z.unknown()),
  parameters: z.exactOptional(z.object({ retry_after: z.exactOptional(z.number().min(0).max(86_400)) })),
});
type Answer = z.output<typeof Answer>;
const Message = z.object({ message_id: z.int() });

export const telegram = notifierKind({
  kind: "telegram",
  options: z.strictObject({
    token: secretText.refine((token) => /^\d{1,20}:[\w-]{20,80}$/.test(token.reveal()), "expected a bot token"),
    /** The chat's number, or `@name` of a channel. */
    chat: z.union([z.int(), z.string().regex(/^(?:-?\d{1,20}|@\w{1,64})$/)]),
    url: z.url({ protocol: /^https?$/ }).default("https://api.telegram.org"),
  }),
  open: ({ token, chat, url }, { post, now, interactive }) => {
    const call = async (method: string, fields: Readonly<Record<string, unknown>>, signal: AbortSignal) => {
      const body = JSON.stringify({ chat_id: chat, ...fields });
      const headers = { "content-type": "application/json" };
      const answer = await post({ url: `${url}/bot${token.reveal()}/${method}`, headers, body }, signal);
      return { answer, said: readAnswer(answer) };
    };
    return {
      async send(notification, signal): Promise<SendResult> {
        const { remote, action } = notification;
        const message = messageOf(notification, interactive.has("telegram"));
        const id = Number(remote["message"]);
        if (action !== "trigger" && Number.isInteger(id) && id > 0) {
          const edited = await call("editMessageText", { message_id: id, ...message }, signal);
          const result = resultOfAnswer(edited.answer, edited.said, now());
          if (result.result === "ok") {
            // The page itself is right already, so a failure to say so below it is not one.
            if (action === "resolve")
              await call("sendMessage", replyOf(notification, id), signal).catch(() => undefined);
            return result;
          }
          if (!isGone(edited.said)) return result;
        }
        const { answer, said } = await call("sendMessage", message, signal);
        const result = resultOfAnswer(answer, said, now());
        const sent = Message.safeParse(said?.result);
        if (result.result !== "ok" || !sent.success) return result;
        return { ...result, remote: { message: String(sent.data.message_id) } };
      },
    };
  },
});

function messageOf({ page, test }: Notification, isInteractive: boolean): Readonly<Record<string, unknown>> {
  const drill = test ? "TEST, nothing has happened\n" : "";
  const text = cut(`${drill}${renderContent(page, { width: PAGE_WIDTH })}`, TEXT_MAX);
  const lines = text.split("\n").map(htmlText).join("\n");
  return {
    text: `<pre>${lines}</pre>`,
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    ...keyboardOf(page, isInteractive),
  };
}

type TelegramButton = { readonly text: string } & ({ readonly url: string } | { readonly callback_data: string });

/** Buttons below the message, in one row: links, or presses that come back to us. */
function keyboardOf({ link, replies }: PageContent, isInteractive: boolean): Readonly<Record<string, unknown>> {
  // A button to an address that is no public one is refused with the whole message.
  const linked = (text: string, url: string | undefined): TelegramButton[] =>
    url?.startsWith("https://") === true ? [{ text, url }] : [];
  const answers = replies.flatMap(({ reply, incident, label, url }): TelegramButton[] =>
    isInteractive ? [{ text: label, callback_data: telegramData(reply, incident) }] : linked(label, url),
  );
  const rows = [linked("Open", link), answers].filter((row) => row.length > 0);
  return rows.length === 0 ? {} : { reply_markup: { inline_keyboard: rows } };
}

function replyOf({ page, test }: Notification, id: number): Readonly<Record<string, unknown>> {
  const reply_parameters = { message_id: id, allow_sending_without_reply: true };
  return { text: `<pre>${htmlText(cut(titleOf(page, test), TEXT_MAX))}</pre>`, parse_mode: "HTML", reply_parameters };
}

function readAnswer({ body }: HttpAnswer): Answer | undefined {
  try {
    const read = Answer.safeParse(JSON.parse(body));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

function resultOfAnswer(answer: HttpAnswer, said: Answer | undefined, now: number): SendResult {
  if (said?.ok === true) return { result: "ok", certainty: "delivered" };
  const detail = `HTTP ${answer.status}: ${said?.description ?? ""}`;
  // An edit that changes nothing is refused, and is as it should be.
  if (said?.description?.includes("message is not modified") === true) return { result: "ok", certainty: "delivered" };
  const seconds = said?.parameters?.retry_after;
  if (seconds !== undefined) return { result: "later", detail, uncertain: false, retryAfterMs: seconds * 1_000 };
  // No such bot, or no such chat for it.
  const isLost = answer.status === 404 || said?.description?.includes("chat not found") === true;
  return isLost ? { result: "auth", detail } : resultOf(answer, now, "delivered");
}

/** The message is gone or too old to be edited: a new one is sent. */
function isGone(said: Answer | undefined): boolean {
  return /message to edit not found|message can't be edited/.test(said?.description ?? "");
}
