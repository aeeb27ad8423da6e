export { ConsoleConfig } from "./config.ts";
export { type ConsoleOptions, type ConsoleService, start } from "./service.ts";
