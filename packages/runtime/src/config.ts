/**
 * Configuration: one YAML file, then the environment over it, checked by a zod schema. The only place in Culprit that reads
 * the environment.
 *
 * `CULPRIT__INGEST__PORT=8088` sets `ingest.port`; words are joined without regard to case and underscores, so
 * `CULPRIT__INGEST__BODY_MAX_BYTES` is `ingest.bodyMaxBytes`. Where the schema expects no text, values are read as YAML, so lists and numbers work.
 * A value `${NAME}` in the file is the environment's NAME. A key `<key>File` gives the path that `<key>` is read from,
 * wherever the schema knows `<key>` and not `<key>File`.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Fault } from "@culprit/model";
import type { z } from "zod";
import { type ConfigProblem, describeIssues, problemLine } from "./config-problem.ts";
import { childSchema, expectsText, schemaKeys } from "./config-schema.ts";
import { type ConfigSource, readConfigText } from "./config-source.ts";

const ENVIRONMENT_PREFIX = "CULPRIT__";
const SEPARATOR = "__";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigInput<S extends z.ZodType> {
  readonly schema: S;
  /** The file's name as errors show it, and what relative `…File` paths start from. */
  readonly file?: string;
  readonly text?: string;
  readonly environment?: Environment;
}

export type ConfigResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Checks a config's text together with an environment; every problem, in the order of the file. */
export function checkConfig<S extends z.ZodType>(input: ConfigInput<S>): ConfigResult<z.output<S>> {
  const { schema, file = "(no file)", text = "", environment = {} } = input;
  const source = readConfigText(file, text);
  const problems: ConfigProblem[] = [...source.problems];
  const report = { source, problems, environment, directory: input.file === undefined ? undefined : dirname(file) };
  if (problems.length > 0) return { ok: false, problems };
  const filled = fill(source.value ?? {}, schema, [], report);
  const complete = overlay(filled, schema, report);
  if (problems.length > 0) return { ok: false, problems };
  const parsed = schema.safeParse(complete);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, problems: describeIssues(parsed.error.issues, { schema, source, value: complete }) };
}

/**
 * Loads a config.
 * Errors: `config.unreadable` for a file that cannot be read; `config.invalid` with every problem on a line of its own.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  options: { readonly file?: string; readonly environment?: Environment } = {},
): z.output<S> {
  const { file, environment = process.env } = options;
  const text = file === undefined ? "" : readConfigFile(file);
  const result = checkConfig({ schema, text, environment, ...(file === undefined ? {} : { file }) });
  if (result.ok) return result.value;
  throw new Fault("config.invalid", result.problems.map(problemLine).join("\n"));
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Fault("config.unreadable", `${file} cannot be read`, { cause, fields: { file } });
  }
}

interface Report {
  readonly source: ConfigSource;
  readonly problems: ConfigProblem[];
  readonly environment: Environment;
  readonly directory: string | undefined;
}

type Path = readonly (string | number)[];

/** Replaces `${NAME}` and `<key>File` throughout the file's values. */
function fill(value: unknown, schema: z.ZodType | undefined, path: Path, report: Report): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => fill(item, schema && childSchema(schema, i), [...path, i], report));
  }
  if (typeof value === "object" && value !== null) return fillObject(value, schema, path, report);
  return typeof value === "string" ? fillText(value, path, report) : value;
}

function fillObject(value: object, schema: z.ZodType | undefined, path: Path, report: Report): unknown {
  const out: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    const base = fileKeyBase(key, schema);
    const filled = fill(item, schema && childSchema(schema, key), [...path, key], report);
    if (base === undefined) out[key] = filled;
    else if (Object.hasOwn(value, base)) problemAt(report, [...path, key], `give ${base} or ${key}, not both`);
    else out[base] = readSecretFile(filled, [...path, key], report);
  }
  return out;
}

/** `token` for `tokenFile` where the schema knows the one and not the other. */
function fileKeyBase(key: string, schema: z.ZodType | undefined): string | undefined {
  if (schema === undefined || !key.endsWith("File")) return undefined;
  const keys = schemaKeys(schema);
  const base = key.slice(0, -"File".length);
  return keys.includes(base) && !keys.includes(key) ? base : undefined;
}

function readSecretFile(path: unknown, at: Path, report: Report): string | undefined {
  if (typeof path !== "string") {
    problemAt(report, at, "expected the path of a file");
    return undefined;
  }
  try {
    return readFileSync(resolve(report.directory ?? ".", path), "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    problemAt(report, at, `${path} cannot be read (${code})`);
    return undefined;
  }
}

const VARIABLE = /^\$\{([A-Za-z_]\w{0,127})\}$/;

function fillText(text: string, path: Path, report: Report): string {
  const name = VARIABLE.exec(text)?.[1];
  if (name === undefined) return text;
  const value = report.environment[name];
  if (value !== undefined) return value;
  problemAt(report, path, `the environment has no ${name}`);
  return text;
}

function problemAt(report: Report, path: Path, message: string): void {
  report.problems.push({ ...report.source.placeOf(path), path: path.join("."), message });
}

/** Lays the environment's settings over the file's. */
function overlay(value: unknown, schema: z.ZodType, report: Report): unknown {
  let out = value;
  for (const [name, text] of Object.entries(report.environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined) continue;
    const words = name.slice(ENVIRONMENT_PREFIX.length).split(SEPARATOR);
    const path = pathOf(words, schema);
    if (path === undefined) {
      report.problems.push({ file: "environment", path: name, message: "sets a key that does not exist" });
      continue;
    }
    out = put(
      out,
      path.keys,
      path.fromFile ? readSecretFile(text, [name], report) : environmentValue(text, path.schema),
    );
  }
  return out;
}

interface SettingPath {
  readonly keys: readonly string[];
  readonly fromFile: boolean;
  readonly schema: z.ZodType | undefined;
}

function pathOf(words: readonly string[], schema: z.ZodType): SettingPath | undefined {
  let at: z.ZodType | undefined = schema;
  const keys: string[] = [];
  let fromFile = false;
  for (const word of words) {
    if (at === undefined || fromFile) return undefined;
    const known: readonly string[] = schemaKeys(at);
    const plain = known.find((key) => folded(key) === folded(word));
    const base = plain ?? known.find((key) => `${folded(key)}file` === folded(word));
    if (base === undefined) return undefined;
    fromFile = plain === undefined;
    keys.push(base);
    at = childSchema(at, base);
  }
  return { keys, fromFile, schema: at };
}

function folded(word: string): string {
  return word.replaceAll("_", "").toLowerCase();
}

/** As YAML would read it, so that numbers and lists work; text where text is expected, and where it is no YAML. */
function environmentValue(text: string, schema: z.ZodType | undefined): unknown {
  if (schema !== undefined && expectsText(schema)) return text;
  const read = readConfigText("environment", text);
  return read.problems.length === 0 && read.value !== undefined ? read.value : text;
}

function put(value: unknown, [key, ...rest]: readonly string[], setting: unknown): unknown {
  if (key === undefined) return setting;
  const out: Record<string, unknown> = Object.create(null);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) Object.assign(out, value);
  out[key] = put(out[key], rest, setting);
  return out;
}
