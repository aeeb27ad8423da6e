/**
 * Evidence of one cause: each item is seen, proven absent, or unknown. Absence is proven only by a log that is known to
 * have arrived without a gap over the whole window.
 */
import type { EpochMs, Missing } from "@culprit/model";
import { aliasesOf, type CompiledCause, type CompiledEvidence, negativeAliasesOf, type Program } from "@culprit/rules";
import { isMet, type Seen } from "./condition.ts";
import { type CoverageMap, covers, lastSeen } from "./coverage.ts";
import type { Group } from "./group.ts";
import { hostText, interpolate, relativeText, timesText } from "./narrate.ts";
import { remembered } from "./remembered.ts";
import { INCIDENT_RULE, inOrder, type Sighting } from "./sighting.ts";

/** Each further way of seeing the same thing adds this share of its points, up to a decisive weight. */
const FURTHER_WAY_SHARE = 0.3;
const DECISIVE_POINTS = 30;
const EVENTS_PER_REASON_MAX = 20;
const NAMES_SHOWN_MAX = 3;

export interface Item {
  readonly evidence: CompiledEvidence;
  readonly state: "seen" | "absent" | "unknown";
  /** Signed decibans; 0 where unknown. */
  readonly points: number;
  readonly text: string;
  readonly sightings: readonly Sighting[];
  /** What would tell, where it is unknown. */
  readonly missing?: Missing;
}

export interface Judged {
  readonly cause: CompiledCause;
  readonly items: readonly Item[];
  /** Sum of what counts, groups applied. */
  readonly points: number;
}

/** Judges the evidence of a cause for a group. Pure: the same set of signals and coverage gives the same. */
export function judge(cause: CompiledCause, group: Group, coverage: CoverageMap, program: Program): Judged {
  const items = cause.evidence.map((evidence) => itemOf(evidence, group, coverage, program));
  const counted = strongestPerGroup(items);
  return { cause, items: counted, points: counted.reduce((sum, item) => sum + item.points, 0) };
}

/** Items of one group tell one story: the strongest keeps its points, the others are shown with none. */
function strongestPerGroup(items: readonly Item[]): Item[] {
  const best = new Map<string, Item>();
  for (const item of items) {
    const { group } = item.evidence;
    if (group === undefined) continue;
    const held = best.get(group);
    if (held === undefined || Math.abs(item.points) > Math.abs(held.points)) best.set(group, item);
  }
  return items.map((item) =>
    item.evidence.group === undefined || best.get(item.evidence.group) === item ? item : { ...item, points: 0 },
  );
}

/** One item of evidence beside the incident that it is judged for. */
interface Question {
  readonly evidence: CompiledEvidence;
  readonly group: Group;
  readonly coverage: CoverageMap;
  readonly program: Program;
  readonly aliases: readonly string[];
  readonly seen: Seen;
  readonly window: { readonly from: EpochMs; readonly to: EpochMs };
}

function itemOf(evidence: CompiledEvidence, group: Group, coverage: CoverageMap, program: Program): Item {
  const { collect } = group.playbook;
  const [from, to] = evidence.within ?? [-collect.before, collect.after];
  const { condition } = evidence;
  const question: Question = {
    evidence,
    group,
    coverage,
    program,
    aliases: condition === undefined ? evidence.aliases : conditionAliases(condition),
    seen: (alias) => group.within(alias, from, to),
    window: { from: group.anchor.from + from, to: group.anchor.to + to },
  };
  const { aliases, seen } = question;
  if (condition === undefined) {
    const present = aliases.filter((alias) => seen(alias).length >= evidence.atLeast);
    return present.length > 0 ? seenItem(question, present, 1) : unseenItem(question, unprovenOf(question, aliases));
  }
  const isSeen = isMet(condition, seen);
  // A condition that holds rests on the absence of what stands under its `not`; one that does not, on that of all it names.
  const restsOn = isSeen ? negativeAliases(condition) : aliases;
  const unproven = unprovenOf(
    question,
    restsOn.filter((alias) => seen(alias).length === 0),
  );
  if (!isSeen || (unproven.length > 0 && aliases.every((alias) => seen(alias).length === 0)))
    return unseenItem(question, unproven);
  // A condition that rests on absence ("host yes, guest no") is believed in full only where the absence is proven.
  return seenItem(question, [], unproven.length > 0 ? 0.5 : 1);
}

