/**
 * The relations between machines as far as they are known: from the file and learned from events. Short and full names
 * of a machine are one; a fact of the file wins over a learned one of the same kind.
 */
import { domainOf, type EpochMs, type Fact, type HostRelations, sameHost, shortName } from "@culprit/model";

import { hostAt, noteRun, type Run } from "./placement.ts";

/** Learned facts kept; the oldest go first. */
const FACTS_MAX = 200_000;

/** Short names remembered, and full names for each: at the limit new ones stay as they are written. */
const NAMES_MAX = 500_000;
const NAMES_PER_SHORT_MAX = 64;

export interface Topology {
  readonly facts: Map<string, Fact>;
  /** Fact kind + short name of `from` -> facts, oldest first. */
  readonly byFrom: Map<string, Fact[]>;
  /** VM as it was named -> where it ran, as events showed. */
  readonly placements: Map<string, Run[]>;
  /** Hosts seen, by short name: the full names. */
  readonly names: Map<string, Set<string>>;
  /** Short name -> short names of nodes that are in one cluster with it, as events showed. */
  readonly peers: Map<string, Set<string>>;
}

export function emptyTopology(): Topology {
  return { facts: new Map(), byFrom: new Map(), placements: new Map(), names: new Map(), peers: new Map() };
}

function factId(fact: Fact): string {
  return `${fact.kind}\n${fact.from.toLowerCase()}\n${fact.to.toLowerCase()}\n${fact.source}`;
}

function fromKey(kind: Fact["kind"], from: string): string {
  return `${kind}\n${shortName(from.toLowerCase())}`;
}

/**
 * Adds a fact. A learned `runs-on` is a sighting of a VM on a host (`placement.ts`).
 * Returns whether anything new was learned, so that recent signals can be sent again.
 */
export function learn(topology: Topology, fact: Fact): boolean {
  if (fact.kind === "runs-on" && fact.source === "learned") return learnPlacement(topology, fact);
  const id = factId(fact);
  const held = topology.facts.get(id);
  if (held !== undefined && held.validTo === undefined) {
    if (fact.validFrom !== undefined && held.validFrom !== undefined && fact.validFrom < held.validFrom)
      replace(topology, held, { ...held, validFrom: fact.validFrom });
    return false;
  }
  if (topology.facts.size >= FACTS_MAX) {
    const oldest = topology.facts.values().next().value;
    if (oldest !== undefined) remove(topology, oldest);
  }
  if (held !== undefined) remove(topology, held);
  insert(topology, fact);
  return true;
}

function learnPlacement(topology: Topology, { from, to, validFrom = 0 }: Fact): boolean {
  const [vm, host] = [from.toLowerCase(), to.toLowerCase()];
  const held = topology.placements.get(vm);
  if (held === undefined) {
    const oldest = topology.placements.size >= FACTS_MAX ? topology.placements.keys().next().value : undefined;
    if (oldest !== undefined) topology.placements.delete(oldest);
    noteHost(topology, vm);
  }
  noteHost(topology, host);
  const runs = held ?? [];
  topology.placements.set(vm, runs);
  return noteRun(runs, host, validFrom);
}

function insert(topology: Topology, fact: Fact): void {
  topology.facts.set(factId(fact), fact);
  const key = fromKey(fact.kind, fact.from);
  const list = topology.byFrom.get(key);
  if (list === undefined) topology.byFrom.set(key, [fact]);
  else list.push(fact);
  if (fact.kind === "peer-of") {
    joinPeers(topology, fact.from, fact.to);
    joinPeers(topology, fact.to, fact.from);
  }
  noteHost(topology, fact.from.toLowerCase());
  if (fact.kind === "peer-of" || fact.kind === "runs-on" || fact.kind === "protected-by" || fact.kind === "stores-on")
    noteHost(topology, fact.to.toLowerCase());
}

function remove(topology: Topology, fact: Fact): void {
  topology.facts.delete(factId(fact));
  const list = topology.byFrom.get(fromKey(fact.kind, fact.from));
  const place = list?.indexOf(fact) ?? -1;
  if (place >= 0) list?.splice(place, 1);
}

function replace(topology: Topology, old: Fact, fresh: Fact): void {
  remove(topology, old);
  insert(topology, fresh);
}

function joinPeers(topology: Topology, a: string, b: string): void {
  const held = topology.peers.get(shortName(a.toLowerCase())) ?? new Set<string>();
  topology.peers.set(shortName(a.toLowerCase()), held.add(shortName(b.toLowerCase())));
}

/** Nodes of the largest clusters; what lies beyond is a chain of mistaken names. */
const PEERS_MAX = 64;

/**
 * The cluster of a node: by a fact, by a fact about one of its peers, else named after the peers themselves
 * (`cluster of hv11`, the first of them in order), so that the story of one cluster meets in one place.
 */
