/**
 * Plain key-value text of an event, on one line (`EventID=7031 Source="Service Control Manager" …`) or on several
 * (`EventID: 7031`): what templates of rsyslog, Logstash and Fluent Bit's `render_event_as_text` make.
 *
 * Source: FORMATS.md sections 6 and 11. The keys are those of the JSON forms, in any spelling.
 */
import { namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { type Format, NO_MATCH, WEAK_MATCH } from "./format.ts";
import { readPairs } from "./pairs.ts";
import { headerTime, readSyslogHeader } from "./syslog-header.ts";

type Field =
  | "provider"
  | "channel"
  | "computer"
  | "eventId"
  | "level"
  | "time"
  | "recordId"
  | "keywords"
  | "task"
  | "opcode"
  | "message"
  | "qualifiers";

/** Names of each field without case, blanks, dashes and underscores. */
const NAMES: Readonly<Record<Field, readonly string[]>> = {
  provider: ["sourcename", "source", "provider", "providername", "eventsource", "eventsourcename"],
  channel: ["channel", "logname", "eventlog", "log", "logfile"],
  computer: ["computer", "computername", "hostname", "machinename", "host"],
  eventId: ["eventid", "eventcode", "winlogeventid", "eventidcode"],
  level: ["level", "eventtype", "severity", "type", "eventlevel", "entrytype"],
  time: ["timecreated", "eventtime", "timegenerated", "timestamp", "date", "time"],
  recordId: ["recordnumber", "recordid", "eventrecordid", "eventrecnum"],
  keywords: ["keywords"],
  task: ["task", "category", "taskcategory"],
  opcode: ["opcode"],
  message: ["message", "msg", "description"],
  qualifiers: ["qualifiers"],
};
const FIELD_OF: ReadonlyMap<string, Field> = new Map(
  (Object.keys(NAMES) as Field[]).flatMap((field) => NAMES[field].map((name) => [name, field] as const)),
);

function fieldOfKey(key: string): Field | undefined {
  return FIELD_OF.get(key.toLowerCase().replace(/[\s._-]/g, ""));
}

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
    const fields = new Map<Field, string>();
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
