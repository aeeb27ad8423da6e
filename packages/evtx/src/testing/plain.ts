/** A record read again from the same bytes by the plain way, for comparison. */
import { decodePlain } from "../decode.ts";
import type { EventRecord } from "../record.ts";

const RECORD_HEAD = 24;

export function plainRecord(record: EventRecord): EventRecord {
  const { source } = record;
  if (source === undefined) throw new Error("the record has no source");
  const { chunk, at } = source;
  return decodePlain(chunk, {
    offset: record.offset,
    storedId: record.storedId,
    low: chunk.view.getUint32(at - RECORD_HEAD + 16, true),
    high: chunk.view.getUint32(at - RECORD_HEAD + 20, true),
    isRecovered: record.isRecovered,
    source,
  });
}
