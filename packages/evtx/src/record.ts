/** One event as it was logged: the System fields, the data, and nothing rendered that the log does not hold. */
import type { RecordSource } from "./source.ts";

/**
 * Where the data of an event stand. The last three take the place of the others where a provider traces, writes bytes, or
 * has sent data that do not fit its manifest.
 */
export type DataSection = "EventData" | "UserData" | "DebugData" | "BinaryEventData" | "ProcessingErrorData" | "none";

/** Data as names and values side by side: names may repeat, may be empty and may be `__proto__`. */
export interface RecordData {
  /** "" for an unnamed value. */
  readonly names: readonly string[];
  readonly values: readonly string[];
}

export interface EventRecord {
  /** Byte offset of the record in the file. */
  readonly offset: number;
  /** The id of the record in this file, decimal; a collector's own for forwarded events. */
  readonly storedId: string;
  /** When the record was written to this file, in ms since 1970. */
  readonly storedAt: number;
  /** `Provider@Name`, else `EventSourceName`, else "". */
  readonly provider: string;
  readonly eventSourceName: string | undefined;
  /** The provider's GUID as the log holds it: with braces; lower case unless the template spells it otherwise. */
  readonly guid: string | undefined;
  /** 0 to 65535. */
  readonly eventId: number;
  readonly qualifiers: number | undefined;
  readonly version: number | undefined;
  readonly level: number | undefined;
  readonly task: number | undefined;
  readonly opcode: number | undefined;
  /** 64 bits as `0x…`. */
  readonly keywords: string | undefined;
  /** `TimeCreated@SystemTime` in ms since 1970; negative for stamps of 1601. */
  readonly timeCreated: number;
  /** The same to 100 ns: `2024-03-01T10:00:00.1234567Z`. */
  readonly timeText: string;
  /** `EventRecordID`, decimal: the id at the origin; the stored id where the event has none. */
  readonly recordId: string;
  readonly activityId: string | undefined;
  readonly relatedActivityId: string | undefined;
  readonly processId: number | undefined;
  readonly threadId: number | undefined;
  readonly channel: string;
  readonly computer: string;
  /** `S-1-5-18`. */
  readonly userId: string | undefined;
  readonly section: DataSection;
  /** Local name of the child of UserData that holds the fields. */
  readonly dataElement: string | undefined;
  readonly data: RecordData;
  /** The rendered text of a forwarded event, where the collector keeps it. */
  readonly message: string | undefined;
  /** Read from behind damage (option `recover`); may be older than the log says. */
  readonly isRecovered: boolean;
  /** What `toXml` renders from; opaque. It keeps the record's chunk in memory. */
  readonly source: RecordSource | undefined;
}
