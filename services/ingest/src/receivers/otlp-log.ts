/** The log records of an OTLP request, in either encoding, as records for the decoder. */
import type { Decoded, Failure } from "@culprit/model";
import type { FramedRecord } from "../framed-records.ts";
import { RecordLimit } from "../record-limit.ts";
import { Turns } from "../turns.ts";

export interface LogEntry {
  /** The record as OTLP's JSON has it. */
  readonly log: () => Decoded<unknown>;
  /** As it was sent, where it can be pointed at. */
  readonly bytes?: Uint8Array;
  /** What the resource says that the host is called: the collector, often. */
  readonly host: string | undefined;
}

export interface OtlpLogs {
  readonly records: readonly FramedRecord[];
  readonly unreadable: readonly { readonly record: Uint8Array; readonly failure: Failure }[];
}

/** Makes a record of each log. Errors: as `RecordLimit`, and as `entries`. */
export async function recordsOf(
  entries: Iterable<LogEntry>,
  { recordsMax, recordMaxBytes }: { readonly recordsMax: number; readonly recordMaxBytes: number },
): Promise<OtlpLogs> {
  const turns = new Turns();
  const limit = new RecordLimit(recordsMax);
  const records: FramedRecord[] = [];
  const unreadable: { record: Uint8Array; failure: Failure }[] = [];
  for (const { log, bytes, host } of entries) {
    limit.add();
    if (bytes !== undefined && bytes.length > recordMaxBytes) {
      unreadable.push({ record: bytes, failure: { reason: "record.too-long", detail: `${bytes.length} bytes` } });
      continue;
    }
    const read = log();
    if (!read.ok) {
      unreadable.push({ record: bytes ?? new Uint8Array(0), failure: read.failure });
      continue;
    }
    const record = Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [read.value] }] }] }));
    records.push({ bytes: record, ...(host === undefined ? {} : { host }) });
    await turns.worked(record.length);
  }
  return { records, unreadable };
}
