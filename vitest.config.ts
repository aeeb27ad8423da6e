import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 120_000,
    // What is waited for comes in milliseconds, but not on a machine that is busy.
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
  },
});
