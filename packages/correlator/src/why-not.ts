/** Why a playbook opened no incident: which signals were seen, which part of its condition failed, or what kept it silent. */
import { isoOf } from "@culprit/model";
import { aliasesOf, type CompiledPlaybook, type Expression, type Program } from "@culprit/rules";
import { isMet } from "./condition.ts";
import { candidatesOf, type Group, homeOf, seenForOpening } from "./group.ts";
import { hostText } from "./narrate.ts";
import { Sightings } from "./sighting.ts";
import type { State } from "./state.ts";

/** One line per finding, for a person. Shape: never empty. */
export function whyNot(playbook: CompiledPlaybook, state: State, program: Program): readonly string[] {
  const lines: string[] = [];
  const seen = new Map<string, number>();
  const groups: { readonly key: string; readonly group: Group }[] = [];
  for (const key of state.keys.values()) {
    const sightings = new Sightings(key, program);
    for (const [alias, use] of Object.entries(playbook.signals))
      seen.set(alias, Math.max(seen.get(alias) ?? 0, sightings.ofUse(use).length));
    for (const group of candidatesOf(playbook, sightings))
      if (homeOf(group) === key.key) groups.push({ key: key.key, group });
  }
  for (const alias of aliasesOf(playbook.open.when))
    lines.push(`${alias} (${playbook.signals[alias]?.rule.join(", ") ?? "?"}): ${seen.get(alias) ?? 0} seen`);
  if (groups.length === 0) lines.push("no signal that could open it, for any machine: the condition was never asked");
  for (const { key, group } of groups) lines.push(...findings(playbook, key, group));
  return lines;
}

function findings(playbook: CompiledPlaybook, key: string, group: Group): string[] {
  const { open } = playbook;
  const at = `${hostText(group.variables["host"] ?? key)}, ${isoOf(group.span.from)} to ${isoOf(group.span.to)}`;
  const seen = seenForOpening(group);
  if (!isMet(open.when, seen))
    return failedParts(open.when, (part) => isMet(part, seen)).map((part) => `${at}: not met: ${part}`);
  if (open.unless === undefined) return [`${at}: opened`];
  const [from, to] = open.unlessWithin;
  return isMet(open.unless, (alias) => group.within(alias, from, to))
    ? [`${at}: kept silent by: ${textOf(open.unless)}`]
    : [`${at}: opened`];
}

/** The smallest parts of a condition that would have to change. */
function failedParts(expression: Expression, met: (part: Expression) => boolean): string[] {
  if (met(expression)) return [];
  if (expression.kind === "and" || expression.kind === "or")
    return expression.all.flatMap((part) => failedParts(part, met));
  return [textOf(expression)];
}

function textOf(expression: Expression): string {
  switch (expression.kind) {
    case "seen":
      return expression.alias;
    case "not":
      return `not ${textOf(expression.of)}`;
    case "after":
      return `after(${expression.alias}, ${expression.than})`;
    case "count": {
      const { of, op, n, spanMs } = expression;
      const what =
        of.kind === "values"
          ? `distinct(${of.alias}.${of.binding}`
          : `${of.kind === "hosts" ? "hosts" : "count"}(${of.alias}`;
      return `${what}${spanMs === undefined ? "" : `, ${spanMs / 1000}s`}) ${op} ${n}`;
    }
    default:
      return `(${expression.all.map(textOf).join(` ${expression.kind} `)})`;
  }
}
