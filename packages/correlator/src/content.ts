/** The incident that a group makes, as the contract shows it: title, scope, ranked causes, timeline, what is not known. */
import {
  type EpochMs,
  type Incident,
  type IncidentId,
  type IncidentStatus,
  isoOf,
  type Missing,
  type RankedCause,
  type Reason,
  type ScopeEntry,
  type Signal,
  sameHost,
  shortName,
  type TimelineEntry,
} from "@culprit/model";
import type { Program } from "@culprit/rules";
import { isMet } from "./condition.ts";
import type { CoverageMap } from "./coverage.ts";
import { eventsOf, type Item, judge } from "./evidence.ts";
import type { Group } from "./group.ts";
import { interpolate } from "./narrate.ts";
import { remembered } from "./remembered.ts";
import { type Ranked, rank, shownShare, verdictOf } from "./score.ts";
import { inOrder, type Sighting } from "./sighting.ts";
import { PEERS_PREFIX } from "./topology.ts";

const TIMELINE_FIRST = 40;
const TIMELINE_LAST = 20;
const SCOPE_MAX = 60;
const UNKNOWN_MAX = 12;
const MISSING_MAX = 8;

export interface Frame {
  readonly id: IncidentId;
  readonly revision: number;
  readonly detectedAt: EpochMs;
  readonly now: EpochMs;
  /** The input is over, so that nothing closes for being quiet. */
  readonly isEnding: boolean;
  readonly parent: IncidentId | undefined;
  readonly previous: IncidentId | undefined;
  readonly children: readonly IncidentId[];
}

type Role = TimelineEntry["role"];

/** Builds the incident. Pure: the group, what arrived and the frame decide every byte. */
export function contentOf(group: Group, coverage: CoverageMap, program: Program, frame: Frame): Incident {
  const { playbook, anchor, span } = group;
  const judged = playbook.causes.map((cause) => judge(cause, group, coverage, program));
  const ranked = rank(judged, playbook.unknown.prior);
  const entries = timelineOf(group, ranked);
  const life = lifeOf(group, frame);
  const startedAt = group.startedAt;
  return {
    id: frame.id,
    revision: frame.revision,
    playbook: playbook.id,
    playbookVersion: playbook.version,
    programHash: program.hash,
    title: interpolate(playbook.title, group),
    severity: playbook.severityWhen.find(({ when }) => isMet(when, wholeWindow(group)))?.is ?? playbook.severity,
    status: life.status,
    verdict: verdictOf(ranked),
    settled: frame.now >= settlesAt(group),
    ...(frame.parent === undefined ? {} : { parent: frame.parent }),
    ...(frame.previous === undefined ? {} : { previous: frame.previous }),
    scope: scopeOf(group, entries),
    startedAt: isoOf(startedAt),
    detectedAt: isoOf(frame.detectedAt),
    updatedAt: isoOf(frame.now),
    ...(life.endedAt === undefined ? {} : { endedAt: isoOf(life.endedAt) }),
    causes: ranked.map((one) => causeOf(one, group)),
    notCauses: playbook.notTheCause.map((text) => interpolate(text, group)),
    facts: playbook.facts
      .filter(({ when }) => when === undefined || isMet(when, wholeWindow(group)))
      .map(({ say }) => interpolate(say, group)),
    timeline: timelineShown(entries, startedAt),
    unknown: unknownOf(ranked),
    children: [...frame.children],
    occurrences: occurrencesOf(group),
    first: isoOf(anchor.from),
    last: isoOf(Math.max(anchor.from, span.to)),
  };
}

/** From here on only records later than allowed can change the ranking. */
export function settlesAt({ playbook, anchor, span }: Group): EpochMs {
  return Math.max(anchor.to, span.to) + playbook.collect.after;
}

function wholeWindow(group: Group): (alias: string) => readonly Sighting[] {
  const { before, after } = group.playbook.collect;
  const tail = Math.max(0, group.span.to - group.anchor.to);
  return (alias) => group.openers.get(alias) ?? group.within(alias, -before, after + tail);
}