const conditionAliases = remembered(aliasesOf);
const negativeAliases = remembered(negativeAliasesOf);

function unprovenOf(question: Question, aliases: readonly string[]): readonly string[] {
  return aliases.filter((alias) => !isProven(alias, question));
}

/** `present` are the ways in which it was seen, where it is not a condition. */
function seenItem(
  { evidence, group, program, aliases, seen }: Question,
  present: readonly string[],
  trust: number,
): Item {
  const full = evidence.for ?? (evidence.against === undefined ? 0 : -evidence.against);
  const further = Math.max(0, present.length - 1) * FURTHER_WAY_SHARE * full;
  const points =
    Math.sign(full) * Math.min(Math.max(DECISIVE_POINTS, Math.abs(full)), Math.abs(full + further)) * trust;
  const text =
    evidence.text === undefined ? seenText(present, seen, group, program) : interpolate(evidence.text, group);
  const sightings = uniqueSightings(aliases.flatMap((alias) => seen(alias)));
  return { evidence, state: "seen", points: Math.round(points), text, sightings };
}

/** Absent where the log is known to cover the window, else unknown. */
function unseenItem(question: Question, unproven: readonly string[]): Item {
  const { evidence, group, program, aliases, window } = question;
  if (unproven.length === 0) {
    if (evidence.missing === undefined) return { evidence, state: "absent", points: 0, text: "", sightings: [] };
    const text = `${sayOf(aliases, group, program)}: not seen, although the ${channelOf(aliases[0], question)} log covers ${clock(window.from)} to ${clock(window.to)}`;
    return { evidence, state: "absent", points: -evidence.missing, text, sightings: [] };
  }
  const isAsked = evidence.ask !== undefined || evidence.missing !== undefined;
  return {
    evidence,
    state: "unknown",
    points: 0,
    // Only what would count if it were proven is listed as unknown.
    text: evidence.missing === undefined ? "" : silenceText(aliases[0], question),
    sightings: [],
    ...(isAsked ? { missing: missingOf(question) } : {}),
  };
}

function missingOf({ evidence, group, program, aliases }: Question): Missing {
  const what =
    evidence.ask ??
    (evidence.text === undefined
      ? `whether ${sayOf(aliases, group, program)}`
      : `whether this holds: ${evidence.text}`);
  return {
    text: interpolate(what, group),
    ...(evidence.collect === undefined ? {} : { collect: interpolate(evidence.collect, group) }),
  };
}

function uniqueSightings(all: readonly Sighting[]): Sighting[] {
  const byId = new Map(all.map((sighting) => [sighting.signal.id, sighting]));
  return [...byId.values()].sort(inOrder);
}

function sayOf(aliases: readonly string[], group: Group, program: Program): string {
  const says = aliases.flatMap((alias) =>
    (group.playbook.signals[alias]?.rule ?? []).map((rule) =>
      plainSay(program.detections.get(rule)?.extension.say ?? rule),
    ),
  );
  return [...new Set(says)].join(" or ");
}

const plainSays = new Map<string, string>();

/** A `say` without its bindings, for what was not seen. Says come from detections, so the memory of them is small. */
function plainSay(say: string): string {
  const held = plainSays.get(say);
  if (held !== undefined) return held;
  const plain = say.replace(/\s*\(?[^\s(]*\{[^}]*\}[^\s)]*\)?/g, "").trim();
  plainSays.set(say, plain);
  return plain;
}

