/**
 * Telegram's bot webhook: a button below a page is pressed. Telegram signs nothing; it sends the secret that was given when
 * the webhook was set. The answer to the press goes back as the answer to the call.
 *
 * Source: Bot API (setWebhook `secret_token`, X-Telegram-Bot-Api-Secret-Token; CallbackQuery, `data` of at most 64 bytes;
 * "making requests when getting updates").
 */
import { ID_PATTERN, type IncidentId } from "@culprit/model";
import { z } from "zod";
import { REPLIES, type Reply } from "../reply.ts";
import { type Callback, jsonOf, NOTHING_ASKED, nameOf, type Outcome } from "./asked.ts";
import { isOneOf, type Keys } from "./signature.ts";

const Update = z.object({
  update_id: z.int(),
  callback_query: z.exactOptional(
    z.object({
      id: z.string().min(1).max(100),
      from: z.object({ id: z.int(), username: z.string().optional(), first_name: z.string().optional() }),
      message: z.object({ chat: z.object({ id: z.int(), username: z.string().optional() }) }).optional(),
      data: z.string().max(64).optional(),
    }),
  ),
});

const ANSWERS: Readonly<Record<Outcome, string>> = {
  done: "Done.",
  repeated: "Done already.",
  over: "It is over already.",
  "unknown-incident": "This incident is not known any more.",
  unfit: "This cannot be done here.",
};

/** The `callback_data` of a reply's button: 64 bytes are allowed, so the id is written shorter. */
export function telegramData(reply: Reply, incident: IncidentId): string {
  return `${reply}:${Buffer.from(incident, "hex").toString("base64url")}`;
}

/**
 * Reads Telegram's calls. Only presses in the chats that our pages go to count: a message can be forwarded, buttons and all.
 */
export function telegramCallback(options: {
  readonly secretTokens: Keys;
  /** Numbers, or names with their `@`. */
  readonly chats: readonly (string | number)[];
}): Callback {
  const chats = new Set(options.chats.map((chat) => String(chat).toLowerCase()));
  return {
    name: "telegram",
    receive({ header, body, address }) {
      if (!isOneOf(options.secretTokens, header("x-telegram-bot-api-secret-token") ?? ""))
        return { refused: "signature" };
      const read = Update.safeParse(jsonOf(body.toString("utf8")));
      if (!read.success) return { refused: "unreadable" };
      const query = read.data.callback_query;
      const chat = query?.message?.chat;
      if (query === undefined || chat === undefined) return NOTHING_ASKED;
      const answer = (outcomes: readonly Outcome[]): unknown => {
        const text = ANSWERS[outcomes[0] ?? "unfit"];
        return { method: "answerCallbackQuery", callback_query_id: query.id, text };
      };
      const isOurs = chats.has(String(chat.id)) || chats.has(`@${chat.username ?? ""}`.toLowerCase());
      const [word, id = ""] = query.data?.split(":") ?? [];
      const kind = REPLIES.find((reply) => reply === word);
      const incident = Buffer.from(id, "base64url").toString("hex") as IncidentId;
      if (!isOurs || kind === undefined || !ID_PATTERN.test(incident)) return { asked: [], answer };
      const { from } = query;
      const who = nameOf([from.username, from.first_name, String(from.id)]);
      const origin = { via: "telegram", address, detail: String(from.id) } as const;
      return { asked: [{ kind, incident, seed: ["telegram", query.id], who, from: origin }], answer };
    },
  };
}
