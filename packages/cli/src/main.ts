#!/usr/bin/env node
/** The `culprit` command. */
import { runCommandLine } from "./command-line.ts";

process.exitCode = await runCommandLine(process.argv);
