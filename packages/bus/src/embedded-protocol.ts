/** What the embedded log's threads say to each other: the bus asks with an id, the worker answers with the same id. */

/** One partition of one topic, as the worker keeps it. */
export interface StreamSpec {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  /** `undefined` for a compacted topic. */
  readonly retentionMs: number | undefined;
}

export interface StoreOptions {
  /** The database file, or `:memory:`. */
  readonly path: string;
  readonly streams: readonly Omit<StreamSpec, "id">[];
  /** How large the database may become. */
  readonly sizeMaxBytes: number;
  /** What is kept free, below `sizeMaxBytes` and on the disk, for commits when publishing is already refused. */
  readonly reserveBytes: number;
}

/** A body for one stream; with a key it belongs to a compacted topic and holds one message. */
export interface Entry {
  readonly stream: number;
  readonly body: Uint8Array;
  readonly count: number;
  readonly key?: string;
  /** Whether the message removes its key. */
  readonly removes?: boolean;
}

export interface StoredPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
}

/** Stores all of it or nothing. `bulk` writes are refused while less than the reserve is free. */
export interface WriteRequest {
  readonly kind: "write";
  readonly entries: readonly Entry[];
  readonly at: number;
  readonly bulk: boolean;
  readonly position?: StoredPosition;
}

export interface ReadRequest {
  readonly kind: "read";
  readonly stream: number;
  readonly from: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly now: number;
}

/** Everything under a range of keys of a compacted topic: `low` and above, below `high`. */
export interface ScanRequest {
  readonly kind: "scan";
  readonly stream: number;
  readonly low: string;
  readonly high: string;
  readonly now: number;
}

export type Request =
  | WriteRequest
  | ReadRequest
  | ScanRequest
  | { readonly kind: "positions"; readonly group: string; readonly topic: string }
  | { readonly kind: "ends" }
  | { readonly kind: "retain"; readonly now: number }
  | { readonly kind: "forget-group"; readonly group: string; readonly topic: string }
  | { readonly kind: "close" };

export interface Row {
  readonly firstOffset: number;
  readonly body: Uint8Array;
}

export interface ReadResult {
  readonly rows: readonly Row[];
  /** Where to read on, also when no row was readable. */
  readonly next: number;
  readonly end: number;
}

export interface ScanResult {
  readonly rows: readonly Row[];
  readonly damagedKeys: readonly string[];
}

/** First stored and next offset of a stream. */
export interface StreamEnds {
  readonly stream: number;
  readonly start: number;
  readonly end: number;
}

export interface WriteResult {
  readonly streams: readonly number[];
}

export interface RetainResult {
  readonly deletedBatches: number;
  /** Batches older than their time that a group has not read yet. */
  readonly heldBatches: number;
}

/** The answer's type, by the request's kind. */
export interface Results {
  readonly write: WriteResult;
  readonly read: ReadResult;
  readonly scan: ScanResult;
  readonly positions: readonly StoredPosition[];
  readonly ends: readonly StreamEnds[];
  readonly retain: RetainResult;
  readonly "forget-group": undefined;
  readonly close: undefined;
}

export interface FaultData {
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Counters and gauges of the worker; sent along with every answer. */
export type StoreStats = Readonly<Record<string, number>>;

export type FromWorker =
  | { readonly kind: "ready"; readonly streams: readonly StreamSpec[]; readonly stats: StoreStats }
  | { readonly kind: "refused"; readonly fault: FaultData }
  | {
      readonly kind: "answers";
      readonly answers: readonly (
        | { readonly id: number; readonly result: Results[Request["kind"]] }
        | { readonly id: number; readonly fault: FaultData }
      )[];
      readonly stats: StoreStats;
    }
  | { readonly kind: "broken"; readonly fault: FaultData };
