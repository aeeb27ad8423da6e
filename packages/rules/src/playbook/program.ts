/**
 * The program: playbooks and the detections they name, checked against each other and indexed for the correlator.
 */
import { contentId } from "@culprit/model";
import type { DetectionExtension } from "./detection-extension.ts";
import { type Diagnostic, nearest } from "./diagnostic.ts";
import { aliasesOf, type Expression } from "./expression.ts";
import type { CompiledCause, CompiledPlaybook } from "./load.ts";
import type { SignalUse } from "./schema.ts";

/** What the correlator must know of a detection. */
export interface DetectionInfo {
  readonly name: string;
  readonly title: string;
  readonly extension: DetectionExtension;
  /** Channels it reads, as Windows spells them; empty when it reads any. */
  readonly channels: readonly string[];
}

export type KeyKind = CompiledPlaybook["at"];

/** One use of a rule by a playbook. */
export interface RuleUse {
  readonly playbook: CompiledPlaybook;
  readonly alias: string;
}

export interface Program {
  readonly hash: string;
  readonly playbooks: ReadonlyMap<string, CompiledPlaybook>;
  readonly detections: ReadonlyMap<string, DetectionInfo>;
  /** Rule name -> who uses it. */
  readonly uses: ReadonlyMap<string, readonly RuleUse[]>;
  /** Playbook -> the playbooks that count its incidents as signals. */
  readonly incidentUses: ReadonlyMap<string, readonly CompiledPlaybook[]>;
  /** Rule name -> kinds of key its signals go to. */
  readonly keyKinds: ReadonlyMap<string, ReadonlySet<KeyKind>>;
  /** How long before its own time a signal of this rule can still matter, and how long it must be kept for late ones. */
  readonly retentionMs: ReadonlyMap<string, number>;
}

export interface PlaybookFile {
  readonly playbook: CompiledPlaybook;
  readonly file: string;
  readonly line: (path: readonly PropertyKey[]) => number;
}

/** Variables every incident has as far as they are known. */
const BUILT_IN_VARIABLES = new Set(["host", "cluster", "domain", "place", "fleet"]);
const ROLES = new Set(["host", "peers", "any", "guests", "hypervisor", "server", "controllers", "pdc"]);
const PRIOR_TOLERANCE = 0.011;

/**
 * Checks the playbooks against the detections and builds the program.
 * Errors: as diagnostics; a playbook with an error is left out, the others stand.
 */
export function buildProgram(
  files: readonly PlaybookFile[],
  detections: readonly DetectionInfo[],
): { readonly program: Program; readonly diagnostics: readonly Diagnostic[] } {
  const byName = new Map(detections.map((detection) => [detection.name, detection]));
  const ids = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const known = new Map(files.map(({ playbook }) => [playbook.id, playbook]));
  const good: CompiledPlaybook[] = [];
  for (const file of files) {
    const found = checkPlaybook(file, byName, known);
    const twin = ids.get(file.playbook.id);
    if (twin !== undefined)
      found.push({
        severity: "error",
        file: file.file,
        line: 1,
        message: `the id '${file.playbook.id}' stands in ${twin} too`,
      });
    ids.set(file.playbook.id, file.file);
    diagnostics.push(...found);
    if (!found.some(({ severity }) => severity === "error")) good.push(file.playbook);
  }
  return { program: index(good, byName), diagnostics };
}

function index(playbooks: readonly CompiledPlaybook[], detections: ReadonlyMap<string, DetectionInfo>): Program {
  const sorted = [...playbooks].sort((a, b) => (a.id < b.id ? -1 : 1));
  const uses = new Map<string, RuleUse[]>();
  const incidentUses = new Map<string, CompiledPlaybook[]>();
  const keyKinds = new Map<string, Set<KeyKind>>();
  const retentionMs = new Map<string, number>();
  for (const playbook of sorted) {
    const keep = playbook.collect.before + playbook.collect.after + playbook.collect.lateness + playbook.open.merge;
    for (const [alias, use] of Object.entries(playbook.signals)) {
      for (const id of use.incident) listOf(incidentUses, id).push(playbook);
      for (const rule of use.rule) {
        listOf(uses, rule).push({ playbook, alias });
        const kinds = keyKinds.get(rule) ?? new Set<KeyKind>();
        keyKinds.set(rule, kinds.add(playbook.at));
        retentionMs.set(rule, Math.max(retentionMs.get(rule) ?? 0, keep));
      }
    }
  }
  shareRestartRules(detections, uses, keyKinds, retentionMs);
  const hash = contentId(
    JSON.stringify(sorted),
    JSON.stringify([...detections.values()].sort((a, b) => (a.name < b.name ? -1 : 1))),
  );
  return {
    hash,
    playbooks: new Map(sorted.map((playbook) => [playbook.id, playbook])),
    detections,
    uses,
    incidentUses,
    keyKinds,
    retentionMs,
  };
}

