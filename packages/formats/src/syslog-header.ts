/**
 * What a syslog sender puts before a message: priority, time, host, in RFC 5424, RFC 3164 and the many forms between. Text
 * in; the header's parts and the rest of the text out.
 *
 * Source: FORMATS.md section 6. The header's host is often the collector: the message's own computer is worth more.
 */
import { readTime, type TimeContext } from "./instant-text.ts";

export interface SyslogHeader {
  readonly priority?: number;
  /** As written; without a year or a zone in RFC 3164. */
  readonly time?: string;
  readonly host?: string;
  /** RFC 5424's name of the application. */
  readonly app?: string;
  /** RFC 5424's structured data, as written. */
  readonly structured?: string;
  readonly body: string;
}

const PRIORITY = /^\s{0,4}(?:\d{1,7} )?<(\d{1,3})>/;
/** Kiwi and Meraki put the sender they relay for after the priority. */
const ORIGINAL_ADDRESS = /^Original Address=(\S{1,64}) /;
const RFC_5424 = /^1 (\S{1,40}) (\S{1,255}) (\S{1,64}) (\S{1,128}) (\S{1,64}) /;
const RFC_3164 =
  /^((?:[A-Z][a-z]{2} [ \d]?\d(?: \d{4})?|\d{4} [A-Z][a-z]{2} [ \d]?\d) \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}T\S{8,30})[ \t]+/;
/** Kiwi's log file: time, facility and severity, address, message. */
const KIWI = /^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})\t[A-Za-z0-9]{2,12}\.[A-Za-z]{2,10}\t(\S{1,255})\t/;
const HOST = /^([A-Za-z0-9_.:$-]{1,255})[ \t]+/;

/** Whether a line begins with a syslog priority, or an octet count and one, or is a line of Kiwi's log file. */
export function isSyslogLine(line: string): boolean {
  return PRIORITY.test(line) || KIWI.test(line);
}

/** Takes the header off a text; a text without one comes back whole. */
export function readSyslogHeader(text: string): SyslogHeader {
  const kiwi = KIWI.exec(text);
  if (kiwi !== null) {
    const inner = readSyslogHeader(text.slice(kiwi[0].length));
    return { time: kiwi[1] as string, host: kiwi[2] as string, ...inner };
  }
  const priority = PRIORITY.exec(text);
  let rest = priority === null ? text : text.slice(priority[0].length);
  const relayed = ORIGINAL_ADDRESS.exec(rest);
  if (relayed !== null) rest = rest.slice(relayed[0].length);
  const head = priority === null ? {} : { priority: Number(priority[1]) };
  const modern = RFC_5424.exec(rest);
  if (modern !== null) {
    const after = rest.slice(modern[0].length);
    const { structured, body } = structuredData(after);
    const host = modern[2] === "-" ? relayed?.[1] : modern[2];
    const named = { time: modern[1] as string, app: modern[3] as string, ...(host === undefined ? {} : { host }) };
    return { ...head, ...named, structured, body };
  }
  const time = RFC_3164.exec(rest);
  if (time !== null) rest = rest.slice(time[0].length);
  // A host stands only where a time stood before it, and is no tag (`name:`).
  const host = time === null ? null : HOST.exec(rest);
  const isHost = host !== null && !(host[1] as string).endsWith(":");
  if (isHost) rest = rest.slice(host[0].length);
  const name = isHost ? (host[1] as string) : relayed?.[1];
  return {
    ...head,
    ...(time === null ? {} : { time: time[1] as string }),
    ...(name === undefined ? {} : { host: name }),
    body: rest,
  };
}

/** `-`, or elements in brackets with quoted values; then the message, with or without a byte order mark. */
function structuredData(text: string): { structured: string; body: string } {
  let at = 0;
  if (text.startsWith("-")) at = 1;
  while (text[at] === "[") {
    let quoted = false;
    for (; at < text.length; at += 1) {
      const c = text[at];
      if (quoted && c === "\\") at += 1;
      else if (c === '"') quoted = !quoted;
      else if (c === "]" && !quoted) break;
    }
    at += 1;
  }
  return { structured: text.slice(0, at), body: text.slice(at).replace(/^ ?\ufeff?/, "") };
}

/** What the header gives to a message that does not say it. */
export function headerTime(header: SyslogHeader, context: TimeContext): number | undefined {
  return readTime(header.time, context)?.at;
}
