/**
 * Lines that hold a whole record behind something else: what log files and consoles put before JSON or event XML (fluentd's
 * file output, Fluent Bit's standard output, container runtimes), and XML or JSON written as JSON strings
 * (`Get-WinEvent | % ToXml | ConvertTo-Json`).
 */
import { failure } from "@culprit/model";
import { type Format, NO_MATCH, WEAK_MATCH } from "./format.ts";
import { isSyslogLine } from "./syslog-header.ts";

const PREFIX_MAX_LENGTH = 300;

export const embeddedLine: Format = {
  name: "embedded-line",
  text: { extent: "block", starts: (line, { other }) => !other && recordsIn(line) !== undefined },
  // More telling than pairs that stand inside of it; a syslog header is read by those who know it.
  sniff: (record) => (record.shape === "text" && recordsIn(record.text) !== undefined ? WEAK_MATCH + 5 : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const records = recordsIn(record.text) ?? [];
    if (records.length === 0) yield failure("format.unknown", "text of no known format");
    for (const text of records) yield* context.inner(text, context);
  },
};

function recordsIn(line: string): readonly string[] | undefined {
  return stringsIn(line) ?? tailOf(line);
}

/** The record that a line ends with. */
function tailOf(line: string): readonly string[] | undefined {
  const end = line.trimEnd().replace(/[\],]{1,3}$/, "");
  const isXml = end.endsWith("</Event>");
  if (!isXml && !end.endsWith("}")) return undefined;
  const at = line.slice(0, PREFIX_MAX_LENGTH).search(isXml ? /<Event[\s>]/ : /\{\s{0,8}"/);
  if (at <= 0 || isSyslogLine(line)) return undefined;
  const text = end.slice(at);
  // Fluent Bit writes `[[time, {}], {record}]`: the object is the last of the list.
  return isXml || isJson(text) ? [text] : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON strings with a record in each, with what stands between them in a list. */
function stringsIn(line: string): readonly string[] | undefined {
  const text = line.trim();
  if (!/^\[?\s{0,8}"(?:<Event|\\u003cEvent|\{\s{0,8}\\")/i.test(text)) return undefined;
  const list = text.replace(/^\[/, "").replace(/[\s\],]{1,20}$/, "");
  try {
    const strings: unknown = JSON.parse(`[${list}]`);
    return Array.isArray(strings) && strings.every((item) => typeof item === "string") ? strings : undefined;
  } catch {
    return undefined;
  }
}
