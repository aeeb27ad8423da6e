/**
 * Which incident explains which, decided at the key where both are seen. The explaining one must stand deeper (power before
 * storage before service), or equally deep and earlier, or equally deep and the host of the other's machine; so no two
 * explain each other.
 */
import { MINUTE_MS, sameHost } from "@culprit/model";
import { type CompiledPlaybook, LAYERS, type Program } from "@culprit/rules";
import type { Announcement, Link } from "./state.ts";

/** Sorts parents: deepest layer, then earliest, then id. */
function orderOf(announcement: Announcement, playbook: CompiledPlaybook): string {
  const layer = String(LAYERS.indexOf(playbook.layer)).padStart(2, "0");
  const at = String(announcement.startedAt + 1e15).padStart(17, "0");
  return `${layer} ${at} ${announcement.id}`;
}

/** Playbooks that others explain or count, with the playbooks that do: only those need to be told of each other. */
export function listenersOf(program: Program): ReadonlyMap<string, readonly CompiledPlaybook[]> {
  const found = new Map<string, Set<CompiledPlaybook>>();
  const add = (id: string, listener: CompiledPlaybook): void => {
    found.set(id, (found.get(id) ?? new Set<CompiledPlaybook>()).add(listener));
  };
  for (const playbook of program.playbooks.values())
    for (const { playbooks } of playbook.explains) for (const id of playbooks) add(id, playbook);
  for (const [id, listeners] of program.incidentUses) for (const listener of listeners) add(id, listener);
  return new Map([...found].map(([id, listeners]) => [id, [...listeners]]));
}

const NO_IDS: ReadonlySet<string> = new Set();

/**
 * The link from `parent` to `child`, where the parent's playbook explains it. The incidents that it counts are in its scope,
 * also where that is too long to be shown.
 */
export function linkOf(
  parent: Announcement,
  child: Announcement,
  program: Program,
  counted: ReadonlySet<string> = NO_IDS,
): Link | undefined {
  if (parent.id === child.id || parent.gone || child.gone) return undefined;
  const playbook = program.playbooks.get(parent.playbook);
  const other = program.playbooks.get(child.playbook);
  if (playbook === undefined || other === undefined) return undefined;
  const order = orderOf(parent, playbook);
  const isAbove = playbook.layer === other.layer && isGuestOf(child, parent) && !isGuestOf(parent, child);
  if (order >= orderOf(child, other) && !isAbove) return undefined;
  const explains = playbook.explains.some(
    (rule) =>
      rule.playbooks.includes(child.playbook) &&
      (rule.causes === undefined || rule.causes.includes(parent.topCause)) &&
      isNear(parent, child, rule.within) &&
      ((rule.on === "scope" && counted.has(child.id)) || isRelated(parent, child, rule.on)),
  );
  return explains ? { parent: parent.id, order } : undefined;
}

function isGuestOf(child: Announcement, parent: Announcement): boolean {
  const [host] = parent.hosts;
  return host !== undefined && child.hypervisors.some((hypervisor) => sameHost(hypervisor, host));
}

/** Signs of what is coming: so long before the window may begin what goes on in it. */
const EARLY_MS = 15 * MINUTE_MS;

function isNear(parent: Announcement, child: Announcement, [from, to]: readonly [number, number]): boolean {
  // What began before its cause could has another; of a crash only an interval is known, and its end counts.
  const begunBy = child.startedBy ?? child.startedAt;
  const earliest = parent.startedAt + from;
  return begunBy >= earliest - EARLY_MS && child.lastAt >= earliest && child.startedAt <= parent.lastAt + to;
}

function isRelated(parent: Announcement, child: Announcement, on: CompiledPlaybook["explains"][number]["on"]): boolean {
  const shared = (): boolean => child.hosts.some((host) => parent.hosts.some((own) => sameHost(host, own)));
  switch (on) {
    case "any":
      return true;
    case "same-host": {
      const [a, b] = [parent.hosts[0], child.hosts[0]];
      return a !== undefined && b !== undefined && sameHost(a, b);
    }
    case "cluster":
      return (
        shared() || (parent.relations.cluster !== undefined && parent.relations.cluster === child.relations.cluster)
      );
    case "guests":
      return shared() || child.hypervisors.some((host) => parent.hosts.some((own) => sameHost(host, own)));
    case "scope":
      return shared();
    default:
      return false;
  }
}
