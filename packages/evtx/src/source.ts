/** What a record was read from, kept so that its XML can be rendered when somebody asks. */
import type { ChunkData } from "./chunk-data.ts";

export interface RecordSource {
  readonly chunk: ChunkData;
  /** Where the record's binary XML starts and ends in the chunk. */
  readonly at: number;
  readonly end: number;
}
