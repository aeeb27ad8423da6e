/**
 * Lines of other agents, each with a beginning of its own: Adiscon's EventReporter (`EvntSLog:`), the syslog-ng agent
 * (`[win@18372.4 …]`), NXLog's `to_syslog_ietf()` (`[NXLOG@14506 …]`), Eventlog-to-Syslog, RSA (`RsaSA`), and the
 * comma-separated lines of PsLogList and of Windows 2003's export.
 *
 * Source: FORMATS.md sections 6.5 and 14; corpora/pasted-in-issues/scm-7031-psloglist-pgina-181.csv.
 */

import { positionalData } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import type { JsonObject } from "./json-text.ts";
import { draftOfNxlog } from "./nxlog.ts";
import { readSyslogHeader } from "./syslog-header.ts";

/** A format that is known by a mark in its line, and read in one step. */
function lineFormat(name: string, mark: RegExp, read: (text: string) => EventDraft | undefined): Format {
  const isOne = (text: string): boolean => mark.test(firstLine(text, MARK_WITHIN));
  return {
    name,
    text: { extent: "block", starts: isOne },
    sniff: (record) => (record.shape === "text" && isOne(record.text) ? SURE_MATCH : NO_MATCH),
    select: () => true,
    *decode(record, context) {
      const header = readSyslogHeader(record.text);
      const within = header.host === undefined ? context : { ...context, host: header.host };
      // A line that has the mark and not the rest is told like one without an id.
      const draft = read(record.text) ?? {};
      yield finishEvent({ ...draft, original: record.text, marks: record.marks }, within);
    },
  };
}

const MARK_WITHIN = 1_000;

const EVNTSLOG =
  /EvntSLog: ?\[(\w{3})\] (\w{3} \w{3} [ \d]?\d \d{2}:\d{2}:\d{2} \d{4}): ([^/\s]{1,255})\/([^(\r\n]{1,255}) \((\d{1,10})\) - "?/;
const SEVERITIES: Readonly<Record<string, number>> = { INF: 4, AUS: 0, AUF: 0, WRN: 3, ERR: 2, NON: 4 };

export const adiscon = lineFormat("adiscon", /EvntSLog: ?\[/, (text) => {
  const match = EVNTSLOG.exec(text);
  if (match === null) return undefined;
  const [whole, mark, time, computer, provider, eventId] = match as unknown as readonly string[];
  const message = text.slice(match.index + (whole?.length ?? 0)).replace(/"\s{0,8}$/, "");
  return { level: SEVERITIES[mark ?? ""], time, computer, provider, eventId, message };
});

const WIN_ELEMENT = "[win@18372.4 ";
const PARAMETER = /([A-Za-z][\w.-]{0,63})="((?:[^"\\]|\\.){0,8000})"/g;

