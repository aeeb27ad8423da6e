/**
 * From the text of a playbook file to a typed playbook with its conditions parsed. Errors carry the line of the value that
 * is wrong, found through the YAML tree.
 */
import { isMap, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Diagnostic, nearest } from "./diagnostic.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { type Cause, type Evidence, Playbook } from "./schema.ts";

export type CompiledEvidence = Omit<Evidence, "when"> & {
  readonly aliases: readonly string[];
  readonly condition?: Expression;
};
export type CompiledCause = Omit<Cause, "evidence"> & { readonly evidence: readonly CompiledEvidence[] };

/** A playbook whose conditions are parsed and whose table has become evidence. */
export type CompiledPlaybook = Omit<Playbook, "open" | "causes" | "close" | "severityWhen" | "facts" | "table"> & {
  readonly open: Omit<Playbook["open"], "when" | "unless"> & {
    readonly when: Expression;
    readonly unless?: Expression;
    readonly anchors: readonly string[];
  };
  readonly close: Omit<Playbook["close"], "when"> & { readonly when?: Expression };
  readonly severityWhen: readonly { readonly when: Expression; readonly is: Playbook["severity"] }[];
  readonly facts: readonly { readonly when?: Expression; readonly say: string }[];
  readonly causes: readonly CompiledCause[];
};

const SIZE_MAX = 256 * 1024;
const ALIAS_MAX = 20;

/**
 * Reads one playbook file.
 * Errors: every finding with file, line, what was read and the likely fix; `playbook` is absent when one is an error.
 */
export function loadPlaybook(
  text: string,
  file: string,
): {
  readonly playbook?: CompiledPlaybook;
  readonly line: (path: readonly PropertyKey[]) => number;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (text.length > SIZE_MAX)
    return refused(file, 1, `the file has ${text.length} characters; a playbook has at most ${SIZE_MAX}`);
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, strict: true });
  const broken = document.errors[0];
  if (broken !== undefined)
    return refused(file, counter.linePos(broken.pos[0]).line, broken.message.split("\n")[0] ?? "not YAML");
  const line = (path: readonly PropertyKey[]): number => lineOf(document, counter, path);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: ALIAS_MAX });
  } catch (error) {
    return refused(file, 1, error instanceof Error ? error.message : String(error));
  }
  const parsed = Playbook.safeParse(plain);
  if (!parsed.success)
    return { line, diagnostics: parsed.error.issues.map((issue) => issueDiagnostic(issue, file, line)) };
  const diagnostics: Diagnostic[] = [];
  const playbook = compile(parsed.data, (path, message) =>
    diagnostics.push({ severity: "error", file, line: line(path), message }),
  );
  return diagnostics.length > 0 ? { line, diagnostics } : { playbook, line, diagnostics };
}

function refused(file: string, line: number, message: string) {
  return { line: () => line, diagnostics: [{ severity: "error", file, line, message } as const] };
}

function lineOf(
  document: ReturnType<typeof parseDocument>,
  counter: LineCounter,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const key = part[part.length - 1];
    const parent = length > 0 ? document.getIn(part.slice(0, -1), true) : undefined;
    const pair = isMap(parent)
      ? parent.items.find((item) => isNode(item.key) && String(item.key) === String(key))
      : undefined;
    const node = isNode(pair?.key) ? pair.key : document.getIn(part, true);
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}

function issueDiagnostic(
  issue: z.core.$ZodIssue,
  file: string,
  line: (path: readonly PropertyKey[]) => number,
): Diagnostic {
  const where = issue.path.length === 0 ? "the file" : issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const known = knownKeysAt(issue.path);
    const near = nearest(key, known);
    const fix =
      near === undefined
        ? known.length > 0
          ? `known keys: ${known.join(", ")}`
          : "remove it"
        : `did you mean '${near}'?`;
    return {
      severity: "error",
      file,
      line: line([...issue.path, key]),
      message: `${where}: unknown key '${key}'`,
      fix,
    };
  }
  return { severity: "error", file, line: line(issue.path), message: `${where}: ${issue.message}` };
}

function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(Playbook.shape);
  const part = Playbook.shape[path[0] as keyof typeof Playbook.shape] as unknown as
    | { shape?: Record<string, unknown> }
    | undefined;
  return path.length === 1 && part?.shape !== undefined ? Object.keys(part.shape) : [];
}

type Report = (path: readonly PropertyKey[], message: string) => void;

