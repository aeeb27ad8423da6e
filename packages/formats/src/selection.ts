/**
 * Select before decode: what rules want of a stream of records, asked with as little as the raw bytes show.
 */

import type { EpochMs } from "@culprit/model";
import type { RecordSource } from "./event-export.ts";

/**
 * What the loaded rules want. Names are lower case; `undefined` means that the bytes do not show it, and the answer must
 * then hold for any name.
 */
export interface Selection {
  wants(providerLower: string | undefined, channelLower: string | undefined, eventId: number): boolean;
}

/** Wants everything: `retain: all`, and every offline command that must show all events. */
export const SELECT_ALL: Selection = { wants: () => true };

/** Records of one log that a selection left undecoded: counted, so that the log's arrival is known without them. */
export interface PassedOver {
  /** Where the first of them stood. */
  readonly source: RecordSource;
  readonly count: number;
  readonly provider?: string;
  readonly channel?: string;
  readonly computer?: string;
  readonly firstAt?: EpochMs;
  readonly lastAt?: EpochMs;
  /** Where their record ids are one unbroken run. */
  readonly firstRecordId?: number;
  readonly lastRecordId?: number;
}

/** What a record that is passed over shows of itself: whose log it is from, its number in it and its time. */
export interface Shown {
  readonly computer: string | undefined;
  readonly channel: string | undefined;
  readonly at: EpochMs | undefined;
  /** The forwarder's own stamp. */
  readonly receivedAt: EpochMs | undefined;
  readonly recordId: number | undefined;
}

/** What raw bytes show of a record without decoding it. */
export interface Glance {
  readonly eventIds: readonly number[];
  readonly provider?: string;
  readonly channel?: string;
}

/** Whether any reading of a glance is wanted; nothing seen means that it cannot be judged, and is wanted. */
export function isWanted(glance: Glance | undefined, selection: Selection): boolean {
  if (glance === undefined || glance.eventIds.length === 0) return true;
  const provider = glance.provider?.toLowerCase();
  const channel = glance.channel?.toLowerCase();
  return glance.eventIds.some((id) => selection.wants(provider, channel, id));
}
