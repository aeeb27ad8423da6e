/** What is wrong with a config, for the person who wrote it: file, line, what was read, what was expected, the likely fix. */
import { clip } from "@culprit/model";
import type { z } from "zod";
import { schemaAt, schemaKeys } from "./config-schema.ts";
import type { ConfigPlace, ConfigSource } from "./config-source.ts";
import { Secret } from "./secret.ts";

export interface ConfigProblem extends ConfigPlace {
  /** The key, as `ingest.tokens.0.name`. */
  readonly path: string;
  readonly message: string;
  /** The likely fix. */
  readonly hint?: string;
}

/** `culprit.yaml:3:5 ingest.prot: there is no such key; did you mean "port"?` */
export function problemLine({ file, line, column, path, message, hint }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return `${[place, path].filter((part) => part !== "").join(" ")}: ${message}${hint === undefined ? "" : `; ${hint}`}`;
}

/** The problems behind zod's issues, in the order of the file. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  about: { readonly schema: z.ZodType; readonly source: ConfigSource; readonly value: unknown },
): readonly ConfigProblem[] {
  const problems = issues.flatMap((issue) => describe(issue, about));
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function describe(
  issue: z.core.$ZodIssue,
  { schema, source, value }: { schema: z.ZodType; source: ConfigSource; value: unknown },
): readonly ConfigProblem[] {
  const at = issue.path;
  if (issue.code === "unrecognized_keys") {
    const within = schemaAt(schema, at);
    const known = within === undefined ? [] : schemaKeys(within);
    return issue.keys.map((key) => ({
      ...source.placeOf([...at, key]),
      path: [...at, key].map(String).join("."),
      message: "there is no such key",
      hint: hintFor(key, known),
    }));
  }
  const read = SECRET_KEY.test(at.map(String).join(".")) ? SECRET : valueAt(value, at);
  const shown = read === undefined ? "nothing" : clip(shownValue(read), 60);
  return [{ ...source.placeOf(at), path: at.map(String).join("."), message: `${issue.message} (read ${shown})` }];
}

/** What stands under such a key is never shown, not even when it is wrong. */
const SECRET_KEY = /token|secret|password|passphrase|credential|key$/i;
const SECRET = new Secret("");

/** Text is shown only where it cannot be a secret that landed in the wrong place: short words and numbers. */
function shownValue(read: unknown): string {
  if (typeof read === "string") return /^[\w.:/-]{0,24}$/.test(read) ? JSON.stringify(read) : "text";
  if (read instanceof Secret) return String(read);
  if (typeof read === "object") return Array.isArray(read) ? "a list" : "a mapping";
  return String(read);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

function hintFor(key: string, known: readonly string[]): string {
  const closest = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (closest !== undefined && closest.distance <= Math.max(2, key.length / 3)) {
    return `did you mean "${closest.candidate}"?`;
  }
  return known.length === 0 ? "remove it" : `known here: ${known.join(", ")}`;
}

const NAME_MAX = 64;

/** Levenshtein's distance; names are short. */
function editDistance(a: string, b: string): number {
  const from = a.slice(0, NAME_MAX);
  const to = b.slice(0, NAME_MAX);
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
