/**
 * From sightings to groups: the openers of one playbook and one entity that lie close together in time. A group whose
 * condition holds is an incident. Everything here is a function of the set of signals, so their order does not matter.
 */
import { type EpochMs, type HostRelations, sameHost, shortName } from "@culprit/model";
import { type CompiledPlaybook, positiveAliasesOf, type SignalUse } from "@culprit/rules";
import type { Cut } from "./act.ts";
import { isMet, type Seen } from "./condition.ts";
import type { Interval } from "./crash-time.ts";
import { remembered } from "./remembered.ts";
import { homeKey, hostKey } from "./route.ts";
import { inOrder, type Sighting, type Sightings } from "./sighting.ts";

/** Variables of an incident: `host`, `cluster`, `domain`, what `as` gives, and every binding of its openers. */
type Variables = Readonly<Record<string, string>>;

export interface Group {
  readonly playbook: CompiledPlaybook;
  /** The entity's names, folded: the same for every group about it. */
  readonly entity: string;
  readonly variables: Variables;
  /** What is known of the incident's host. */
  readonly relations: HostRelations;
  /** Openers by alias, each in order of time. */
  readonly openers: ReadonlyMap<string, readonly Sighting[]>;
  /** When it happened. */
  readonly anchor: Interval;
  readonly anchorAlias: string;
  /** The anchor as one moment: where peers or the last heartbeat narrowed it, the end of the interval; else its start. */
  readonly startedAt: EpochMs;
  /** First and last opener. */
  readonly span: Interval;
  /** Sightings of any alias within a window relative to the anchor, limited to the roles the playbook asks for. */
  readonly within: (alias: string, from: number, to: number) => readonly Sighting[];
  /** The group without some events; `undefined` where nothing is left that opened it. */
  readonly without: (events: ReadonlySet<string>) => Group | undefined;
}

type Cuts = ReadonlyMap<string, readonly Cut[]>;
const NO_CUTS: Cuts = new Map();
const NO_EVENTS: ReadonlySet<string> = new Set();

interface Candidate {
  readonly alias: string;
  readonly sighting: Sighting;
  readonly variables: Variables;
  readonly entity: string;
}

/** The incidents of a playbook at a key; those of one entity follow each other in order of time. */
export function groupsOf(
  playbook: CompiledPlaybook,
  key: string,
  sightings: Sightings,
  cuts: Cuts = NO_CUTS,
): readonly Group[] {
  return candidatesOf(playbook, sightings, cuts).filter((group) => homeOf(group) === key && opens(group));
}

/** What is left of a group without some events; `undefined` where that opens no incident. */
export function groupWithout(group: Group, events: ReadonlySet<string>): Group | undefined {
  if (events.size === 0) return group;
  const rest = group.without(events);
  return rest !== undefined && opens(rest) ? rest : undefined;
}

/** Every group of openers, whether its condition holds or not. */
export function candidatesOf(playbook: CompiledPlaybook, sightings: Sightings, cuts: Cuts = NO_CUTS): readonly Group[] {
  const found: Group[] = [];
  for (const candidates of byEntity(playbook, sightings).values()) {
    for (const run of runsOf(candidates, playbook.open.merge, cuts)) {
      const group = groupOf(playbook, run, sightings, NO_EVENTS);
      if (group !== undefined) found.push(group);
    }
  }
  return found;
}

/** The signals that can open an incident of a playbook. */
const openerAliases = remembered((playbook: CompiledPlaybook): readonly string[] =>
  positiveAliasesOf(playbook.open.when),
);

function byEntity(playbook: CompiledPlaybook, sightings: Sightings): Map<string, Candidate[]> {
  const entities = new Map<string, Candidate[]>();
  for (const alias of openerAliases(playbook)) {
    const use = playbook.signals[alias];
    if (use === undefined) continue;
    for (const sighting of sightings.ofUse(use)) {
      const variables = variablesOf(use, sighting);
      const parts = playbook.entity.map((name) => variables[name]);
      if (parts.some((part) => part === undefined)) continue;
      const entity = parts.map((part) => shortName((part as string).toLowerCase())).join("\n");
      const list = entities.get(entity);
      const candidate = { alias, sighting, variables, entity };
      if (list === undefined) entities.set(entity, [candidate]);
      else list.push(candidate);
    }
  }
  return entities;
}

