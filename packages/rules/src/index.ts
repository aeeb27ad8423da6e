export * from "./playbook/index.ts";
export * from "./sigma/index.ts";
