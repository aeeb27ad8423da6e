/**
 * The knowledge folder as one whole: detections, playbooks and tables, read from text, checked against each other. Reading
 * the files is the shell's matter.
 */
import { isFeedChannel } from "@culprit/model";
import {
  type CompiledRule,
  compileRules,
  type RuleFile,
  type RuleSelection,
  type Ruleset,
  selectionOf,
} from "../sigma/index.ts";
import { type CodeTables, NO_TABLES } from "./code-tables.ts";
import { DetectionExtension } from "./detection-extension.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { loadPlaybook } from "./load.ts";
import { buildProgram, type DetectionInfo, type PlaybookFile, type Program } from "./program.ts";

export interface Knowledge {
  readonly program: Program;
  /** Absent when there is no rule. */
  readonly ruleset: Ruleset | undefined;
  readonly tables: CodeTables;
}

export interface KnowledgeFiles {
  readonly detections: readonly RuleFile[];
  readonly playbooks: readonly RuleFile[];
  readonly tables?: CodeTables;
}

/**
 * Compiles the knowledge.
 * Errors: as diagnostics, each with file, line and fix; what has an error is left out, the rest stands.
 */
export function compileKnowledge(files: KnowledgeFiles): {
  readonly knowledge: Knowledge;
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const { ruleset, diagnostics: ruleFindings } = compileRules(files.detections);
  for (const finding of ruleFindings)
    diagnostics.push({
      severity: finding.severity,
      file: finding.file,
      line: finding.line,
      message: finding.message,
      ...(finding.fix === undefined ? {} : { fix: finding.fix }),
    });
  const detections: DetectionInfo[] = [];
  for (const rule of ruleset?.rules ?? []) {
    if (rule.kind === "correlation") {
      diagnostics.push(correlationRemark(rule));
      continue;
    }
    const parsed = DetectionExtension.safeParse(rule.extension ?? { say: rule.title });
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      diagnostics.push({
        severity: "error",
        file: rule.file,
        line: rule.line,
        message: `${rule.key}: x-culprit.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not readable"}`,
      });
      continue;
    }
    detections.push({
      name: rule.key,
      title: rule.title,
      extension: parsed.data,
      channels: parsed.data.channel === undefined ? [] : [parsed.data.channel],
    });
  }
  const playbooks: PlaybookFile[] = [];
  for (const { file, text } of files.playbooks) {
    const loaded = loadPlaybook(text, file);
    diagnostics.push(...loaded.diagnostics);
    if (loaded.playbook !== undefined) playbooks.push({ playbook: loaded.playbook, file, line: loaded.line });
  }
  const built = buildProgram(playbooks, detections);
  diagnostics.push(...built.diagnostics);
  return { knowledge: { program: built.program, ruleset, tables: files.tables ?? NO_TABLES }, diagnostics };
}

/** Playbooks count, order and wait by themselves; Sigma's correlations are run by `culprit match` alone. */
function correlationRemark({ file, line, title }: CompiledRule): Diagnostic {
  return {
    severity: "warning",
    ...{ file, line },
    message: `correlation "${title}" is checked and not run: playbooks see detections alone`,
    fix: "ask for the same in the `when` of a playbook, or run it with `culprit match`",
  };
}

/** Fields that the correlator reads out of events; their values do not stand in a record as such. */
const DECODED_FIELDS = { has: (field: string): boolean => field.startsWith("Decoded.") };

/** What the playbooks want of a stream of records: that of the detections they use, and of those that tell of restarts. */
export function knowledgeSelection({ program, ruleset }: Pick<Knowledge, "program" | "ruleset">): RuleSelection {
  const queries = new Map<number, Ruleset["internals"]["queries"] extends ReadonlyMap<number, infer Q> ? Q : never>();
  for (const rule of ruleset?.rules ?? []) {
    // What we say of the feed ourselves comes from nowhere else.
    if (isFeedChannel(program.detections.get(rule.key)?.extension.channel ?? "")) continue;
    const query = program.keyKinds.has(rule.key) ? ruleset?.internals.queries.get(rule.place) : undefined;
    if (query !== undefined) queries.set(rule.place, query);
  }
  return selectionOf({ internals: { queries } }, { derived: DECODED_FIELDS });
}
