/** The JSON shape of `culprit decode`: an event and where it came from in, one plain object out. */
import { exportData, isoOf, type WindowsEvent } from "@culprit/model";

/** Where in the input a record stood. */
export interface RecordSource {
  /** Name of the format that read it. */
  readonly format: string;
  /** Byte offset of the record in the input; of the UTF-8 form, where the input is UTF-16. */
  readonly offset: number;
  readonly path?: string;
}

/** One line of `culprit decode`; optional fields are left out where the record does not have them. */
export interface ExportedEvent {
  readonly host: string;
  readonly computer: string;
  readonly channel: string;
  readonly provider: string;
  readonly eventId: number;
  readonly qualifiers?: number;
  readonly level: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly recordId?: string;
  readonly data: readonly string[] | Readonly<Record<string, string | string[]>>;
  readonly message?: string;
  readonly source: RecordSource;
}

/**
 * Source: CONTRACT.md, `decode`.
 * Shape: keys in the order of the contract; `data` is an array when every value is positional, else an object.
 */
export function exportEvent(event: WindowsEvent, source: RecordSource): ExportedEvent {
  return {
    host: event.host,
    computer: event.computer,
    channel: event.channel,
    provider: event.provider,
    eventId: event.eventId,
    ...(event.qualifiers === undefined ? {} : { qualifiers: event.qualifiers }),
    level: event.level,
    time: isoOf(event.timeCreated),
    ...(event.recordId === undefined ? {} : { recordId: event.recordId }),
    data: exportData(event.data),
    ...(event.message === undefined ? {} : { message: event.message }),
    source: {
      ...(source.path === undefined ? {} : { path: source.path }),
      format: source.format,
      offset: source.offset,
    },
  };
}
