/** `culprit check`: knowledge, topology and config, every finding with file, line and likely fix. */
import { stat } from "node:fs/promises";
import { diagnosticText } from "@culprit/rules";
import { EXIT } from "../exit-code.ts";
import { KNOWLEDGE_DIR, readKnowledge } from "../knowledge-files.ts";

/** Runs the command. Returns the exit code: 0 without errors, 2 with any. */
export async function runCheck(path: string | undefined, print: (text: string) => void): Promise<number> {
  const dir = path ?? KNOWLEDGE_DIR;
  await stat(dir);
  const { knowledge, diagnostics } = await readKnowledge(dir);
  for (const diagnostic of diagnostics) print(diagnosticText(diagnostic));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  print(
    `${knowledge.program.playbooks.size} playbooks, ${knowledge.program.detections.size} detections; ${errors} errors, ${diagnostics.length - errors} warnings`,
  );
  return errors > 0 ? EXIT.usage : EXIT.done;
}
