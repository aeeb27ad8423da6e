/**
 * Which keys of the fold a signal goes to. Keys point upward only: to the host itself, its cluster, its Hyper-V host, its
 * protection servers, its domain; so fan-out stays small however many guests a host has.
 */
import { type HostRelations, type Signal, shortName } from "@culprit/model";
import type { KeyKind, Program } from "@culprit/rules";
import { type Topology, witnessedClusters } from "./topology.ts";

export const KEYS_PER_SIGNAL_MAX = 8;
export const FLEET_KEY = "fleet";

export function hostKey(host: string): string {
  return `host:${shortName(host.toLowerCase())}`;
}
export function clusterKey(cluster: string): string {
  return `cluster:${cluster.toLowerCase()}`;
}
export function domainKey(domain: string): string {
  return `domain:${domain.toLowerCase()}`;
}

/** The key where a playbook of this kind folds what concerns a host; the host's own where the wider one is not known. */
export function homeKey(kind: KeyKind, relations: HostRelations): string {
  if (kind === "fleet") return FLEET_KEY;
  if (kind === "cluster" && relations.cluster !== undefined) return clusterKey(relations.cluster);
  if (kind === "domain" && relations.domain !== undefined) return domainKey(relations.domain);
  return hostKey(relations.host);
}

/** Whether incidents of a playbook of this kind may be folded at a key: the other way round of `homeKey`. */
export function isHomeOf(kind: KeyKind, key: string): boolean {
  if (key === FLEET_KEY || kind === "fleet") return key === FLEET_KEY && kind === "fleet";
  return key.startsWith("host:") || (kind !== "host" && key.startsWith(`${kind}:`));
}

/** Every key that a signal of a rule goes to, at most `KEYS_PER_SIGNAL_MAX`, most specific first. */
export function keysOf(signal: Signal, program: Program, topology: Topology): readonly string[] {
  return keysFor(signal.hosts, program.keyKinds.get(signal.rule) ?? new Set(), (host) =>
    witnessedClusters(topology, host, signal.at),
  );
}

/** As `keysOf`, for any set of hosts; used for coverage and announcements too. */
export function keysFor(
  hosts: readonly HostRelations[],
  kinds: ReadonlySet<KeyKind>,
  witnessed: (host: string) => readonly string[] = () => [],
): readonly string[] {
  const keys = new Set<string>();
  for (const relations of hosts) {
    keys.add(hostKey(relations.host));
    if (relations.hypervisor !== undefined) keys.add(hostKey(relations.hypervisor));
    for (const server of relations.protectionServers) keys.add(hostKey(server));
  }
  if (kinds.has("cluster")) {
    for (const relations of hosts) {
      if (relations.cluster !== undefined) keys.add(clusterKey(relations.cluster));
      if (relations.hypervisorCluster !== undefined) keys.add(clusterKey(relations.hypervisorCluster));
      for (const cluster of witnessed(relations.host)) keys.add(clusterKey(cluster));
    }
  }
  if (kinds.has("domain")) for (const { domain } of hosts) if (domain !== undefined) keys.add(domainKey(domain));
  if (kinds.has("fleet")) keys.add(FLEET_KEY);
  return [...keys].slice(0, KEYS_PER_SIGNAL_MAX);
}
