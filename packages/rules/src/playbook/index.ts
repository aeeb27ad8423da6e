export * from "./code-tables.ts";
export * from "./detection-extension.ts";
export * from "./diagnostic.ts";
export * from "./expression.ts";
export * from "./load.ts";
export * from "./program.ts";
export * from "./schema.ts";
export * from "./weight.ts";
