export { ConsoleConfig } from "./config.ts";
export { passwordLine } from "./login/password.ts";
export { type ConsoleOptions, type ConsoleService, start } from "./service.ts";
