/** Counts the records of a chunk that were not selected. */
import type { SkippedRecords } from "./selection.ts";
import { fileTimeMs } from "./time.ts";
import { unsigned64 } from "./value.ts";

type Kind = Pick<SkippedRecords, "provider" | "eventId" | "channel" | "computer">;
/** An entry while it still grows: records stand as their offsets in the chunk until the list is asked for. */
export interface SkipCount extends Kind {
  count: number;
  first: number;
  last: number;
}

/** One entry for each kind; a chunk holds at most some 2,300 records, so it needs no limit of its own. */
export class Skips {
  private readonly byId = new Map<number, SkipCount[]>();

  /** The entry of a kind, for `grow`. */
  entry({ provider, eventId, channel, computer }: Kind): SkipCount {
    let entries = this.byId.get(eventId);
    if (entries === undefined) {
      entries = [];
      this.byId.set(eventId, entries);
    }
    for (const held of entries) {
      if (held.provider === provider && held.channel === channel && held.computer === computer) return held;
    }
    const entry = { provider, eventId, channel, computer, count: 0, first: 0, last: 0 };
    entries.push(entry);
    return entry;
  }

  /** What was counted; `view` is the chunk's. */
  list(view: DataView): readonly SkippedRecords[] {
    const list: SkippedRecords[] = [];
    for (const entries of this.byId.values()) {
      for (const { provider, eventId, channel, computer, count, first, last } of entries) {
        list.push({
          provider,
          eventId,
          channel,
          computer,
          count,
          firstId: storedId(view, first),
          lastId: storedId(view, last),
          firstAt: storedAt(view, first),
          lastAt: storedAt(view, last),
        });
      }
    }
    return list;
  }
}

/** Counts the record at an offset of the chunk. */
export function grow(entry: SkipCount, at: number): void {
  if (entry.count === 0) entry.first = at;
  entry.count += 1;
  entry.last = at;
}

/** The id of the record at an offset of its chunk. */
export function storedId(view: DataView, at: number): string {
  return unsigned64(view, at + 8);
}

function storedAt(view: DataView, at: number): number {
  return fileTimeMs(view.getUint32(at + 16, true), view.getUint32(at + 20, true));
}