function compile(playbook: Playbook, report: Report): CompiledPlaybook {
  const condition = (text: string, path: readonly PropertyKey[]): Expression => {
    const parsed = parseExpression(text);
    if (parsed.ok) return parsed.expression;
    report(path, `'${text}': expected ${parsed.expected} at column ${parsed.at + 1}`);
    return { kind: "or", all: [] };
  };
  const { when, unless, anchor, ...open } = playbook.open;
  const { when: closeWhen, ...close } = playbook.close;
  const { table: _table, ...rest } = playbook;
  const openWhen = condition(when, ["open", "when"]);
  return {
    ...rest,
    open: {
      ...open,
      when: openWhen,
      anchors: anchor ?? anchorsOf(openWhen),
      ...(unless === undefined ? {} : { unless: condition(unless, ["open", "unless"]) }),
    },
    close: { ...close, ...(closeWhen === undefined ? {} : { when: condition(closeWhen, ["close", "when"]) }) },
    severityWhen: playbook.severityWhen.map((rule, i) => ({
      is: rule.is,
      when: condition(rule.when, ["severityWhen", i, "when"]),
    })),
    facts: playbook.facts.map((fact, i) => ({
      say: fact.say,
      ...(fact.when === undefined ? {} : { when: condition(fact.when, ["facts", i, "when"]) }),
    })),
    causes: playbook.causes.map((cause, i) => ({
      ...cause,
      evidence: [
        ...cause.evidence.map((evidence, j) =>
          compileEvidence(evidence, ["causes", i, "evidence", j], condition, report),
        ),
        ...tableEvidence(playbook, cause.id, report),
      ],
    })),
  };
}

function anchorsOf(expression: Expression): readonly string[] {
  const found = new Set<string>();
  const walk = (part: Expression): void => {
    switch (part.kind) {
      case "seen":
        found.add(part.alias);
        return;
      case "count":
        found.add(part.of.alias);
        return;
      case "after":
        found.add(part.alias);
        return;
      case "and":
      case "or":
        part.all.forEach(walk);
        return;
      case "not":
    }
  };
  walk(expression);
  return [...found];
}

function compileEvidence(
  evidence: Evidence,
  path: readonly PropertyKey[],
  condition: (text: string, path: readonly PropertyKey[]) => Expression,
  report: Report,
): CompiledEvidence {
  const { when, ...rest } = evidence;
  const ways = [evidence.signal, evidence.any, when].filter((way) => way !== undefined).length;
  if (ways !== 1) report(path, "evidence has exactly one of 'signal', 'any' and 'when'");
  if (
    evidence.for === undefined &&
    evidence.against === undefined &&
    evidence.missing === undefined &&
    evidence.ask === undefined
  ) {
    report(path, "evidence without 'for', 'against', 'missing' or 'ask' says nothing");
  }
  if (evidence.for !== undefined && evidence.against !== undefined)
    report(path, "evidence is 'for' or 'against', not both");
  const aliases = evidence.signal !== undefined ? [evidence.signal] : (evidence.any ?? []);
  if (when === undefined) return { ...rest, aliases };
  if (evidence.text === undefined) report(path, "evidence by 'when' needs a 'text' to show");
  return { ...rest, aliases, condition: condition(when, [...path, "when"]) };
}

/** The rows of a truth table that speak for a cause, as conditions over the inputs. */
function tableEvidence(playbook: Playbook, cause: string, report: Report): CompiledEvidence[] {
  const { table } = playbook;
  if (table === undefined) return [];
  const inputs = Object.keys(table.inputs);
  if (cause === playbook.causes[0]?.id) checkTable(playbook, table, inputs, report);
  return table.rows
    .filter((row) => row.cause === cause)
    .map((row) => ({
      aliases: [],
      atLeast: 1,
      group: "table",
      for: row.for,
      text: row.note ?? rowText(table.inputs, row.if),
      ...(table.within === undefined ? {} : { within: table.within }),
      condition: {
        kind: "and",
        all: inputs.map((input): Expression => {
          const seen: Expression = { kind: "seen", alias: table.inputs[input] as string };
          return row.if[input] === true ? seen : { kind: "not", of: seen };
        }),
      },
    }));
}

function rowText(inputs: Readonly<Record<string, string>>, row: Readonly<Record<string, boolean>>): string {
  return Object.entries(row)
    .map(([input, yes]) => `${inputs[input] ?? input} ${yes ? "seen" : "not seen"}`)
    .join(", ");
}

function checkTable(
  playbook: Playbook,
  table: NonNullable<Playbook["table"]>,
  inputs: readonly string[],
  report: Report,
): void {
  const causes = new Set(playbook.causes.map((cause) => cause.id));
  const rows = new Set<string>();
  table.rows.forEach((row, i) => {
    if (!causes.has(row.cause)) report(["table", "rows", i, "cause"], `no cause '${row.cause}' in this playbook`);
    const absent = inputs.filter((input) => row.if[input] === undefined);
    if (absent.length > 0) report(["table", "rows", i], `the row does not say '${absent.join("', '")}'`);
    const key = inputs.map((input) => (row.if[input] === true ? "1" : "0")).join("");
    if (rows.has(key)) report(["table", "rows", i], "the same combination stands twice");
    rows.add(key);
  });
  if (rows.size !== 2 ** inputs.length)
    report(["table", "rows"], `${2 ** inputs.length - rows.size} of ${2 ** inputs.length} combinations have no row`);
}