/** Boots, restart records and lost peers tell together when a crash was: where one of them goes, all go. */
function shareRestartRules(
  detections: ReadonlyMap<string, DetectionInfo>,
  uses: ReadonlyMap<string, readonly RuleUse[]>,
  keyKinds: Map<string, Set<KeyKind>>,
  retentionMs: Map<string, number>,
): void {
  const crashRules = [...detections.values()].filter(
    ({ name, extension }) => extension.time === "crash" && uses.has(name),
  );
  if (crashRules.length === 0) return;
  const kinds = new Set(crashRules.flatMap(({ name }) => [...(keyKinds.get(name) ?? [])]));
  const keep = Math.max(...crashRules.map(({ name }) => retentionMs.get(name) ?? 0));
  for (const { name, extension } of detections.values()) {
    if (extension.time === "event") continue;
    keyKinds.set(name, new Set([...(keyKinds.get(name) ?? []), ...kinds]));
    retentionMs.set(name, Math.max(retentionMs.get(name) ?? 0, keep));
  }
}

function listOf<K, V>(map: Map<K, V[]>, key: K): V[] {
  const held = map.get(key);
  if (held !== undefined) return held;
  const fresh: V[] = [];
  map.set(key, fresh);
  return fresh;
}

function checkPlaybook(
  { playbook, file, line }: PlaybookFile,
  detections: ReadonlyMap<string, DetectionInfo>,
  known: ReadonlyMap<string, CompiledPlaybook>,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const report = (
    path: readonly PropertyKey[],
    message: string,
    fix?: string,
    severity: "error" | "warning" = "error",
  ): void => {
    found.push({ severity, file, line: line(path), message, ...(fix === undefined ? {} : { fix }) });
  };
  const aliases = new Set(Object.keys(playbook.signals));
  const needAlias = (alias: string, path: readonly PropertyKey[]): void => {
    if (aliases.has(alias)) return;
    const near = nearest(alias, aliases);
    report(
      path,
      `no signal '${alias}'`,
      near === undefined ? `known: ${[...aliases].join(", ")}` : `did you mean '${near}'?`,
    );
  };
  const needAliases = (expression: Expression | undefined, path: readonly PropertyKey[]): void => {
    if (expression !== undefined) for (const alias of aliasesOf(expression)) needAlias(alias, path);
  };

  const variables = new Set([
    ...playbook.entity,
    ...Object.values(playbook.signals).flatMap((use) => Object.keys(use.as)),
  ]);
  const bindings = new Set<string>();
  for (const [alias, use] of Object.entries(playbook.signals)) {
    for (const id of use.incident)
      if (!known.has(id)) report(["signals", alias, "incident"], `no playbook '${id}'`, nearest(id, known.keys()));
    checkIncidentWhere(alias, use, known, detections, report);
    for (const rule of use.rule) {
      const detection = detections.get(rule);
      if (detection === undefined) {
        const near = nearest(rule, detections.keys());
        report(
          ["signals", alias, "rule"],
          `no detection '${rule}'`,
          near === undefined ? "write it, or correct the name" : `did you mean '${near}'?`,
        );
        continue;
      }
      for (const name of bindingNames(detection)) bindings.add(name);
      for (const name of Object.keys(use.where)) {
        if (!bindingNames(detection).has(name))
          report(
            ["signals", alias, "where", name],
            `detection '${rule}' binds no '${name}'`,
            `it binds: ${[...bindingNames(detection)].join(", ") || "nothing"}`,
          );
      }
    }
  }
  for (const [alias, use] of Object.entries(playbook.signals)) {
    for (const side of ["on", "about"] as const) {
      const role = use[side];
      if (role !== undefined && !ROLES.has(role) && !variables.has(role) && !bindings.has(role)) {
        report(
          ["signals", alias, side],
          `'${role}' is neither a role nor a variable`,
          `roles: ${[...ROLES].join(", ")}; variables: ${[...variables].join(", ")}`,
        );
      }
    }
  }
  for (const [alias, use] of Object.entries(playbook.signals)) {
    for (const [name, predicate] of Object.entries(use.where)) {
      if (!("same" in predicate)) continue;
      const { same } = predicate;
      if (!BUILT_IN_VARIABLES.has(same) && !variables.has(same) && !bindings.has(same))
        report(["signals", alias, "where", name], `nothing gives the variable '${same}'`, nearest(same, variables));
    }
  }
  for (const name of playbook.entity) {
    if (!BUILT_IN_VARIABLES.has(name) && !variables.has(name) && !bindings.has(name))
      report(["entity"], `nothing gives the variable '${name}'`);
  }

  needAliases(playbook.open.when, ["open", "when"]);
  needAliases(playbook.open.unless, ["open", "unless"]);
  for (const alias of playbook.open.anchors) needAlias(alias, ["open", "anchor"]);
  needAliases(playbook.close.when, ["close", "when"]);
  if (playbook.victim !== undefined) needAlias(playbook.victim, ["victim"]);
  for (const alias of playbook.context) needAlias(alias, ["context"]);
  playbook.severityWhen.forEach(({ when }, i) => {
    needAliases(when, ["severityWhen", i]);
  });
  playbook.facts.forEach(({ when }, i) => {
    needAliases(when, ["facts", i]);
  });
  playbook.causes.forEach((cause, i) => {
    cause.evidence.forEach((evidence, j) => {
      const path = ["causes", i, "evidence", j];
      for (const alias of evidence.aliases) needAlias(alias, path);
      needAliases(evidence.condition, path);
      const [from, to] = evidence.within ?? [0, 0];
      if (from < -playbook.collect.before || to > playbook.collect.after)
        report([...path, "within"], "the window lies outside 'collect'", "widen collect.before or collect.after");
      if (cause.confidence === "unverified" && (evidence.for ?? 0) > 3)
        report([...path, "for"], "a cause marked unverified weighs at most weak");
    });
  });
  for (const [i, explains] of playbook.explains.entries()) {
    for (const id of explains.playbooks)
      if (!known.has(id)) report(["explains", i], `no playbook '${id}'`, nearest(id, known.keys()));
  }
  checkCauses(playbook, report);
  return found;
}

