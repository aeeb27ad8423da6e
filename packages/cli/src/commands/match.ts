/** `culprit match`: Sigma rules and correlations of one's own over any input, one JSON a line for each match. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DecodedFields } from "@culprit/correlator";
import { readTime } from "@culprit/formats";
import { type EpochMs, Fault, isoOf } from "@culprit/model";
import {
  type CodeTables,
  type CompiledRule,
  compileRules,
  createCorrelator,
  eventSource,
  type FieldSource,
  jsonSource,
  type RuleFile,
  type Ruleset,
} from "@culprit/rules";
import { parse } from "yaml";
import { z } from "zod";
import { decodeInput, failureLine } from "../decode-input.ts";
import { EXIT } from "../exit-code.ts";
import { type InputFile, inputFiles } from "../input-files.ts";
import { jsonValues } from "../json-values.ts";
import { KNOWLEDGE_DIR, readTables } from "../knowledge-files.ts";

export interface MatchOptions {
  readonly rules: readonly string[];
  readonly flat?: boolean;
  readonly routing: boolean;
  readonly placeholders?: string;
  readonly timezone: string;
}

interface Subject {
  readonly source: FieldSource;
  readonly at: EpochMs;
}

/** Runs the command. Returns the exit code; rules that cannot be honoured are named and nothing is processed. */
export async function runMatch(
  paths: readonly string[],
  options: MatchOptions,
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  const placeholders =
    options.placeholders === undefined ? new Map<string, string[]>() : await readPlaceholders(options.placeholders);
  const { ruleset, diagnostics } = compileRules(await ruleFiles(options.rules), {
    routing: options.routing,
    placeholders,
  });
  for (const { file, line, severity, message, fix } of diagnostics)
    warn(`${file}:${line}: ${severity}: ${message}${fix === undefined ? "" : ` (fix: ${fix})`}`);
  if (diagnostics.some(({ severity }) => severity === "error")) return EXIT.usage;
  if (ruleset === undefined) throw new Fault("match.no-rules", `no rules in ${options.rules.join(", ")}`);
  let unreadable = 0;
  const onFailure = (line: string): void => {
    unreadable += 1;
    warn(line);
  };
  const files = await inputFiles(paths);
  const subjects =
    options.flat === true
      ? flatSubjects(files, options.timezone, onFailure)
      : eventSubjects(files, options.timezone, await readTables(KNOWLEDGE_DIR), onFailure);
  await matchAll(ruleset, subjects, print);
  return unreadable > 0 ? EXIT.unreadable : EXIT.done;
}

async function matchAll(
  ruleset: Ruleset,
  subjects: AsyncIterable<Subject>,
  print: (text: string) => void,
): Promise<void> {
  const correlator = createCorrelator<number>(ruleset);
  const fired = new Set<string>();
  let index = 0;
  const tell = ({ rule, group, at, events }: ReturnType<typeof correlator.advance>[number], event: number): void => {
    const id = `${rule.place} ${JSON.stringify(group)}`;
    if (fired.has(id)) return;
    fired.add(id);
    print(JSON.stringify({ ...ruleNames(rule), event, at: isoOf(at), group, events }));
  };
  for await (const { source, at } of subjects) {
    const matched: CompiledRule[] = [];
    ruleset.match(source, (rule) => matched.push(rule));
    for (const rule of matched)
      if (rule.emits) print(JSON.stringify({ ...ruleNames(rule), event: index, at: isoOf(at) }));
    for (const firing of correlator.accept({ rules: matched, source, at, ref: index })) tell(firing, index);
    index += 1;
  }
  for (const firing of correlator.advance(Number.POSITIVE_INFINITY)) tell(firing, Math.max(0, index - 1));
}

function ruleNames({ title, id }: CompiledRule): { readonly rule: string; readonly id?: string } {
  return id === undefined ? { rule: title } : { rule: title, id };
}

async function* eventSubjects(
  files: readonly InputFile[],
  zone: string,
  tables: CodeTables,
  onFailure: (line: string) => void,
): AsyncGenerator<Subject> {
  for await (const { event } of decodeInput(files, {
    zone,
    now: Date.now(),
    onFailure: (failure) => onFailure(failureLine(failure)),
  })) {
    yield {
      source: eventSource(event, { manifest: tables.manifest, derived: new DecodedFields(event, tables) }),
      at: event.timeCreated,
    };
  }
}

/** JSON objects, one a line or in one array, whose top-level keys are the fields and whose `@timestamp` is the time. */
async function* flatSubjects(
  files: readonly InputFile[],
  zone: string,
  onFailure: (line: string) => void,
): AsyncGenerator<Subject> {
  const context = { zone, receivedAt: Date.now() };
  for (const file of files) {
    const onLine = (line: number, reason: string): void =>
      onFailure(`${file.path}:${line}: json.unreadable: ${reason}`);
    for await (const { line, value } of jsonValues(file.open(), onLine)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (typeof one === "object" && one !== null)
          yield { source: jsonSource(one), at: timeOf(one as Record<string, unknown>, context) };
        else onFailure(`${file.path}:${line}: json.not-an-object: an event is an object`);
      }
    }
  }
}

/** The time of a flat event, at the beginning of time where it tells none; a small number is milliseconds from there. */
function timeOf(event: Record<string, unknown>, context: Parameters<typeof readTime>[1]): EpochMs {
  const stamp = event["@timestamp"];
  if (typeof stamp !== "number" && typeof stamp !== "string") return 0;
  const isSmall = typeof stamp === "number" && Math.abs(stamp) < EPOCH_NUMBER_MIN;
  return readTime(stamp, context)?.at ?? (isSmall ? Math.trunc(stamp) : 0);
}

/** From here on a number is read by its size: seconds, milliseconds or finer. */
const EPOCH_NUMBER_MIN = 1e8;

async function ruleFiles(paths: readonly string[]): Promise<RuleFile[]> {
  const files: RuleFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new Fault("match.no-rules", `cannot read ${path}`, { cause });
    });
    const names = found.isDirectory()
      ? (await readdir(path, { recursive: true }))
          .filter((name) => /\.ya?ml$/.test(name))
          .sort()
          .map((name) => join(path, name))
      : [path];
    for (const name of names) files.push({ file: name, text: await readFile(name, "utf8") });
  }
  return files;
}

const Placeholders = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]),
);

async function readPlaceholders(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const parsed = Placeholders.safeParse(parse(await readFile(path, "utf8")));
  if (!parsed.success) throw new Fault("match.placeholders", `${path}: expected a map of names to values`);
  return new Map(Object.entries(parsed.data).map(([name, value]) => [name, [value].flat().map(String)]));
}
