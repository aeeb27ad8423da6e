/**
 * Records that are only carried: Cribl's and Splunk's `_raw`, the `body` of MaxPatrol's collector, `log` of Fluent Bit and
 * container runtimes, Logstash's `event.original`. The text inside is decoded like an input of its own.
 *
 * Source: FORMATS.md sections 11 and 13.
 */
import { type Format, NO_MATCH, WEAK_MATCH } from "./format.ts";
import { fieldReader } from "./json-fields.ts";
import { fieldOf, isObject, type JsonObject, pathOf, textOf } from "./json-text.ts";

export const carried: Format = {
  name: "carried",
  sniff: (record) => (record.shape === "json" && textInside(record.value) !== undefined ? WEAK_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const text = record.shape === "json" ? textInside(record.value) : undefined;
    if (record.shape !== "json" || text === undefined) return;
    const host = fieldReader(record.value)("host.name", "host.hostname", "hostname", "host", "HOST", "result.host");
    yield* context.inner(text, host === undefined ? context : { ...context, host });
  },
};

/** Fields that hold a whole record, in the order in which they are tried. */
const FIELDS = [
  ...["_raw", "result._raw", "body", "log", "event.original", "message", "full_log", "line"],
  // syslog-ng, rsyslog, NXLog, and what home-made forwarders call it.
  ...["MESSAGE", "rawmsg", "msg", "raw_event", "rawEvent", "raw", "@message", "EventXml", "event_xml", "xml"],
];
/** What such a text begins with: markup, JSON, or a form of text that is known by its beginning. */
const TELLING =
  /^[\s\ufeff-]{0,16}(?:<Event[\s>]|&lt;Event|<\d{1,3}>|\{\s{0,8}"|CEF:\d|LEEF:\d|Event\[\d|Log Name:|Event Type:|\[\w)|LogName=|MSWinEventLog|AgentDevice=WindowsLog|WinEvtLog:|^System\.TimeCreated|ProviderName:/;

function textInside(value: JsonObject): string | undefined {
  for (const field of FIELDS) {
    const text = textOf(pathOf(value, field));
    if (text !== undefined && TELLING.test(text.slice(0, 2_000))) return text;
  }
  const source = fieldOf(value, "source_json");
  // Rapid7 keeps the event as an object in a parsed record.
  return isObject(source) ? JSON.stringify(source) : undefined;
}
