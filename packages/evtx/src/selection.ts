/** What a reader wants decoded, and what is said of the rest. */

/**
 * Whether records of this provider, event id and channel are decoded.
 * It must depend on its arguments alone: an answer holds for all records of a chunk that share them.
 */
export type Select = (provider: string, eventId: number, channel: string) => boolean;

/** Records of one kind that were not selected: counted, with the range of their stored ids and times. */
export interface SkippedRecords {
  readonly provider: string;
  readonly eventId: number;
  readonly channel: string;
  readonly computer: string;
  readonly count: number;
  /** In the order of the file. */
  readonly firstId: string;
  readonly lastId: string;
  /** Milliseconds since 1970 of the first and the last record as stored. */
  readonly firstAt: number;
  readonly lastAt: number;
}
