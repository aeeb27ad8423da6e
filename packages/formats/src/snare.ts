/**
 * Snare's line (`MSWinEventLog`), as the Snare agent, NXLog's `to_syslog_snare()` and rsyslog write it: tabs between fields,
 * which relays turn into blanks, `#011`, commas or semicolons.
 *
 * Source: FORMATS.md section 6.1; corpora/rsyslog and corpora/ossec-hids.
 */

import { type Decoded, failure, namedData, positionalData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type DecodeContext, type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { isObject, parseJson } from "./json-text.ts";
import { readSyslogHeader } from "./syslog-header.ts";

const MARK = "MSWinEventLog";
const MARK_WITHIN = 300;
const CTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]?\d \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?: \d{4})?$/;
const CTIME_WITHIN =
  /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]?\d \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?: \d{4})?/;

export const snare: Format = {
  name: "snare",
  text: { extent: "block", starts: isSnare },
  sniff: (record) => (record.shape === "text" && isSnare(record.text) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const mark = record.text.indexOf(MARK);
    const header = readSyslogHeader(record.text.slice(0, mark));
    const carrier = { original: record.text, marks: record.marks, received: header.time };
    const host = header.host ?? header.body.trim().split(/\s/)[0];
    const within = host === undefined || host === "" || host === "-" ? context : { ...context, host };
    yield* decodeBody(record.text.slice(mark + MARK.length), carrier, within);
  },
};

function isSnare(line: string): boolean {
  const mark = firstLine(line, MARK_WITHIN).indexOf(MARK);
  if (mark === -1) return false;
  return /^(?:#011|\\011|[\t ,;])/.test(line.slice(mark + MARK.length));
}

interface Carrier {
  readonly original: string;
  readonly marks: readonly string[];
  readonly received: string | undefined;
}

function* decodeBody(body: string, carrier: Carrier, context: DecodeContext): Iterable<Decoded<WindowsEvent>> {
  // rsyslog writes control characters in octal, others as C does; in RFC 5424 the mark may be the name of the application.
  const text = body
    .replaceAll(/#011|\\011/g, "\t")
    .replace(/^ [-\w]{1,128} [-\w]{1,32} (?:-|\[[^\]]{0,1000}\]) (?=\d\t)/, "\t");
  const json = /^[\t ]\d[\t ](?=\{)/.exec(text);
  if (json !== null) {
    const parsed = parseJson(text.slice(json[0].length).trim());
    if (parsed.ok && isObject(parsed.value.value)) yield* context.inner(text.slice(json[0].length), context);
    else yield failure("snare.json-unreadable", "the line's JSON cannot be read");
    return;
  }
  const separator = text[0] ?? "\t";
  const draft = separator === " " ? draftOfBlanks(text) : draftOfFields(text.slice(1).split(separator), separator);
  if (draft === undefined) yield failure("snare.fields-missing", "a line without the time and the event id");
  else yield finishEvent({ ...draft, ...carrier }, context);
}

/** Counted from the time, which is known by its shape: the criticality before the log may stand twice. */
function draftOfFields(fields: readonly string[], separator: string): EventDraft | undefined {
  const time = fields.findIndex((field) => CTIME.test(field.trim()));
  if (time < 2) return undefined;
  const field = (n: number): string | undefined => withoutPlaceholder(fields[time + n]);
  const rest = fields.slice(time + 9);
  // The counter of NXLog (`-57`), Snare's own or an MD5 closes the line.
  if (rest.length > 1 && /^-?\d{1,12}\s{0,4}$|^[0-9a-f]{32}$/i.test(rest[rest.length - 1] as string)) rest.pop();
  const inserts = field(8);
  return {
    time: fields[time],
    channel: field(-2),
    eventId: field(1),
    provider: field(2),
    level: field(5),
    computer: field(6),
    task: field(7),
    data: inserts === undefined ? undefined : positionalData([inserts]),
    message: rest.join(separator).trim(),
  };
}

const TYPE = / (Success Audit|Failure Audit|Error|Warning|Information|Critical|Verbose) /;

/** Tabs that became blanks: found by the time and by the event type's word. */
function draftOfBlanks(text: string): EventDraft | undefined {
  const time = CTIME_WITHIN.exec(text);
  if (time === null) return undefined;
  const before = text
    .slice(0, time.index)
    .trim()
    .replace(/^\d\s{1,16}(?:\d\s{1,16})?/, "");
  const after = text.slice(time.index + time[0].length).trim();
  const eventId = /^\d{1,10}(?=\s|$)/.exec(after)?.[0];
  if (eventId === undefined) return undefined;
  const rest = after.slice(eventId.length).replace(/\t/g, "  ");
  const type = TYPE.exec(rest);
  const names = (type === null ? rest : rest.slice(0, type.index)).trim();
  const ending =
    type === null
      ? []
      : rest
          .slice(type.index + type[0].length)
          .trim()
          .split(/\s{2,}/);
  const [computer, ...words] =
    type === null
      ? []
      : rest
          .slice(type.index + type[0].length)
          .trim()
          .split(/\s+/);
  return {
    time: time[0],
    channel: before.replace(/\s{1,16}\d{1,12}$/, ""),
    eventId,
    provider: withoutPlaceholder(sourceOf(names)),
    level: type?.[1],
    computer: withoutPlaceholder(computer),
    data: namedData([]),
    message: ending.length > 1 ? ending.slice(1).join("  ") : words.join(" "),
  };
}

/** The source before the user and the kind of SID; runs of blanks part them where the relay left some. */
function sourceOf(names: string): string {
  const parts = names.split(/\s{2,}/);
  if (parts.length > 1) return parts[0] as string;
  return names
    .replace(/ (?:User|N\/A|Unknown User|Well Known Group|Unknown)$/, "")
    .replace(/ (?:Unknown User|\S{1,256})$/, "");
}

function withoutPlaceholder(text: string | undefined): string | undefined {
  return text === undefined || /^(?:N\/A|None)?$/i.test(text.trim()) ? undefined : text.trim();
}
