export { type ChunkContent, type EvtxItem, isChunk, type ReadOptions, readChunk } from "./chunk.ts";
export type { Crc32 } from "./crc32.ts";
export { type EvtOptions, isEvt, readEvt } from "./evt.ts";
export type { EvtxFailure, EvtxReason } from "./failure.ts";
export { type FileOptions, readBlock, readEvtx } from "./file.ts";
export { CHUNK_SIZE, FILE_HEADER_SIZE, type FileHeader, isEvtx, readFileHeader } from "./file-header.ts";
export type { DataSection, EventRecord, RecordData } from "./record.ts";
export type { Select, SkippedRecords } from "./selection.ts";
export { toXml } from "./xml.ts";
