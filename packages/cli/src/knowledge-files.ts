/** Reads the knowledge folder from disk: `detections/`, `playbooks/`, `tables/`, and the timelines beside the playbooks. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "@culprit/model";
import {
  type CodeTables,
  compileKnowledge,
  type Diagnostic,
  diagnosticText,
  type Knowledge,
  type RuleFile,
  readCodeTables,
} from "@culprit/rules";

/** The knowledge that comes with Culprit. */
export const KNOWLEDGE_DIR = fileURLToPath(new URL("../../knowledge", import.meta.url));

const YAML_FILE = /\.ya?ml$/;
const TIMELINE_FILE = /\.test\.ya?ml$/;

/** Reads and compiles a knowledge folder; `extraPlaybooks` may hold detections and playbooks of the user's own. */
export async function readKnowledge(
  dir: string,
  extraDirs: readonly string[] = [],
): Promise<{ readonly knowledge: Knowledge; readonly diagnostics: readonly Diagnostic[] }> {
  const dirs = [dir, ...extraDirs];
  const files = (await Promise.all(dirs.map((one) => yamlFiles(one)))).flat();
  const detections = files.filter(({ file }) => /(?:^|[\\/])detections[\\/]/.test(file));
  const playbooks = files.filter(({ file }) => /(?:^|[\\/])playbooks[\\/]/.test(file) && !TIMELINE_FILE.test(file));
  return compileKnowledge({ detections, playbooks, tables: await readTables(dir) });
}

/** The folders to read for one that is named: a whole knowledge folder alone (it has `tables/`), any other beside ours. */
export function foldersFor(dir: string): readonly [dir: string, extra: readonly string[]] {
  return existsSync(join(dir, "tables")) ? [dir, []] : [KNOWLEDGE_DIR, [dir]];
}

/** The timelines of a folder, by file. */
export async function readTimelineFiles(dir: string): Promise<readonly RuleFile[]> {
  return (await yamlFiles(dir)).filter(({ file }) => TIMELINE_FILE.test(file));
}

async function yamlFiles(dir: string): Promise<RuleFile[]> {
  let names: string[];
  try {
    names = await readdir(dir, { recursive: true });
  } catch (cause) {
    throw new Fault("knowledge.unreadable", `cannot read ${dir}`, { cause });
  }
  const wanted = names.filter((name) => YAML_FILE.test(name) && !name.includes("node_modules")).sort();
  return Promise.all(
    wanted.map(async (name) => ({
      file: relative(process.cwd(), join(dir, name)) || name,
      text: await readFile(join(dir, name), "utf8"),
    })),
  );
}

/** The code tables of a knowledge folder. */
export async function readTables(dir: string): Promise<CodeTables> {
  const table = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(dir, "tables", `${name}.json`), "utf8"));
  const [bugchecks, statuses, events] = await Promise.all([table("bugchecks"), table("statuses"), table("events")]);
  return readCodeTables({ bugchecks, statuses, events });
}

/** Compiled knowledge without errors. Errors: `Fault` with every finding, one a line. */
export async function loadKnowledge(dir: string, extraDirs: readonly string[] = []): Promise<Knowledge> {
  const { knowledge, diagnostics } = await readKnowledge(dir, extraDirs);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Fault("knowledge.invalid", errors.map(diagnosticText).join("\n"));
  return knowledge;
}