function lifeOf(
  group: Group,
  { now, isEnding }: Pick<Frame, "now" | "isEnding">,
): { readonly status: IncidentStatus; readonly endedAt?: EpochMs } {
  const { close } = group.playbook;
  const last = group.span.to;
  if (close.when !== undefined) {
    const since = (alias: string): readonly Sighting[] =>
      group.within(alias, last - group.anchor.from, now - group.anchor.to).filter((sighting) => sighting.from >= last);
    if (isMet(close.when, since)) {
      const recovered = recoveryOf(group, since);
      if (recovered !== undefined) return { status: "closed", endedAt: recovered };
    }
  }
  return !isEnding && now >= last + Math.max(close.idle, group.playbook.collect.after)
    ? { status: "closed", endedAt: last }
    : { status: "open" };
}

function recoveryAliases(group: Group): readonly string[] {
  return closingAliases(group.playbook);
}

const closingAliases = remembered(({ close }: Group["playbook"]): readonly string[] => {
  const found = new Set<string>();
  const walk = (part: NonNullable<Group["playbook"]["close"]["when"]>): void => {
    if (part.kind === "seen" || part.kind === "after") found.add(part.alias);
    else if (part.kind === "count") found.add(part.of.alias);
    else if (part.kind === "and" || part.kind === "or") part.all.forEach(walk);
  };
  if (close.when !== undefined) walk(close.when);
  return [...found];
});

function recoveryOf(group: Group, since: (alias: string) => readonly Sighting[]): EpochMs | undefined {
  return recoveryAliases(group)
    .flatMap((alias) => since(alias).slice(0, 1))
    .map(({ from }) => from)
    .sort((a, b) => a - b)[0];
}

interface Entry {
  readonly sighting: Sighting;
  readonly role: Role;
  readonly inScope: boolean;
}

function timelineOf(group: Group, ranked: readonly Ranked[]): Entry[] {
  const entries = new Map<string, Entry>();
  const add = (alias: string, list: readonly Sighting[], role: Role): void => {
    const inScope = group.playbook.signals[alias]?.scope ?? true;
    for (const sighting of list)
      if (!entries.has(sighting.signal.id)) entries.set(sighting.signal.id, { sighting, role, inScope });
  };
  for (const [alias, list] of group.openers) add(alias, list, "trigger");
  for (const { judged } of ranked) {
    for (const item of judged?.items ?? []) {
      if (item.state !== "seen") continue;
      for (const sighting of item.sightings) add(aliasOf(group, sighting) ?? "", [sighting], "evidence");
    }
  }
  const seen = wholeWindow(group);
  for (const alias of recoveryAliases(group)) add(alias, seen(alias), "recovery");
  for (const alias of group.playbook.context) add(alias, seen(alias), "context");
  return [...entries.values()].sort((a, b) => inOrder(a.sighting, b.sighting));
}

function aliasOf(group: Group, { signal }: Sighting): string | undefined {
  return aliasesByRule(group.playbook).get(signal.rule);
}

/** Rule -> the first alias that stands for it. */
const aliasesByRule = remembered(({ signals }: Group["playbook"]): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const [alias, use] of Object.entries(signals))
    for (const rule of use.rule) if (!found.has(rule)) found.set(rule, alias);
  return found;
});

/** The first and the last of a long timeline: how it began and how it stands. */
function timelineShown(entries: readonly Entry[], startedAt: EpochMs): TimelineEntry[] {
  const timed = entries.map((entry) => ({ ...entry, at: momentOf(entry.sighting, startedAt) }));
  timed.sort((a, b) => a.at - b.at);
  const shown =
    timed.length <= TIMELINE_FIRST + TIMELINE_LAST
      ? timed
      : [...timed.slice(0, TIMELINE_FIRST), ...timed.slice(-TIMELINE_LAST)];
  return shown.map(({ sighting, role, at }) => timelineEntry(sighting, role, at));
}

/** When it happened, as one moment: as near to the incident as its interval allows. */
function momentOf({ from, to, crash }: Sighting, startedAt: EpochMs): EpochMs {
  return crash === undefined ? from : Math.min(Math.max(startedAt, from), to);
}

/** Entries of signals whose time is certain; the revisions of incidents share them. */
const certainEntries = new WeakMap<Signal, Map<Role, TimelineEntry>>();

function timelineEntry({ signal, crash }: Sighting, role: Role, at: EpochMs): TimelineEntry {
  if (crash !== undefined) return entryOf(signal, role, at);
  const held = certainEntries.get(signal) ?? new Map<Role, TimelineEntry>();
  certainEntries.set(signal, held);
  const known = held.get(role) ?? entryOf(signal, role, at);
  held.set(role, known);
  return known;
}

