/** `culprit check`: knowledge, topology and config, every finding with file, line and likely fix. */
import { readFile, stat } from "node:fs/promises";
import { Fault } from "@culprit/model";
import { diagnosticText } from "@culprit/rules";
import { checkConfig, problemLine } from "@culprit/runtime";
import { Config, configFileOf } from "../config.ts";
import { EXIT } from "../exit-code.ts";
import { foldersFor, KNOWLEDGE_DIR, readKnowledge } from "../knowledge-files.ts";
import { readTopologyFile } from "../topology-file.ts";

/** What was looked at, as a summary of one line each, and what is wrong with it. */
interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
  readonly summaries: string[];
}

/**
 * Checks a config and all it names, or a knowledge folder; without a path `culprit.yaml` of this folder, or our knowledge.
 * Returns the exit code: 0 without errors, 2 with any.
 */
export async function runCheck(path: string | undefined, print: (text: string) => void): Promise<number> {
  const named = path ?? configFileOf(undefined);
  const findings: Findings = { errors: [], warnings: [], summaries: [] };
  if (named === undefined || (await isFolder(named)))
    await checkKnowledge(...foldersFor(named ?? KNOWLEDGE_DIR), findings);
  else await checkWhole(named, findings);
  const { errors, warnings, summaries } = findings;
  for (const line of [...errors, ...warnings]) print(line);
  print(`${[...summaries, ""].join("; ")}${errors.length} errors, ${warnings.length} warnings`);
  return errors.length > 0 ? EXIT.usage : EXIT.done;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault("config.unreadable", `${path} cannot be read`, { cause, fields: { file: path } });
  });
  return found.isDirectory();
}

async function checkKnowledge(dir: string, extra: readonly string[], findings: Findings): Promise<void> {
  const { knowledge, diagnostics } = await readKnowledge(dir, extra);
  for (const diagnostic of diagnostics) {
    const list = diagnostic.severity === "error" ? findings.errors : findings.warnings;
    list.push(diagnosticText(diagnostic));
  }
  findings.summaries.push(
    `${knowledge.program.playbooks.size} playbooks, ${knowledge.program.detections.size} detections`,
  );
}

/** The config with the environment over it, as a service would start with, and the files it names. */
async function checkWhole(file: string, findings: Findings): Promise<void> {
  const text = await readFile(file, "utf8");
  const config = checkConfig({ schema: Config, file, text, environment: process.env });
  if (!config.ok) {
    findings.errors.push(...config.problems.map(problemLine));
    return;
  }
  const { correlate, notify } = config.value;
  findings.summaries.push(`config ${file} with ${notify.targets.length} targets`);
  if (notify.targets.length === 0) findings.warnings.push(`${file}: notify.targets is empty; pages go to the terminal`);
  const { playbooks, topology } = correlate;
  await inFile("correlate.playbooks", () =>
    checkKnowledge(KNOWLEDGE_DIR, playbooks === undefined ? [] : [playbooks], findings),
  );
  if (topology !== undefined) {
    await inFile("correlate.topology", async () => {
      const facts = await readTopologyFile(topology);
      findings.summaries.push(`topology ${topology} with ${facts.length} facts`);
    });
  }

  async function inFile(key: string, look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      findings.errors.push(...error.message.split("\n").map((line) => `${key}: ${line}`));
    }
  }
}
