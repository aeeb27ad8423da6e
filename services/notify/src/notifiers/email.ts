/**
 * Mail over SMTP, as text and HTML. All mails about one outage hang together: the first has a Message-ID made of the key,
 * later ones answer to it under the same subject. 4yz is tried again, 5yz is not. Plain text is never fallen back to.
 *
 * Source: RFC 5321 section 4.2.1 (reply codes), RFC 5322 section 3.6.4 (threads); Outlook threads by subject.
 */
import { isIP } from "node:net";
import { contentId, cut, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { createTransport } from "nodemailer";
import { z } from "zod";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { htmlContent } from "../page-html.ts";
import { titleOf } from "../sections.ts";

const SUBJECT_MAX = 200;
/** One step of the conversation may take this long; then the connection is closed. */
const STEP_TIMEOUT_MS = 10_000;
const Address = z
  .string()
  .regex(/^[^\s<>@",;\\]{1,64}@[^\s<>@",;\\]{1,253}$/, "expected an address such as oncall@example.com");

export const email = notifierKind({
  kind: "email",
  options: z.strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(587),
    /** `starttls` refuses to go on without it; `none` is for a relay on this machine. */
    tls: z.enum(["starttls", "implicit", "none"]).default("starttls"),
    user: z.exactOptional(z.string()),
    password: z.exactOptional(secretText),
    from: Address,
    to: z.array(Address).min(1).max(50),
  }),
  open: (options, { addressOf, trust }) => ({
    async send(notification) {
      // The address that was checked is the one connected to; the name is for the certificate.
      const host = await addressOf(options.host);
      const { tls, port, user, password } = options;
      const transport = createTransport({
        host,
        port,
        secure: tls === "implicit",
        requireTLS: tls === "starttls",
        ignoreTLS: tls === "none",
        tls: tlsOf(options.host, trust),
        connectionTimeout: STEP_TIMEOUT_MS,
        greetingTimeout: STEP_TIMEOUT_MS,
        socketTimeout: STEP_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password.reveal() } }),
      });
      try {
        const subject = notification.remote["subject"] ?? subjectOf(notification);
        const sent = await transport.sendMail({
          from: options.from,
          to: options.to,
          subject,
          ...mailOf(notification, options.from),
        });
        return {
          result: "ok",
          certainty: "accepted",
          remote: { subject, messageId: notification.remote["messageId"] ?? sent.messageId },
        };
      } catch (error) {
        return resultOfMail(error);
      } finally {
        transport.close();
      }
    },
  }),
});

/** A certificate may be for an address; it then has no name to ask for. */
function tlsOf(host: string, trust: readonly string[] | undefined) {
  const name = isIP(host) === 0 ? { servername: host } : {};
  return { ...name, ...(trust === undefined ? {} : { ca: [...trust] }) };
}

function subjectOf({ page, test }: Notification): string {
  return cut(plainLine(titleOf(page, test)), SUBJECT_MAX);
}

/** The signed links in full, each on a line of its own: a mail is read by the person it was sent to. */
function repliesText({ replies }: PageContent): string {
  const lines = replies.flatMap(({ label, url }) => (url === undefined ? [] : [`${label}: ${url}`]));
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

function mailOf(notification: Notification, from: string) {
  const { key, action, reason, page, remote, since } = notification;
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const first = `<${key}@${domain}>`;
  const isFirst = remote["messageId"] === undefined;
  const own = `<${contentId("mail", key, action, reason, String(since))}@${domain}>`;
  return {
    messageId: isFirst ? first : own,
    ...(isFirst ? {} : { inReplyTo: first, references: first }),
    text: `${renderContent(page, { width: 78 })}\n${repliesText(page)}`,
    html: htmlContent(page),
    headers: { "Auto-Submitted": "auto-generated", "X-Culprit-Key": key },
  };
}

/**
 * What an error of the transport means.
 * @internal
 */
export function resultOfMail(error: unknown): SendResult {
  const { code, responseCode, message } = error as { code?: string; responseCode?: number; message?: string };
  const detail = `SMTP: ${cut(plainLine(message ?? String(error)), 300)}`;
  if (code === "EAUTH" || code === "ENOAUTH") return { result: "auth", detail };
  if (code === "ETLS") return { result: "auth", detail };
  if (responseCode !== undefined && responseCode >= 500) return { result: "never", detail };
  // Once the text has been handed over the answer may be lost, and the mail there all the same.
  return { result: "later", detail, uncertain: code === "ECONNECTION" || code === "ESOCKET" || code === "ETIMEDOUT" };
}
