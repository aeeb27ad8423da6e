/**
 * Syslog over TLS (or TCP): each change of an incident as one message, as CEF or as structured data, framed by octet
 * counting. Syslog answers nothing, so "accepted" is what the connection took.
 *
 * Source: RFC 5424 (format), RFC 5425 (TLS), RFC 6587 3.4.1 (octet counting); ArcSight CEF 0 (`\` and `|` escaped in the
 * header, `\`, `=` and line breaks in the extension).
 */
import { isoOf, plainLine, type Severity } from "@culprit/model";
import { z } from "zod";
import { type Notification, notifierKind } from "../notifier.ts";
import { causeLine } from "../page.ts";
import { titleOf } from "../sections.ts";
import { subjectOf } from "../subject.ts";
import { tcpTalk } from "../tcp.ts";
import { cutBytes } from "./cut-bytes.ts";

const FACILITY_MAX = 23;
const NOTICE = 5;
const SYSLOG_SEVERITIES: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5, info: 6 };
const CEF_SEVERITIES: Readonly<Record<Severity, number>> = { critical: 10, high: 8, medium: 5, low: 3, info: 1 };
/** Receivers take 8 KiB by default; the rest is for header and framing. */
const FIELD_MAX_BYTES = 1_000;
/** The number that RFC 5612 keeps for whoever has none of their own. */
const ENTERPRISE = "32473";
const Token = z.string().regex(/^[\x21-\x7e]{1,48}$/, "expected printable ASCII without spaces");

export const syslog = notifierKind({
  kind: "syslog",
  isRecord: true,
  options: z.strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(6_514),
    /** `none` is for a network that is trusted. */
    tls: z.enum(["tls", "none"]).default("tls"),
    /** PEM certificates to trust instead of the system's. */
    ca: z.exactOptional(z.string().max(100_000)),
    format: z.enum(["cef", "rfc5424"]).default("cef"),
    facility: z.int().min(0).max(FACILITY_MAX).default(16),
    hostName: Token.default("culprit"),
  }),
  open: ({ host, port, tls, ca, format, facility, hostName }, { addressOf, trust }) => ({
    async send(notification, signal) {
      const message = (format === "cef" ? cefMessage : structuredMessage)(notification, { facility, hostName });
      const bytes = Buffer.from(message, "utf8");
      const payload = Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
      const address = await addressOf(host);
      await tcpTalk(
        { host, address, port, tls: tls === "tls", ca: ca === undefined ? trust : [ca], payload, answers: false },
        signal,
      );
      return { result: "ok", certainty: "accepted" };
    },
  }),
});

interface Header {
  readonly facility: number;
  readonly hostName: string;
}

/** `<PRI>1 time host app - MSGID ` */
function headerOf({ action, incident, at }: Notification, { facility, hostName }: Header): string {
  const severity = action === "resolve" ? NOTICE : SYSLOG_SEVERITIES[incident.severity];
  return `<${facility * 8 + severity}>1 ${isoOf(at)} ${hostName} culprit - ${action}`;
}

function structuredMessage(notification: Notification, header: Header): string {
  const { page, test } = notification;
  const data = Object.entries(fieldsOf(notification)).map(([name, value]) => `${name}="${structuredValue(value)}"`);
  const text = cutBytes(plainLine(`${titleOf(page, test)}. ${causeLine(page)}`), 2 * FIELD_MAX_BYTES);
  return `${headerOf(notification, header)} [culprit@${ENTERPRISE} ${data.join(" ")}] ${text}`;
}

function fieldsOf({ action, reason, key, page, incident }: Notification): Readonly<Record<string, string>> {
  const { playbook, severity, status } = incident;
  return { key, action, reason, playbook, severity, status, subject: subjectOf(incident), link: page.link ?? "" };
}

function cefMessage(notification: Notification, header: Header): string {
  const { action, reason, key, page, incident, test } = notification;
  const head = ["Culprit", "Culprit", "1", incident.playbook, titleOf(page, test)].map(cefHeader).join("|");
  const extension: Readonly<Record<string, string>> = {
    externalId: key,
    act: action,
    outcome: reason,
    dhost: subjectOf(incident),
    reason: causeLine(page),
    start: String(Date.parse(incident.startedAt)),
    cs1Label: "link",
    cs1: page.link ?? "",
    cs2Label: "status",
    cs2: incident.status,
    msg: page.actions[0] ?? "",
  };
  const fields = Object.entries(extension).filter(([, value]) => value !== "");
  const text = fields.map(([name, value]) => `${name}=${cefValue(value)}`).join(" ");
  return `${headerOf(notification, header)} - CEF:0|${head}|${CEF_SEVERITIES[incident.severity]}|${text}`;
}

function short(text: string): string {
  return cutBytes(plainLine(text), FIELD_MAX_BYTES);
}

function structuredValue(text: string): string {
  return short(text).replace(/["\\\]]/g, "\\$&");
}

function cefHeader(text: string): string {
  return short(text).replace(/[\\|]/g, "\\$&");
}

function cefValue(text: string): string {
  return short(text).replace(/[\\=]/g, "\\$&");
}
