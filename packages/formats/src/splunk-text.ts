/**
 * Splunk's classic text of an event (sourcetype `WinEventLog`): a line with the local time, then `Key=value` lines, then
 * `Message=` to the end.
 *
 * Source: FORMATS.md section 5.
 */
import { type Decoded, namedData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type DecodeContext, type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { levelOfWord } from "./level-words.ts";

const TIME_LINE = /^\s{0,4}\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4},? \d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?(?: [AP]M)?\s{0,4}$/i;
const PAIR = /^([A-Za-z][\w ]{0,40})=(.*)$/;

export const splunkText: Format = {
  name: "splunk-text",
  text: {
    extent: "block",
    // A relay may have put the whole text into one line, with its line ends as backslash n.
    starts: (line) => /^LogName=\S/.test(line) || (line.includes("\\nEventCode=") && isSplunkText(line)),
    pulls: (line) => TIME_LINE.test(line),
  },
  sniff: (record) => (record.shape === "text" && isSplunkText(record.text) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    yield decodeSplunkText(record.text, context, { marks: record.marks });
  },
};

/** Whether a text is of this shape; its line ends may be written as backslash n. */
export function isSplunkText(text: string): boolean {
  return /(?:^|[\r\n]|\\n)LogName=/.test(text.slice(0, 200)) && text.includes("EventCode=");
}

/** Lines that are not data of the event. */
const OWN_NAMES = new Set([
  "logname",
  "eventcode",
  "eventtype",
  "computername",
  "sourcename",
  "type",
  "recordnumber",
  "keywords",
  "taskcategory",
  "opcode",
  "message",
  "user",
  "sid",
  "sidtype",
]);

/** Reads the text; `time` and `host` are the carrier's, which knows them better than the local stamp. */
export function decodeSplunkText(
  text: string,
  context: DecodeContext,
  carrier: {
    time?: string | number | undefined;
    host?: string | undefined;
    original?: string;
    marks?: readonly string[];
  } = {},
): Decoded<WindowsEvent> {
  const plain = text.includes("\n") ? text : text.replaceAll("\\r\\n", "\n").replaceAll("\\n", "\n");
  const lines = plain.split(/\r?\n/);
  const fields = new Map<string, string>();
  const extra: [string, string][] = [];
  let time: string | undefined;
  let message: string | undefined;
  for (let i = 0; i < lines.length && message === undefined; i += 1) {
    const line = lines[i] as string;
    const pair = PAIR.exec(line);
    if (pair === null) {
      if (fields.size === 0 && TIME_LINE.test(line)) time = line;
      continue;
    }
    const name = (pair[1] as string).toLowerCase();
    if (name === "message") message = messageOf([pair[2] as string, ...lines.slice(i + 1)]);
    else if (!fields.has(name)) fields.set(name, pair[2] as string);
    if (!OWN_NAMES.has(name)) extra.push([pair[1] as string, pair[2] as string]);
  }
  const draft: EventDraft = {
    provider: displayName(fields.get("sourcename")),
    channel: fields.get("logname"),
    computer: fields.get("computername") ?? carrier.host,
    eventId: fields.get("eventcode"),
    level: levelOfWord(fields.get("type")) ?? fields.get("eventtype"),
    keywords: fields.get("keywords"),
    task: fields.get("taskcategory"),
    opcode: fields.get("opcode"),
    time: carrier.time ?? time,
    recordId: fields.get("recordnumber"),
    userId: fields.get("sid"),
    data: namedData(extra),
    message,
    original: carrier.original ?? text,
    marks: carrier.marks,
  };
  return finishEvent(draft, context);
}

/** The message may repeat its first line. */
function messageOf(lines: readonly string[]): string {
  const rest = lines[0] === lines[1] && lines[0] !== "" ? lines.slice(1) : lines;
  return rest.join("\n").trimEnd();
}

/** Display names that stand where the provider's name should; `providerKey` knows no others. */
const DISPLAY_NAMES: Readonly<Record<string, string>> = {
  "microsoft windows security auditing.": "Microsoft-Windows-Security-Auditing",
  "microsoft-windows-service control manager": "Service Control Manager",
};

function displayName(source: string | undefined): string | undefined {
  return source === undefined ? undefined : (DISPLAY_NAMES[source.trim().toLowerCase()] ?? source);
}
