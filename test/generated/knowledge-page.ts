/** `docs/knowledge.md`: every playbook with the events it reads, its causes, their evidence and references. */
import {
  type CompiledCause,
  type CompiledEvidence,
  type CompiledPlaybook,
  type Expression,
  type Knowledge,
  LAYERS,
  selectionOf,
  WEIGHT_POINTS,
} from "@culprit/rules";
import { cell, table } from "./markdown.ts";

/** Makes the page. */
export function knowledgePage(knowledge: Knowledge): string {
  const playbooks = [...knowledge.program.playbooks.values()].sort(
    (a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer) || (a.id < b.id ? -1 : 1),
  );
  const causes = playbooks.reduce((sum, playbook) => sum + playbook.causes.length, 0);
  const sections = playbooks.map((playbook) => section(playbook, knowledge));
  return `${HEAD}
${playbooks.length} playbooks, ${causes} causes, ${knowledge.program.detections.size} detections.

${table(["playbook", "severity", "layer", "page"], playbooks.map(summaryRow))}

${sections.join("\n\n")}
`;
}

const HEAD = `# What Culprit knows

Made from \`packages/knowledge\` by \`npm run docs\`; do not edit. How to read and write playbooks: [playbooks.md](playbooks.md).

- *Reads* lists the events of the detections a playbook uses, as provider and ids. \`FileLog\` stands for lines of text logs.
- The *prior* is the share a cause has before anything is seen. Weights: weak ${WEIGHT_POINTS.weak}, moderate ${WEIGHT_POINTS.moderate}, strong ${WEIGHT_POINTS.strong}, decisive ${WEIGHT_POINTS.decisive} decibans.
- *for* adds when seen, *against* takes off when seen, *missing* takes off when the log covers the window and it is not there.
- **unverified**: a fact behind it was not confirmed by a second source; such a cause weighs at most weak.
`;

function summaryRow({ id, severity, layer, title }: CompiledPlaybook): string[] {
  return [`[${id}](#${id})`, severity, layer, cell(title)];
}

function section(playbook: CompiledPlaybook, knowledge: Knowledge): string {
  const { id, articles, references, notTheCause, explains } = playbook;
  const explained = [...new Set(explains.flatMap(({ playbooks }) => playbooks))].sort();
  const lines = [
    `## ${id}`,
    "",
    cell(playbook.title),
    "",
    `Reads: ${eventsOf(playbook, knowledge)}.`,
    "",
    table(["cause", "prior", "evidence", "references"], [...playbook.causes.map(causeRow), unknownRow(playbook)]),
  ];
  if (notTheCause.length > 0) lines.push("", `Not the cause: ${notTheCause.map(cell).join(" ")}`);
  if (explained.length > 0) lines.push("", `Explains: ${explained.map((other) => `\`${other}\``).join(", ")}.`);
  if (articles.length > 0) lines.push("", `Articles of 2009: ${articles.map(cell).join("; ")}.`);
  if (references.length > 0) lines.push("", `References: ${references.map(cell).join("; ")}.`);
  return lines.join("\n");
}

function causeRow(cause: CompiledCause): string[] {
  const mark = cause.confidence === "unverified" ? " **unverified**" : "";
  const evidence = cause.evidence.map(evidenceText).filter((text) => text !== "");
  return [
    `\`${cause.id}\`${mark}: ${cell(cause.title)}`,
    percent(cause.prior),
    evidence.length === 0 ? "none in the logs" : evidence.join("; "),
    cause.references.map(cell).join("; "),
  ];
}

function unknownRow({ unknown }: CompiledPlaybook): string[] {
  return [`unknown: ${cell(unknown.title)}`, percent(unknown.prior), "", ""];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function evidenceText(evidence: CompiledEvidence): string {
  const what =
    evidence.condition === undefined ? evidence.aliases.join(" or ") : `when ${conditionText(evidence.condition)}`;
  const weights = (["for", "against", "missing"] as const).flatMap((side) => {
    const points = evidence[side];
    return points === undefined ? [] : [`${side} ${weightText(points)}`];
  });
  // Evidence without a weight only asks: it is on the page under what to collect.
  return weights.length === 0 ? "" : `${cell(what)} ${weights.join(", ")}`;
}

function weightText(points: number): string {
  const word = Object.entries(WEIGHT_POINTS).find(([, value]) => value === points)?.[0];
  return word ?? `${points}`;
}

function conditionText(condition: Expression): string {
  switch (condition.kind) {
    case "seen":
      return condition.alias;
    case "not":
      return `not ${grouped(condition.of)}`;
    case "after":
      return `${condition.alias} after ${condition.than}`;
    case "count": {
      const { of, op, n } = condition;
      const what = of.kind === "values" ? `distinct(${of.alias}.${of.binding})` : `${of.kind}(${of.alias})`;
      return `${what} ${op} ${n}`;
    }
    default:
      return condition.all.map(grouped).join(` ${condition.kind} `);
  }
}

function grouped(condition: Expression): string {
  const text = conditionText(condition);
  return condition.kind === "and" || condition.kind === "or" ? `(${text})` : text;
}

/** Provider and ids of every detection the playbook uses, providers in order. */
function eventsOf({ signals }: CompiledPlaybook, { program, ruleset }: Knowledge): string {
  const byProvider = new Map<string, Set<number>>();
  const others = new Set<string>();
  for (const name of new Set(Object.values(signals).flatMap(({ rule }) => rule))) {
    const rule = ruleset?.rules.find(({ key }) => key === name);
    const query = rule === undefined ? undefined : ruleset?.internals.queries.get(rule.place);
    if (rule === undefined || query === undefined) continue;
    for (const { providers, eventIds } of selectionOf({ internals: { queries: new Map([[0, query]]) } }).entries) {
      if (eventIds === undefined) others.add(program.detections.get(name)?.channels[0] ?? "any log");
      else
        for (const provider of providers ?? ["any provider"])
          byProvider.set(provider, new Set([...(byProvider.get(provider) ?? []), ...eventIds]));
    }
  }
  const incidents = [...new Set(Object.values(signals).flatMap(({ incident }) => incident))].sort();
  const parts = [...byProvider]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, ids]) => `${cell(provider)} ${[...ids].sort((a, b) => a - b).join(", ")}`);
  if (others.size > 0) parts.push(`texts of ${[...others].sort().map(cell).join(", ")}`);
  if (incidents.length > 0) parts.push(`incidents of ${incidents.map((id) => `\`${id}\``).join(", ")}`);
  return parts.join("; ");
}
