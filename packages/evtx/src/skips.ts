/** Counts the records of a chunk that were not selected. */
import type { SkippedRecords } from "./selection.ts";

type Kind = Pick<SkippedRecords, "provider" | "eventId" | "channel" | "computer">;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One entry for each kind; a chunk holds at most some 2,300 records, so it needs no limit of its own. */
export class Skips {
  private readonly byKind = new Map<string, Mutable<SkippedRecords>>();

  add(kind: Kind, storedId: string, at: number): void {
    const { provider, eventId, channel, computer } = kind;
    const key = `${eventId}\0${provider}\0${channel}\0${computer}`;
    const held = this.byKind.get(key);
    if (held === undefined) {
      this.byKind.set(key, {
        provider,
        eventId,
        channel,
        computer,
        count: 1,
        firstId: storedId,
        lastId: storedId,
        firstAt: at,
        lastAt: at,
      });
    } else {
      held.count += 1;
      held.lastId = storedId;
      held.lastAt = at;
    }
  }

  list(): readonly SkippedRecords[] {
    return [...this.byKind.values()];
  }
}
