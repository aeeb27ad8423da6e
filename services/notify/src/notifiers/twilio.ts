/**
 * Twilio: a text message, or a call that reads the first lines aloud. One target is one number; a call is made for a new
 * page only, changes come as text.
 *
 * Source: Twilio Messages and Calls resources (body 1,600 characters, TwiML 4,000; 429 carries code 20429).
 */
import { cut, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { htmlText } from "../escape/html.ts";
import { resultOf } from "../http.ts";
import { type Notification, notifierKind } from "../notifier.ts";
import { causeLine, shortContent, shortLines } from "../page.ts";
import { titleOf } from "../sections.ts";

const BODY_MAX = 1_600;
const SPOKEN_MAX = 600;
const Phone = z.string().regex(/^\+[1-9]\d{6,14}$/, "expected a number such as +4712345678");

export const twilio = notifierKind({
  kind: "twilio",
  options: z.strictObject({
    account: z.string().regex(/^AC[0-9a-f]{32}$/),
    token: secretText,
    from: Phone,
    to: Phone,
    /** `call` rings for a new page. */
    channel: z.enum(["sms", "call"]).default("sms"),
    /** Characters of a text; each 70 to 160 of them cost a message. */
    lengthMax: z.int().min(100).max(BODY_MAX).default(480),
    url: z.url({ protocol: /^https?$/ }).default("https://api.twilio.com"),
  }),
  open: ({ account, token, from, to, channel, lengthMax, url }, { post, now }) => ({
    async send(notification, signal) {
      const login = Buffer.from(`${account}:${token.reveal()}`).toString("base64");
      const headers = { "content-type": "application/x-www-form-urlencoded", authorization: `Basic ${login}` };
      const rings = channel === "call" && notification.action === "trigger";
      const words: Record<string, string> = rings
        ? { Twiml: spoken(notification) }
        : { Body: textOf(notification, lengthMax) };
      const body = new URLSearchParams({ To: to, From: from, ...words }).toString();
      const resource = `${url}/2010-04-01/Accounts/${account}/${rings ? "Calls" : "Messages"}.json`;
      return resultOf(await post({ url: resource, headers, body }, signal), now(), "accepted");
    },
  }),
});

function textOf({ page, test }: Notification, lengthMax: number): string {
  const link = page.link === undefined ? "" : `\n${page.link}`;
  const drill = test ? "TEST, nothing has happened: " : "";
  const room = lengthMax - link.length - drill.length;
  // A link that leaves no room for words is left off.
  return room < lengthMax / 2
    ? drill + shortContent(page, lengthMax - drill.length)
    : drill + shortContent(page, room) + link;
}

/** Said twice: the first time one wakes up, the second time one listens. */
function spoken({ page, test }: Notification): string {
  const why = page.body === undefined ? causeLine(page) : shortLines(page).join(". ");
  const words = cut(plainLine(`${titleOf(page, test)}. ${why}.`), SPOKEN_MAX);
  return `<Response><Say loop="2">${htmlText(words)}</Say></Response>`;
}
