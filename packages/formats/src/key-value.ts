/**
 * Plain key-value text of an event, on one line (`EventID=7031 Source="Service Control Manager" …`) or on several
 * (`EventID: 7031`): what templates of rsyslog, Logstash and Fluent Bit's `render_event_as_text` make.
 *
 * Source: FORMATS.md sections 6 and 11. The keys are those of the JSON forms, in any spelling.
 */
import { namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { type FieldName, fieldOfKey } from "./field-names.ts";
import { type Format, NO_MATCH, WEAK_MATCH } from "./format.ts";
import { readPairs } from "./pairs.ts";
import { headerTime, readSyslogHeader } from "./syslog-header.ts";

const TELLING = /(?:^|[\s,;"])(?:event[ _.-]?(?:id|code))["']?\s{0,4}[=:]\s{0,4}["']?\d{1,10}\b/i;
const NAMED = /(?:^|[\s,;"])(?:source(?:[ _.-]?name)?|provider(?:[ _.-]?name)?|event[ _.-]?source)["']?\s{0,4}[=:]/i;
const LOOK_WITHIN = 4_000;

function isKeyValue(text: string): boolean {
  const start = text.slice(0, LOOK_WITHIN);
  return TELLING.test(start) && NAMED.test(start);
}

const LINE_PAIR = /^\s{0,8}["']?([A-Za-z][\w .-]{0,40}?)["']?\s{0,20}[:=]\s{0,4}(.*)$/;

export const keyValue: Format = {
  name: "key-value",
  text: {
    extent: "block",
    starts: (line, { own, other }) =>
      !other && (isKeyValue(line) || (own === undefined && /^ProviderName:/.test(line))),
  },
  sniff: (record) => (record.shape === "text" && isKeyValue(record.text) ? WEAK_MATCH - 10 : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const header = readSyslogHeader(record.text);
    const lines = header.body.split("\n");
    const pairs = lines.length > 2 && !isKeyValue(lines[0] as string) ? linePairs(lines) : readPairs(header.body);
    const fields = new Map<FieldName, string>();
    const data: (readonly [string, string])[] = [];
    for (const [key, value] of pairs) {
      const field = fieldOfKey(key);
      if (field === undefined) data.push([key, value]);
      else if (!fields.has(field)) fields.set(field, value.replace(/[,;]$/, ""));
    }
    const receivedAt = headerTime(header, context) ?? context.receivedAt;
    const host = header.host ?? context.host;
    const within = { ...context, receivedAt, ...(host === undefined ? {} : { host }) };
    yield finishEvent(
      { ...Object.fromEntries(fields), data: namedData(data), original: record.text, marks: record.marks },
      within,
    );
  },
};

/** A pair a line; lines that are none go on with the value before. */
function linePairs(lines: readonly string[]): (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  for (const line of lines) {
    const match = LINE_PAIR.exec(line);
    const open = pairs[pairs.length - 1];
    // The message is last: nothing in it is a key.
    if (open !== undefined && (match === null || fieldOfKey(open[0]) === "message")) open[1] += `\n${line}`;
    else if (match !== null) pairs.push([match[1] as string, (match[2] as string).replace(/^"(.*)"$/, "$1")]);
  }
  return pairs;
}
