/**
 * The one translation table of field names: Sigma's (the event schema's tag and attribute joined by `_`), ECS and
 * Winlogbeat's, each to the place in a `WindowsEvent`.
 *
 * Source: Sigma rules specification, "Field Usage"; Elastic `winlog` and ECS field references.
 */
import type { WindowsEvent } from "./event.ts";
import { isoOf } from "./instant.ts";
import { providerKey, providerNames } from "./provider.ts";

/** What stands in a field; a list where one thing has several names, any of which may be meant. */
export type EventFieldValue = string | number | readonly string[] | undefined;

export interface EventField {
  /** As rules spell it; the first is the name to print. */
  readonly sigma: readonly string[];
  readonly ecs: readonly string[];
  /** Whether data of the same name is asked first: a name that providers use in their own data too. */
  readonly afterData: boolean;
  readonly read: (event: WindowsEvent) => EventFieldValue;
}

const SURE = false;
const AFTER_DATA = true;

function field(
  sigma: readonly string[],
  ecs: readonly string[],
  afterData: boolean,
  read: (event: WindowsEvent) => EventFieldValue,
): EventField {
  return { sigma, ecs, afterData, read };
}

export const EVENT_FIELDS: readonly EventField[] = [
  field(["EventID"], ["event.code", "winlog.event_id"], SURE, (event) => event.eventId),
  field(["Provider_Name"], ["winlog.provider_name", "event.provider"], SURE, namesOfProvider),
  field(["ProviderName", "SourceName", "Provider", "Source"], [], AFTER_DATA, namesOfProvider),
  field(["Channel"], ["winlog.channel"], SURE, (event) => event.channel),
  field(["EventLog", "LogName"], [], AFTER_DATA, (event) => event.channel),
  field(["Computer"], ["winlog.computer_name", "host.name"], SURE, (event) => event.computer),
  field(["ComputerName", "Hostname"], ["host.hostname"], AFTER_DATA, (event) => event.computer),
  field(["Level"], ["winlog.level"], SURE, (event) => event.level),
  field(["Keywords"], ["winlog.keywords"], SURE, (event) => event.keywords),
  field(["EventRecordID"], ["winlog.record_id"], SURE, (event) => event.recordId),
  field(
    ["TimeCreated", "TimeCreated_SystemTime"],
    ["@timestamp"],
    SURE,
    (event) => event.timeText ?? isoOf(event.timeCreated),
  ),
  field(["UtcTime"], [], AFTER_DATA, (event) => event.timeText ?? isoOf(event.timeCreated)),
  field(["EventID_Qualifiers", "Qualifiers"], [], AFTER_DATA, (event) => event.qualifiers),
  field(["Version"], ["winlog.version"], AFTER_DATA, (event) => event.version),
  field(["Task"], ["winlog.task"], AFTER_DATA, (event) => event.task),
  field(["Opcode"], ["winlog.opcode"], AFTER_DATA, (event) => event.opcode),
  field(["Execution_ProcessID", "ProcessID"], ["winlog.process.pid"], AFTER_DATA, (event) => event.processId),
  field(["Execution_ThreadID", "ThreadID"], ["winlog.process.thread.id"], AFTER_DATA, (event) => event.threadId),
  field(["Security_UserID", "UserID"], ["winlog.user.identifier"], AFTER_DATA, (event) => event.userId),
  field(["Correlation_ActivityID", "ActivityID"], ["winlog.activity_id"], AFTER_DATA, (event) => event.activityId),
  field(["Message"], ["message"], AFTER_DATA, (event) => event.message),
];

const BY_NAME: ReadonlyMap<string, EventField> = new Map(
  EVENT_FIELDS.flatMap((each) => [...each.sigma, ...each.ecs].map((name) => [name.toLowerCase(), each] as const)),
);

/** The field that a name means, whatever its case; `undefined` for the name of some data. */
export function eventField(lowerName: string): EventField | undefined {
  return BY_NAME.get(lowerName);
}

const DATA_PREFIX = /^(?:winlog\.event_data|winlog\.user_data|event\.eventdata|event\.userdata|eventdata|userdata)\./i;

/** The name of the data that a longer name means: `winlog.event_data.param1` is `param1`; any other name is itself. */
export function dataFieldName(name: string): string {
  return name.replace(DATA_PREFIX, "");
}

const namesCache = new Map<string, readonly string[]>();
const NAMES_CACHE_MAX = 4_096;

/** Every name of the event's provider: as sent, its alias, and the spellings that stand for the same provider. */
function namesOfProvider(event: WindowsEvent): readonly string[] {
  const cacheKey = event.providerAlias === undefined ? event.provider : `${event.provider}\u0000${event.providerAlias}`;
  const held = namesCache.get(cacheKey);
  if (held !== undefined) return held;
  const own = event.providerAlias === undefined ? [event.provider] : [event.provider, event.providerAlias];
  const names = new Set(own);
  for (const name of own) for (const other of providerNames(providerKey(name))) names.add(other);
  // One spelling of the same name is enough where only case differs.
  const distinct = [...names].filter(
    (name, i, all) => all.findIndex((x) => x.toLowerCase() === name.toLowerCase()) === i,
  );
  if (namesCache.size >= NAMES_CACHE_MAX) namesCache.clear();
  namesCache.set(cacheKey, distinct);
  return distinct;
}