/** What every incident binds when it is a signal, whatever its variables. */
const INCIDENT_BINDINGS = new Set([...BUILT_IN_VARIABLES, "playbook", "cause", "hypervisor"]);

/** Conditions on incidents: bindings that some of them give, causes and playbooks that there are. */
function checkIncidentWhere(
  alias: string,
  use: SignalUse,
  known: ReadonlyMap<string, CompiledPlaybook>,
  detections: ReadonlyMap<string, DetectionInfo>,
  report: Report,
): void {
  if (use.incident.length === 0) return;
  const counted = use.incident.flatMap((id) => known.get(id) ?? []);
  const names = new Set([...INCIDENT_BINDINGS, ...counted.flatMap((playbook) => variablesOf(playbook, detections))]);
  const choices = {
    playbook: new Set(use.incident),
    cause: new Set(["unknown", ...counted.flatMap(({ causes }) => causes.map(({ id }) => id))]),
  };
  for (const [name, predicate] of Object.entries(use.where)) {
    const path = ["signals", alias, "where", name];
    if (!names.has(name)) report(path, `none of these incidents binds '${name}'`, nearest(name, names));
    const valid = name === "cause" || name === "playbook" ? choices[name] : undefined;
    if (valid === undefined) continue;
    const wanted = "in" in predicate ? predicate.in : "notIn" in predicate ? predicate.notIn : [];
    for (const value of wanted)
      if (!valid.has(value)) report(path, `none of these incidents has the ${name} '${value}'`, nearest(value, valid));
  }
}

/** Variables that incidents of a playbook can have beside the built-in ones: what its signals give and bind. */
function variablesOf(playbook: CompiledPlaybook, detections: ReadonlyMap<string, DetectionInfo>): string[] {
  return Object.values(playbook.signals).flatMap((use) => [
    ...Object.keys(use.as),
    ...use.rule.flatMap((rule) => {
      const detection = detections.get(rule);
      return detection === undefined ? [] : [...bindingNames(detection)];
    }),
  ]);
}

/** The names a detection can bind: those written, and the named groups of its patterns. */
export function bindingNames(detection: DetectionInfo): ReadonlySet<string> {
  const names = new Set(Object.keys(detection.extension.bind));
  for (const source of Object.values(detection.extension.bind).flat()) {
    if (typeof source !== "object") continue;
    for (const group of source.pattern.matchAll(/\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>/g)) names.add(group[1] as string);
  }
  return names;
}

type Report = (path: readonly PropertyKey[], message: string, fix?: string, severity?: "error" | "warning") => void;

/** Priors sum to one; no two causes that no evidence could ever tell apart (the codebook check). */
function checkCauses(playbook: CompiledPlaybook, report: Report): void {
  const sum = playbook.causes.reduce((total, cause) => total + cause.prior, playbook.unknown.prior);
  if (Math.abs(sum - 1) > PRIOR_TOLERANCE)
    report(["causes"], `priors and unknown.prior sum to ${sum.toFixed(3)}, not 1`);
  const seen = new Map<string, CompiledCause>();
  playbook.causes.forEach((cause, i) => {
    const twin = seen.get(cause.id);
    if (twin !== undefined) report(["causes", i, "id"], `the cause '${cause.id}' stands twice`);
    seen.set(cause.id, cause);
    for (const other of playbook.causes.slice(0, i)) {
      if (signature(cause) === signature(other))
        report(
          ["causes", i],
          `no evidence can tell '${cause.id}' from '${other.id}'`,
          "give one of them evidence that the other does not have",
        );
    }
  });
}

function signature(cause: CompiledCause): string {
  return JSON.stringify(
    cause.evidence.map((e) => [e.aliases, e.condition, e.within, e.for, e.against, e.missing, e.atLeast]).sort(),
  );
}
