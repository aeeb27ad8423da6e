/** What forwarders call the parts of an event, in any spelling: for pairs of text and for flat JSON of nobody's own. */

export type FieldName =
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

/** Names of each field without case, blanks, dashes and underscores; the likelier first. */
export const FIELD_NAMES: Readonly<Record<FieldName, readonly string[]>> = {
  provider: ["sourcename", "providername", "provider", "eventsourcename", "eventsource", "eventprovider", "source"],
  channel: ["channel", "logname", "eventlog", "log", "logfile"],
  computer: ["computer", "computername", "hostname", "machinename", "host"],
  eventId: ["eventid", "eventcode", "winlogeventid", "eventidcode"],
  level: ["level", "eventtype", "severity", "type", "eventlevel", "entrytype"],
  time: ["timecreated", "systemtime", "eventtime", "timegenerated", "timestamp", "date", "time"],
  recordId: ["recordnumber", "recordid", "eventrecordid", "eventrecnum"],
  keywords: ["keywords"],
  task: ["task", "category", "taskcategory"],
  opcode: ["opcode"],
  message: ["message", "msg", "description"],
  qualifiers: ["qualifiers"],
};
const FIELD_OF: ReadonlyMap<string, FieldName> = new Map(
  (Object.keys(FIELD_NAMES) as FieldName[]).flatMap((field) =>
    FIELD_NAMES[field].map((name) => [name, field] as const),
  ),
);

/** The field that a key means. */
export function fieldOfKey(key: string): FieldName | undefined {
  return FIELD_OF.get(plainKey(key));
}

/** A key without case, blanks, dots, dashes and underscores. */
export function plainKey(key: string): string {
  return key.toLowerCase().replace(/[@\s._-]/g, "");
}
