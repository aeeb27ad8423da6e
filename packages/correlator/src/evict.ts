/** What the fold forgets, and when: signals past their retention, incidents long closed, families long over. */
import type { EpochMs, IncidentId, Signal } from "@culprit/model";
import type { CompiledPlaybook, Program } from "@culprit/rules";
import { type KeyState, wake } from "./state.ts";

/** Forgets signals too old to matter and incidents long closed. */
export function evict(key: KeyState, now: EpochMs, program: Program): void {
  const pinned = new Set<string>();
  for (const incident of key.incidents.values()) {
    const playbook = program.playbooks.get(incident.playbook);
    if (playbook === undefined || now >= incident.lastAt + forgetMs(playbook)) {
      key.incidents.delete(incident.id);
      key.links.delete(incident.id);
      forgetFamily(key, incident.id);
    } else for (const id of incident.openers) pinned.add(id);
  }
  for (const [rule, signals] of key.signals) {
    const keep = now - (program.retentionMs.get(rule) ?? 0);
    const oldest = signals[0];
    if (oldest === undefined || oldest.at >= keep) {
      if (oldest !== undefined) wake(key, oldest.at + (program.retentionMs.get(rule) ?? 0) + 1);
      continue;
    }
    const stay = signals.filter(
      (signal) => signal.at >= keep || pinned.has(signal.id) || isNearIncident(signal, key, program),
    );
    if (stay.length === 0) key.signals.delete(rule);
    else key.signals.set(rule, stay);
  }
  for (const [id, announcement] of key.announced) {
    if (announcement.home !== key.key && announcement.lastAt < now - ANNOUNCED_MAX_MS) forgetFamily(key, id);
  }
}

/** What was linked stays as it was last said: a child does not become a page of its own because its parent is long over. */
function forgetFamily(key: KeyState, id: IncidentId): void {
  key.announced.delete(id);
  for (const [name, { child, link }] of key.linked) if (child.id === id || link.parent === id) key.linked.delete(name);
}

/** How long after its last opener an incident is held. */
export function forgetMs(playbook: CompiledPlaybook): number {
  return Math.max(playbook.close.idle, playbook.collect.after) + playbook.close.reopen;
}

/** How long a key remembers what it was told of incidents that are folded elsewhere. */
export const ANNOUNCED_MAX_MS = 7 * 86_400_000;

/** Evidence of an incident that is still held stays as long as the incident does. */
function isNearIncident(signal: Signal, key: KeyState, program: Program): boolean {
  for (const incident of key.incidents.values()) {
    const collect = program.playbooks.get(incident.playbook)?.collect;
    if (
      collect !== undefined &&
      signal.at >= incident.anchorAt - collect.before - SLACK_MS &&
      signal.at <= incident.lastAt + collect.after + SLACK_MS
    )
      return true;
  }
  return false;
}

const SLACK_MS = 3_600_000;

/** Whether nothing is left of a key. */
export function isEmpty(key: KeyState): boolean {
  return (
    key.signals.size === 0 &&
    key.incidents.size === 0 &&
    key.announced.size === 0 &&
    key.links.size === 0 &&
    key.coverage.logs.size === 0
  );
}