/** One line per way seen: what, where, how often, when relative to the incident. */
function seenText(aliases: readonly string[], seen: Seen, group: Group, program: Program): string {
  const lines: string[] = [];
  for (const alias of aliases) {
    const sightings = seen(alias);
    const first = sightings[0];
    if (first === undefined) continue;
    if (first.signal.rule.startsWith(INCIDENT_RULE)) {
      const machines = [...new Set(sightings.map(({ about }) => hostText(about)))];
      lines.push(
        `${listed(machines)}: ${first.signal.event.summary}${machines.length > 1 ? " (and the like)" : ""}, ${relativeText(sightings, group.startedAt)}`,
      );
      continue;
    }
    const say = interpolate(
      program.detections.get(first.signal.rule)?.extension.say ?? first.signal.rule,
      group,
      first.signal,
    );
    const hosts = [...new Set(sightings.map(({ signal }) => hostText(signal.host)))];
    const where = listed(hosts);
    lines.push(
      `${first.signal.event.provider} ${first.signal.event.eventId} on ${where}: ${say}${timesText(sightings.length)}, ${relativeText(sightings, group.startedAt)}`,
    );
  }
  return lines.join("; ");
}

/** `HV11, HV12, HV13 and 4 more`. */
function listed(names: readonly string[]): string {
  return names.length > NAMES_SHOWN_MAX
    ? `${names.slice(0, NAMES_SHOWN_MAX).join(", ")} and ${names.length - NAMES_SHOWN_MAX} more`
    : names.join(", ");
}

/** The channel that would hold an alias's records, as the author wrote it or as its rule reads it. */
function channelOf(alias: string | undefined, { evidence, group, program }: Question): string {
  if (evidence.coverage !== undefined) return evidence.coverage;
  const rule = alias === undefined ? undefined : group.playbook.signals[alias]?.rule[0];
  return (rule === undefined ? undefined : program.detections.get(rule)?.channels[0]) ?? "System";
}

/** The machines whose logs would hold an alias's records. */
function loggersOf(alias: string, group: Group): readonly string[] {
  const use = group.playbook.signals[alias];
  const role =
    use?.on ?? use?.about ?? (group.playbook.entity.includes("host") ? "host" : (group.playbook.entity[0] ?? "host"));
  switch (role) {
    case "host":
      return [group.variables["host"] as string];
    case "hypervisor":
      return group.relations.hypervisor === undefined ? [] : [group.relations.hypervisor];
    case "server":
      return group.relations.protectionServers;
    case "any":
    case "peers":
    case "guests":
    case "controllers":
    case "pdc":
      return [];
    default: {
      const name = group.variables[role];
      return name === undefined ? [] : [name];
    }
  }
}

function isProven(alias: string, question: Question): boolean {
  const { group, coverage, window } = question;
  const loggers = loggersOf(alias, group);
  if (loggers.length === 0) return false;
  const channel = channelOf(alias, question);
  return loggers.every((host) => covers(coverage, host, channel, window.from, window.to));
}

function silenceText(alias: string | undefined, question: Question): string {
  const { group, coverage, window } = question;
  const host = alias === undefined ? undefined : loggersOf(alias, group)[0];
  const channel = channelOf(alias, question);
  if (host === undefined)
    return `${channel} log of the machines concerned is not known to cover ${clock(window.from)} to ${clock(window.to)}`;
  const last = lastSeen(coverage, host, channel);
  if (last === undefined) return `${channel} log of ${hostText(host)} does not arrive`;
  if (last < window.to) return `${channel} log of ${hostText(host)} silent since ${clock(last)}`;
  return `${channel} log of ${hostText(host)} is not known to be complete for ${clock(window.from)} to ${clock(window.to)}`;
}

function clock(at: EpochMs): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** Event ids behind a reason, at most as many as a page can use. */
export function eventsOf(item: Item): Item["sightings"][number]["signal"]["event"]["id"][] {
  return item.sightings.slice(0, EVENTS_PER_REASON_MAX).map(({ signal }) => signal.event.id);
}