/** The parameters of structured data from an element on. */
function parametersOf(structured: string, element: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const match of structured.slice(structured.indexOf(element)).matchAll(PARAMETER)) {
    values.set(match[1] as string, (match[2] as string).replace(/\\(["\\\]])/g, "$1"));
  }
  return values;
}

export const syslogNgAgent = lineFormat("syslog-ng-agent", /\[win@18372\.4 /, (text) => {
  const header = readSyslogHeader(text);
  const values = parametersOf(header.structured ?? text, WIN_ELEMENT);
  const { body } = header;
  const bracket = body.indexOf("] ");
  return {
    channel: values.get("EVENT_NAME"),
    eventId: values.get("EVENT_ID"),
    provider: values.get("EVENT_SOURCE"),
    level: values.get("EVENT_TYPE"),
    recordId: values.get("EVENT_REC_NUM"),
    userId: values.get("EVENT_SID"),
    computer: header.host,
    time: header.time,
    message: body.slice(bracket === -1 ? 0 : bracket + 2).replace(/ \(EventID \d{1,10}\)\s{0,8}$/, ""),
  };
});

const NXLOG_ELEMENT = "[NXLOG@14506 ";

/** The fields are NXLog's own; the source is the name of the application, with underscores for its blanks. */
export const nxlogSyslog = lineFormat("nxlog-syslog", /\[NXLOG@14506 [^\]]{0,900}EventID="/, (text) => {
  const header = readSyslogHeader(text);
  const fields: JsonObject = Object.create(null);
  for (const [name, value] of parametersOf(header.structured ?? text, NXLOG_ELEMENT)) fields[name] = value;
  const draft = draftOfNxlog(fields);
  const own = draft.provider ?? header.app?.replaceAll("_", " ");
  return {
    ...draft,
    provider: own,
    computer: draft.computer ?? header.host,
    time: draft.time ?? header.time,
    message: header.body,
  };
});

const EVENTLOG_TO_SYSLOG =
  /^<\d{1,3}>[A-Z][a-z]{2} [ \d]?\d \d{2}:\d{2}:\d{2} [\w.-]{1,255} ([A-Za-z][\w-]{2,100}): (\d{1,5}): (?=\S)/;
const AUDIT = /^AUDIT_(?:SUCCESS|FAILURE) /;

/** `<27>Mar  1 10:00:00 n1 Service_Control_Manager: 7031: text`: names without blanks, and without `Microsoft-Windows-`. */
export const eventlogToSyslog = lineFormat("eventlog-to-syslog", EVENTLOG_TO_SYSLOG, (text) => {
  const match = EVENTLOG_TO_SYSLOG.exec(text);
  if (match === null) return undefined;
  const [whole, name, eventId] = match as unknown as readonly [string, string, string];
  const header = readSyslogHeader(text);
  const message = text.slice(whole.length);
  return {
    provider: name.replaceAll("_", " "),
    ...(name.includes("_") ? {} : { providerAlias: `Microsoft-Windows-${name}` }),
    eventId,
    level: AUDIT.test(message) ? 0 : SYSLOG_LEVELS[(header.priority ?? 0) % 8],
    computer: header.host,
    time: header.time,
    message,
  };
});

/** Syslog's severities as levels: emergency to critical, error, warning, notice and what is below. */
const SYSLOG_LEVELS = [1, 1, 1, 2, 3, 4, 4, 5];

export const rsa = lineFormat("rsa", /(?:^|[\s>:])RsaSA(?:\\n|\n)/, (text) => {
  const fields = text.slice(text.indexOf("RsaSA")).split(/\\n|\n/);
  const [, time, eventId, provider, channel, computer, ...values] = fields.map((field) => field.trim());
  return { time, eventId, provider, channel, computer, data: positionalData(values) };
});

const TYPES = "ERROR|WARNING|INFORMATION|AUDIT SUCCESS|AUDIT FAILURE|SUCCESS|NONE";
/** `7031,ERROR,Service Control Manager,Mon Feb 11 14:25:12 2013,No User,message`. */
const BY_ID = new RegExp(
  `^(\\d{1,5}),(${TYPES}),([^,]{1,255}),(\\w{3} \\w{3} [ \\d]?\\d \\d{2}:\\d{2}:\\d{2} \\d{4}),([^,]{0,255}),`,
  "i",
);
/** `4711,System,Service Control Manager,ERROR,N1,3/1/2024 10:00:00 AM,7031,None,message`. */
const BY_NUMBER = new RegExp(
  `^(\\d{1,10}),([^,]{1,64}),([^,]{1,255}),(${TYPES}),([^,]{1,255}),([^,]{8,40}),(\\d{1,10}),([^,]{0,255}),`,
  "i",
);
/** Windows 2003's export: `3/1/2004,10:00:00 AM,Srv,Error,None,2019,N/A,N1,message`. */
const BY_DATE =
  /^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}),(\d{1,2}:\d{2}:\d{2}(?: [AP]M)?),([^,]{1,255}),([^,]{1,32}),([^,]{0,255}),(\d{1,10}),([^,]{0,255}),([^,]{1,255})(?:,|$)/i;
const COMMA_LINE = new RegExp(`${BY_ID.source}|${BY_NUMBER.source}|${BY_DATE.source}`, "i");

export const commaLine = lineFormat("comma-line", COMMA_LINE, (text) => {
  const rest = (match: RegExpExecArray): string => text.slice(match[0].length).replace(/^"([\s\S]*)"$/, "$1");
  const byId = BY_ID.exec(text);
  if (byId !== null) {
    return { eventId: byId[1], level: byId[2], provider: byId[3], time: byId[4], message: rest(byId) };
  }
  const byNumber = BY_NUMBER.exec(text);
  if (byNumber !== null) {
    const [, recordId, channel, provider, level, computer, time, eventId] = byNumber;
    return { recordId, channel, provider, level, computer, time, eventId, message: rest(byNumber) };
  }
  const byDate = BY_DATE.exec(text);
  if (byDate === null) return undefined;
  const [, date, clock, provider, level, task, eventId, , computer] = byDate;
  return { time: `${date} ${clock}`, provider, level, task, eventId, computer, message: rest(byDate) };
});
