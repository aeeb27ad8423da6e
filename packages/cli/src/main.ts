#!/usr/bin/env node
/** The `culprit` command. */
import { runCommandLine } from "./command-line.ts";

// Whoever reads our output may stop reading (`| head`); that is the end, not a fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await runCommandLine(process.argv);
