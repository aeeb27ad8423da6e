export { type CorrelateOptions, FOLD_GROUP, MATCH_GROUP, start } from "./service.ts";
