export { IngestConfig, IngestToken } from "./config.ts";
export { type IngestOptions, type IngestService, start } from "./service.ts";
export type { SourceView } from "./sources.ts";
