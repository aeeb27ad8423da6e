/** Which partition a key belongs to. */
import { crc32 } from "node:zlib";

/** The same key always gives the same partition, from 0 to `partitions - 1`. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : crc32(key) % partitions;
}