function clusterOf(topology: Topology, host: string, at: EpochMs): string | undefined {
  const own = targets(topology, "member-of-cluster", host, at).at(-1);
  if (own !== undefined || !topology.peers.has(shortName(host))) return own;
  const found = new Set([shortName(host)]);
  for (const short of found) {
    const named = short === shortName(host) ? undefined : targets(topology, "member-of-cluster", short, at).at(-1);
    if (named !== undefined) return named;
    for (const peer of topology.peers.get(short) ?? []) if (found.size < PEERS_MAX) found.add(peer);
  }
  return PEERS_PREFIX + [...found].sort()[0];
}

/** A cluster known by its nodes alone; its name is no name that people use. */
export const PEERS_PREFIX = "cluster of ";

/**
 * Remembers a host's full name, so that a short name in another host's event finds it. Returns whether it is a full name
 * that was not known.
 */
export function noteHost(topology: Topology, host: string): boolean {
  const short = shortName(host);
  const names = topology.names.get(short) ?? new Set<string>();
  if (names.has(host) || names.size >= NAMES_PER_SHORT_MAX) return false;
  if (names.size === 0 && topology.names.size >= NAMES_MAX) return false;
  topology.names.set(short, names.add(host));
  return host !== short;
}

/**
 * The full name of a machine that another one calls by its short name: the only full name known, or the one in the
 * speaker's own domain; else the name as given.
 */
export function resolveHost(topology: Topology, name: string, speaker: string): string {
  const lower = name.toLowerCase();
  if (domainOf(lower) !== undefined) return lower;
  const full = [...(topology.names.get(lower) ?? [])].filter((known) => known !== lower);
  if (full.length === 1) return full[0] as string;
  const suffix = domainOf(speaker);
  const near = suffix === undefined ? undefined : full.find((known) => domainOf(known) === suffix);
  return near ?? lower;
}

/** Facts that hold at a moment. A learned fact may be older than the event that taught it, so its start does not bind. */
function factsAt(topology: Topology, kind: Fact["kind"], host: string, at: EpochMs): Fact[] {
  const facts = (topology.byFrom.get(fromKey(kind, host)) ?? []).filter(
    (fact) =>
      sameHost(fact.from.toLowerCase(), host) &&
      (fact.source === "learned" || (fact.validFrom ?? at) <= at) &&
      (fact.validTo ?? at) >= at,
  );
  const fromFile = facts.filter((fact) => fact.source === "file");
  return fromFile.length > 0 ? fromFile : facts;
}

function targets(topology: Topology, kind: Fact["kind"], host: string, at: EpochMs): string[] {
  return [...new Set(factsAt(topology, kind, host, at).map((fact) => fact.to))];
}

/** Where a VM runs at a moment: as the file says, else as events showed under any of its names. */
function placementOf(topology: Topology, host: string, at: EpochMs): string | undefined {
  const fixed = factsAt(topology, "runs-on", host, at).sort((a, b) => (a.validFrom ?? 0) - (b.validFrom ?? 0));
  if (fixed.length > 0) return fixed.at(-1)?.to.toLowerCase();
  const names = new Set([host, shortName(host), ...(topology.names.get(shortName(host)) ?? [])]);
  const runs = [...names].flatMap((name) => (sameHost(name, host) ? (topology.placements.get(name) ?? []) : []));
  return hostAt(runs, at);
}

/** What is known of a host at a moment. A guest is protected by its own server and by its Hyper-V host's. */
export function relationsOf(topology: Topology, host: string, at: EpochMs): HostRelations {
  const hypervisor = placementOf(topology, host, at);
  const cluster = clusterOf(topology, host, at);
  const hypervisorCluster = hypervisor === undefined ? undefined : clusterOf(topology, hypervisor, at);
  const own = targets(topology, "protected-by", host, at);
  const above = hypervisor === undefined ? [] : targets(topology, "protected-by", hypervisor, at);
  const domain = (targets(topology, "member-of-domain", host, at)[0] ?? domainOf(host))?.toLowerCase();
  return {
    host,
    ...(cluster === undefined ? {} : { cluster }),
    ...(hypervisor === undefined ? {} : { hypervisor }),
    ...(hypervisorCluster === undefined ? {} : { hypervisorCluster }),
    protectionServers: [...new Set([...own, ...above].map((name) => name.toLowerCase()))].sort(),
    ...(domain === undefined ? {} : { domain }),
    places: targets(topology, "located-in", host, at).sort(),
    ...controlled(topology, host, at),
  };
}

/** The PDC emulator of a domain is one of its domain controllers. */
function controlled(topology: Topology, host: string, at: EpochMs): Pick<HostRelations, "controllerOf" | "pdcOf"> {
  const pdcOf = targets(topology, "pdc-emulator-of", host, at).map((domain) => domain.toLowerCase());
  const own = targets(topology, "domain-controller-of", host, at).map((domain) => domain.toLowerCase());
  const controllerOf = [...new Set([...own, ...pdcOf])].sort();
  return {
    ...(controllerOf.length === 0 ? {} : { controllerOf }),
    ...(pdcOf.length === 0 ? {} : { pdcOf: pdcOf.sort() }),
  };
}

/** Clusters a host bears witness for; its signals matter to them. */
export function witnessedClusters(topology: Topology, host: string, at: EpochMs): readonly string[] {
  return targets(topology, "witness-of", host, at);
}
