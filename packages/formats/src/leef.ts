/**
 * What QRadar's agents send: WinCollect's tab-separated pairs (`AgentDevice=WindowsLog`), and LEEF 1.0 and 2.0 around the
 * same pairs.
 *
 * Source: FORMATS.md section 6.4. WinCollect's own status messages are LEEF too, and no events of Windows.
 */

import { type Decoded, failure, namedData, type WindowsEvent } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type DecodeContext, type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { readPairs } from "./pairs.ts";
import { readSyslogHeader } from "./syslog-header.ts";

const LEEF = /(?:^|[\s>])LEEF: ?[12]\.0\|/;
const WINCOLLECT = /(?:^|[\s>])AgentDevice=WindowsLog/;
const MARK_WITHIN = 400;

function startOf(text: string): number {
  const within = firstLine(text, MARK_WITHIN);
  const found = [within.search(LEEF), within.search(WINCOLLECT)].filter((at) => at !== -1);
  return found.length === 0 ? -1 : Math.min(...found);
}

export const leef: Format = {
  name: "leef",
  text: { extent: "block", starts: (line) => startOf(line) !== -1 },
  sniff: (record) => (record.shape === "text" && startOf(record.text) !== -1 ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const start = startOf(record.text);
    const header = readSyslogHeader(record.text.slice(0, start));
    const within = header.host === undefined ? context : { ...context, host: header.host };
    const text = record.text.slice(start).replace(/^[\s>]/, "");
    yield text.startsWith("LEEF")
      ? decodeLeef(text, record, within)
      : decodePairs(pairsOf(text, "\t"), {}, record, within);
  },
};

const KEYS = new Set([
  ...["AgentDevice", "AgentLogFile", "AgentLogFormat", "AgentLogProtocol", "PluginVersion", "Source", "Computer"],
  ...["OriginatingComputer", "User", "Domain", "EventID", "EventIDCode", "EventType", "EventCategory", "RecordNumber"],
  ...["TimeGenerated", "TimeWritten", "Level", "Keywords", "Task", "Opcode", "Message"],
]);

/** Pairs between delimiters; relays turn tabs into blanks or `\t`, and then the known keys part them. */
function pairsOf(text: string, delimiter: string): ReadonlyMap<string, string> {
  const plain = !text.includes(delimiter) && text.includes("\\t") ? text.replaceAll("\\t", delimiter) : text;
  const values = new Map<string, string>();
  if (!plain.includes(delimiter)) {
    for (const [key, value] of readPairs(plain, KEYS)) if (!values.has(key)) values.set(key, value);
    return values;
  }
  const parts = plain.split(delimiter);
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] as string;
    const equals = part.indexOf("=");
    if (equals <= 0) continue;
    const key = part.slice(0, equals).trim();
    // The message is last, and may hold the delimiter.
    const value =
      key === "Message" ? [part.slice(equals + 1), ...parts.slice(i + 1)].join(delimiter) : part.slice(equals + 1);
    if (!values.has(key)) values.set(key, value);
    if (key === "Message") break;
  }
  return values;
}

function decodeLeef(text: string, record: InputRecord, context: DecodeContext): Decoded<WindowsEvent> {
  const version2 = /^LEEF: ?2/.test(text);
  const fields = text.split("|", version2 ? 6 : 5);
  const [, vendor, product, , eventId] = fields;
  let rest = text.slice(fields.join("|").length + 1);
  let delimiter = "\t";
  if (version2) {
    const named = fields[5] ?? "";
    const hex = /^0?x([0-9a-f]{1,4})$/i.exec(named)?.[1];
    if (hex !== undefined) delimiter = String.fromCharCode(Number.parseInt(hex, 16));
    else if (named.length === 1) delimiter = named;
    // The delimiter's field may be left out: then the sixth field is the first pair.
    else if (named.includes("=")) rest = `${named}${rest === "" ? "" : `|${rest}`}`;
  }
  if (`${vendor} ${product}`.toLowerCase().includes("wincollect")) {
    return failure("leef.not-an-event", "a status message of WinCollect itself");
  }
  return decodePairs(pairsOf(rest, delimiter), { eventId }, record, context);
}

/** Classic numbers of the event type: 1 error, 2 warning, 4 information, 8 and 16 audits. */
const TYPE_LEVELS: Readonly<Record<string, number>> = { "0": 4, "1": 2, "2": 3, "4": 4, "8": 0, "16": 0 };
/** What senders other than IBM's call the parts, NXLog's `to_leef()` among them. */
const NAMES = {
  provider: ["Source", "Provider", "SourceName", "ProviderName", "EventSource"],
  channel: ["AgentLogFile", "Channel", "log", "EventLog", "LogName"],
  computer: ["Computer", "identHostName", "OriginatingComputer", "ComputerName", "Hostname", "identHost"],
  recordId: ["RecordNumber", "EventRecordID", "RecordID"],
  time: ["TimeGenerated", "devTime", "EventTime"],
  message: ["Message", "msg"],
} as const;
const OWN = new Set([...KEYS, ...Object.values(NAMES).flat(), "devTimeFormat", "sev", "cat"]);

function decodePairs(
  values: ReadonlyMap<string, string>,
  header: { eventId?: string | undefined },
  record: InputRecord,
  context: DecodeContext,
): Decoded<WindowsEvent> {
  const get = (...names: readonly string[]): string | undefined =>
    names.map((name) => values.get(name)).find((value) => value !== undefined && value !== "");
  return finishEvent(
    {
      provider: get(...NAMES.provider),
      channel: get(...NAMES.channel),
      computer: get(...NAMES.computer),
      eventId: get("EventIDCode", "EventID") ?? header.eventId,
      level: get("Level") ?? TYPE_LEVELS[get("EventType") ?? ""],
      keywords: get("Keywords"),
      task: get("Task", "EventCategory"),
      opcode: get("Opcode"),
      time: get(...NAMES.time),
      received: get("TimeWritten"),
      recordId: get(...NAMES.recordId),
      data: namedData([...values].filter(([key]) => !OWN.has(key))),
      message: get(...NAMES.message),
      original: record.text,
      marks: record.marks,
    },
    context,
  );
}