function entryOf({ event }: Signal, role: Role, at: EpochMs): TimelineEntry {
  return {
    at: isoOf(at),
    loggedAt: isoOf(event.at),
    host: event.host,
    provider: event.provider,
    eventId: event.eventId,
    channel: event.channel,
    summary: event.summary,
    role,
    event: event.id,
  };
}

function scopeOf(group: Group, entries: readonly Entry[]): ScopeEntry[] {
  const hosts = new Map<string, ScopeEntry>();
  const add = (name: string, role: string): void => {
    const lower = name.toLowerCase();
    const key = shortName(lower);
    const held = hosts.get(key);
    if (held === undefined) hosts.set(key, { kind: "host", id: lower, role });
    else if (sameHost(held.id, lower) && lower.length > held.id.length) hosts.set(key, { ...held, id: lower });
  };
  const { playbook, variables, relations } = group;
  if (playbook.entity.includes("host") || playbook.victim !== undefined) add(variables["host"] as string, "victim");
  for (const { sighting, role, inScope } of entries) {
    if (!inScope || role === "recovery") continue;
    for (const { host } of sighting.signal.hosts) {
      const isLogger = sameHost(host, sighting.signal.host);
      if (role === "trigger" || isLogger) add(host, isLogger ? "reporter" : "named");
    }
  }
  const wider: ScopeEntry[] = [];
  if (relations.cluster !== undefined && !relations.cluster.startsWith(PEERS_PREFIX) && playbook.at === "cluster")
    wider.push({ kind: "cluster", id: relations.cluster, role: "cluster" });
  if (variables["vm"] !== undefined) wider.push({ kind: "vm", id: variables["vm"], role: "vm" });
  if (playbook.at === "domain" && relations.domain !== undefined)
    wider.push({ kind: "domain", id: relations.domain, role: "domain" });
  return [...[...hosts.values()].slice(0, SCOPE_MAX), ...wider];
}

function causeOf({ judged, share, score }: Ranked, group: Group): RankedCause {
  if (judged === undefined) {
    const { unknown, causes } = group.playbook;
    const asks = unknown.missing.length > 0 ? unknown.missing : causes.flatMap((cause) => cause.missing);
    return {
      id: "unknown",
      title: interpolate(unknown.title, group),
      summary: interpolate(unknown.summary, group),
      share: shownShare(share),
      points: Math.round(score),
      for: [],
      against: [],
      missing: asks.slice(0, MISSING_MAX).map((ask) => missingOf(ask, group)),
      actions: unknown.actions.map((action) => interpolate(action, group)),
      references: [],
    };
  }
  const { cause, items } = judged;
  const missing = [
    ...items.flatMap((item) => item.missing ?? []),
    ...cause.missing.map((ask) => missingOf(ask, group)),
  ];
  return {
    id: cause.id,
    title: interpolate(cause.title, group),
    summary: interpolate(cause.summary, group),
    share: shownShare(share),
    points: judged.points,
    for: reasonsOf(items.filter((item) => item.state === "seen" && item.evidence.for !== undefined)),
    against: reasonsOf(items.filter((item) => item.points < 0)),
    missing: uniqueMissing(missing).slice(0, MISSING_MAX),
    actions: cause.actions.map((action) => interpolate(action, group)),
    references: [...new Set([...cause.references, ...group.playbook.references])],
  };
}

function missingOf(ask: Missing, group: Group): Missing {
  return {
    text: interpolate(ask.text, group),
    ...(ask.collect === undefined ? {} : { collect: interpolate(ask.collect, group) }),
  };
}

function uniqueMissing(all: readonly Missing[]): Missing[] {
  return [...new Map(all.map((one) => [one.text, one])).values()];
}

/** The strongest first. */
function reasonsOf(items: readonly Item[]): Reason[] {
  return items
    .toSorted((a, b) => Math.abs(b.points) - Math.abs(a.points))
    .map((item) => ({ points: item.points, text: item.text, events: eventsOf(item) }));
}

function unknownOf(ranked: readonly Ranked[]): string[] {
  const silent = ranked
    .flatMap(({ judged }) => judged?.items ?? [])
    .filter((item) => item.state === "unknown" && item.evidence.missing !== undefined);
  return [...new Set(silent.map((item) => item.text))].slice(0, UNKNOWN_MAX);
}

/** How often the trigger came: the most frequent of the aliases that opened it, since one blow can show in several. */
function occurrencesOf({ openers }: Group): number {
  return Math.max(1, ...[...openers.values()].map((list) => list.length));
}