function variablesOf(use: SignalUse, { signal, about }: Sighting): Variables {
  const relations = relationsIn(signal.hosts, about);
  const variables: Record<string, string> = { ...signal.bindings, host: about };
  const logger = relationsIn(signal.hosts, signal.host);
  const cluster = relations?.cluster ?? logger?.cluster;
  variables["cluster"] = cluster ?? `the cluster of ${shortName(about)}`;
  const domain = relations?.domain ?? logger?.domain;
  if (domain !== undefined) variables["domain"] = domain;
  variables["fleet"] = "fleet";
  const place = relations?.places[0] ?? logger?.places[0];
  if (place !== undefined) variables["place"] = place;
  for (const [name, source] of Object.entries(use.as)) {
    const value = source === "logger" ? signal.host : source === "subject" ? about : signal.bindings[source];
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

function relationsIn(hosts: readonly HostRelations[], host: string): HostRelations | undefined {
  return hosts.find((known) => sameHost(known.host, host.toLowerCase()));
}

/** Candidates in order of time, cut where nothing happened for longer than `mergeMs`, and where a person resolved them. */
function runsOf(candidates: Candidate[], mergeMs: number, cuts: Cuts): Candidate[][] {
  candidates.sort((a, b) => inOrder(a.sighting, b.sighting));
  const cutAt =
    cuts.size === 0
      ? []
      : candidates.flatMap(({ sighting }) => (cuts.get(sighting.signal.id) ?? []).map((cut) => cut.at));
  const runs: Candidate[][] = [];
  let last: EpochMs = Number.NEGATIVE_INFINITY;
  let lastFrom: EpochMs = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const { from, to } = candidate.sighting;
    if (from - last > mergeMs || cutAt.some((at) => lastFrom <= at && at < from)) runs.push([]);
    (runs.at(-1) as Candidate[]).push(candidate);
    last = Math.max(last, to);
    lastFrom = from;
  }
  return runs;
}

function groupOf(
  playbook: CompiledPlaybook,
  run: readonly Candidate[],
  sightings: Sightings,
  except: ReadonlySet<string>,
): Group | undefined {
  const openers = new Map<string, Sighting[]>();
  for (const candidate of run) {
    const list = openers.get(candidate.alias);
    if (list === undefined) openers.set(candidate.alias, [candidate.sighting]);
    else list.push(candidate.sighting);
  }
  const anchorAlias = playbook.open.anchors.find((alias) => openers.has(alias)) ?? run[0]?.alias;
  const anchored = anchorAlias === undefined ? undefined : openers.get(anchorAlias)?.[0];
  if (anchorAlias === undefined || anchored === undefined) return undefined;

  const variables: Record<string, string> = {};
  // What the anchor says comes first; the other openers fill in what it does not.
  for (const isAnchor of [true, false]) {
    for (const candidate of run) {
      if ((candidate.alias === anchorAlias) !== isAnchor) continue;
      for (const name of Object.keys(candidate.variables)) variables[name] ??= candidate.variables[name] as string;
    }
  }
  if (playbook.victim !== undefined)
    variables["host"] = mostBlamed(openers.get(playbook.victim) ?? []) ?? (variables["host"] as string);
  const known = run.flatMap(({ sighting }) => sighting.signal.hosts);
  variables["host"] = fullest(known, variables["host"] as string);
  const relations = mergeRelations(known, variables["host"]);
  if (relations.cluster !== undefined) variables["cluster"] = relations.cluster;

  const anchor = { from: anchored.from, to: anchored.to };
  const roles: Roles = { variables, relations };
  const inRole = run.filter(({ alias, sighting }) =>
    plays(playbook, playbook.signals[alias] as SignalUse, sighting, roles),
  );
  if (inRole.length < run.length) return inRole.length === 0 ? undefined : groupOf(playbook, inRole, sightings, except);
  const filtered = new Map<string, readonly Sighting[]>();
  const ofAlias = (alias: string): readonly Sighting[] => {
    const held = filtered.get(alias);
    if (held !== undefined) return held;
    const use = playbook.signals[alias];
    const list =
      use === undefined
        ? []
        : sightings
            .ofUse(use)
            .filter((sighting) => !except.has(sighting.signal.event.id) && plays(playbook, use, sighting, roles));
    filtered.set(alias, list);
    return list;
  };
  const from = run.reduce((least, { sighting }) => Math.min(least, sighting.from), Number.POSITIVE_INFINITY);
  const to = run.reduce((most, { sighting }) => Math.max(most, sighting.to), Number.NEGATIVE_INFINITY);
  return {
    playbook,
    entity: run[0]?.entity ?? "",
    variables,
    relations,
    openers,
    anchor,
    anchorAlias,
    startedAt: anchored.crash !== undefined && anchored.to < anchored.crash.boot ? anchored.to : anchored.from,
    span: { from, to },
    within: (alias, start, end) =>
      ofAlias(alias).filter((sighting) => sighting.to >= anchor.from + start && sighting.from <= anchor.to + end),
    without: (events) => {
      const rest = run.filter(({ sighting }) => !events.has(sighting.signal.event.id));
      return groupOf(playbook, rest, sightings, events);
    },
  };
}

/**
 * The machine that most loggers blame; of equals the one that blames nobody, then the first in time, then by name.
 * So a node that lost its network and blames all others is still the one that failed.
 */
function mostBlamed(blames: readonly Sighting[]): string | undefined {
  const loggers = new Set(blames.map(({ signal }) => shortName(signal.host)));
  const accused = new Map<string, { name: string; by: Set<string>; first: EpochMs }>();
  for (const { about, signal, from } of blames) {
    const held = accused.get(shortName(about)) ?? { name: about, by: new Set<string>(), first: from };
    held.by.add(shortName(signal.host));
    accused.set(shortName(about), held);
  }
  const ranked = [...accused].sort(
    ([a, one], [b, other]) =>
      other.by.size - one.by.size ||
      Number(loggers.has(a)) - Number(loggers.has(b)) ||
      one.first - other.first ||
      (a < b ? -1 : 1),
  );
  return ranked[0]?.[1].name;
}

function fullest(hosts: readonly HostRelations[], name: string): string {
  let best = name.toLowerCase();
  for (const { host } of hosts) if (sameHost(host, best) && host.length > best.length) best = host;
  return best;
}

/** All that the openers know of the host, together: what one of them lacks another may have. */
function mergeRelations(hosts: readonly HostRelations[], host: string): HostRelations {
  const same = hosts.filter((known) => sameHost(known.host, host));
  const cluster = same.find((known) => known.cluster !== undefined)?.cluster;
  const hypervisor = same.find((known) => known.hypervisor !== undefined)?.hypervisor;
  const hypervisorCluster = same.find((known) => known.hypervisorCluster !== undefined)?.hypervisorCluster;
  const domain = same.find((known) => known.domain !== undefined)?.domain;
  const controllerOf = [...new Set(same.flatMap((known) => known.controllerOf ?? []))].sort();
  const pdcOf = [...new Set(same.flatMap((known) => known.pdcOf ?? []))].sort();
  return {
    host,
    ...(cluster === undefined ? {} : { cluster }),
    ...(hypervisor === undefined ? {} : { hypervisor }),
    ...(hypervisorCluster === undefined ? {} : { hypervisorCluster }),
    ...(domain === undefined ? {} : { domain }),
    protectionServers: [...new Set(same.flatMap((known) => known.protectionServers))].sort(),
    places: [...new Set(same.flatMap((known) => known.places))].sort(),
    ...(controllerOf.length === 0 ? {} : { controllerOf }),
    ...(pdcOf.length === 0 ? {} : { pdcOf }),
  };
}

interface Roles {
  readonly variables: Variables;
  readonly relations: HostRelations;
}

/** Whether a sighting stands where the playbook wants it: logger and subject in their roles, `same` conditions met. */
function plays(playbook: CompiledPlaybook, use: SignalUse, { signal, about }: Sighting, roles: Roles): boolean {
  for (const [name, predicate] of Object.entries(use.where)) {
    if (!("same" in predicate)) continue;
    const wanted = roles.variables[predicate.same];
    const value = signal.bindings[name];
    if (wanted === undefined || value === undefined || !sameName(wanted, value)) return false;
  }
  if (use.on !== undefined && !hasRole(use.on, signal.host, signal.hosts, roles)) return false;
  if (use.about !== undefined && !hasRole(use.about, about, signal.hosts, roles)) return false;
  if (use.on === undefined && use.about === undefined)
    return hasRole(defaultRole(playbook), about, signal.hosts, roles);
  return true;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase() || sameHost(a.toLowerCase(), b.toLowerCase());
}

/** Without a role a signal is about the incident's host; where the incident is about something wider, about any host there. */
function defaultRole(playbook: CompiledPlaybook): string {
  return playbook.entity.includes("host") ? "host" : "any";
}

function hasRole(
  role: string,
  host: string,
  hosts: readonly HostRelations[],
  { variables, relations }: Roles,
): boolean {
  const own = variables["host"] as string;
  switch (role) {
    case "any":
      return true;
    case "host":
      return sameHost(host, own);
    case "peers": {
      if (sameHost(host, own)) return false;
      const cluster = relationsIn(hosts, host)?.cluster;
      return relations.cluster === undefined || cluster === undefined || cluster === relations.cluster;
    }
    case "guests": {
      const hypervisor = relationsIn(hosts, host)?.hypervisor;
      return hypervisor !== undefined && sameHost(hypervisor, own);
    }
    case "hypervisor":
      return relations.hypervisor !== undefined && sameHost(host, relations.hypervisor);
    case "server":
      return relations.protectionServers.some((server) => sameHost(host, server));
    case "controllers":
      return isOfDomain(relationsIn(hosts, host)?.controllerOf, relations.domain);
    case "pdc":
      return isOfDomain(relationsIn(hosts, host)?.pdcOf, relations.domain);
    default: {
      const name = variables[role];
      return name !== undefined && sameName(host, name);
    }
  }
}

/** Whether one of these is the domain; a NetBIOS name is taken for the first part of a DNS name. */
function isOfDomain(domains: readonly string[] | undefined, domain: string | undefined): boolean {
  if (domains === undefined) return false;
  return domain === undefined || domains.some((one) => sameName(one, domain));
}

/** The key where this group is folded: decided by its own host, so that no two keys hold one incident. */
export function homeOf({ playbook, variables, relations }: Group): string {
  if (playbook.at === "host") return hostKey(variables[playbook.home] ?? (variables["host"] as string));
  return homeKey(playbook.at, relations);
}

/**
 * Whether a run of openers makes an incident. What would open one by itself belongs to the run it lies in: lost paths of the
 * morning do not make an incident of a single retry at noon. What only goes with an opener counts wherever it lies.
 */
/**
 * What a group's condition is asked of: its openers, and of the aliases without one what lies around it. What could open an
 * incident by itself does so in its own run; what says that it belongs to another service or VM counts there.
 */
export function seenForOpening(group: Group): Seen {
  const { playbook, openers, span, anchor } = group;
  const { before, after } = playbook.collect;
  const near: Seen = (alias) =>
    group
      .within(alias, -before, span.to - anchor.to + after)
      .filter((sighting) => !isOfAnother(group, playbook.signals[alias], sighting));
  const opensAlone = (alias: string): boolean =>
    isMet(playbook.open.when, (other) => (other === alias ? near(alias) : []));
  return (alias) => openers.get(alias) ?? (opensAlone(alias) ? [] : near(alias));
}

/** What a machine is to an incident its role says; the other parts of the entity must not contradict. */
const MACHINE_PARTS = new Set(["host", "cluster", "domain", "place", "fleet"]);

function isOfAnother({ playbook, variables }: Group, use: SignalUse | undefined, sighting: Sighting): boolean {
  const names = playbook.entity.filter((name) => !MACHINE_PARTS.has(name));
  if (names.length === 0 || use === undefined) return false;
  const own = variablesOf(use, sighting);
  return names.some((name) => {
    const [said, wanted] = [own[name], variables[name]];
    return said !== undefined && wanted !== undefined && !sameName(said, wanted);
  });
}

function opens(group: Group): boolean {
  const { open } = group.playbook;
  if (!isMet(open.when, seenForOpening(group))) return false;
  if (open.unless === undefined) return true;
  const [from, to] = open.unlessWithin;
  return !isMet(open.unless, (alias) => group.within(alias, from, to));
}
