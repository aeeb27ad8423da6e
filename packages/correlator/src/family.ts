/**
 * Incidents tell wider keys of themselves, and the key that sees both decides which explains which; the answer goes back to
 * the narrower one as a link, so no state is shared between keys.
 */
import type { Incident } from "@culprit/model";
import type { CompiledPlaybook, Program } from "@culprit/rules";
import type { Group } from "./group.ts";
import { linkOf, listenersOf } from "./link.ts";
import { remembered } from "./remembered.ts";
import { keysFor } from "./route.ts";
import type { Announcement, HeldIncident, KeyState, Link, Output } from "./state.ts";

/** Tells the keys where an explaining incident may live, when what they need to know has changed. */
export function announce(
  key: KeyState,
  incident: HeldIncident,
  group: Group,
  content: Incident,
  gone: boolean,
  program: Program,
  outputs: Output[],
): void {
  const listeners = listenersCached(program).get(incident.playbook) ?? [];
  const explains = group.playbook.explains.length > 0;
  if (listeners.length === 0 && !explains) return;
  const hosts = content.scope.filter(({ kind }) => kind === "host").map(({ id }) => id);
  const openers = [...group.openers.values()].flat();
  const known = openers.flatMap(({ signal }) => signal.hosts);
  const announcement: Announcement = {
    id: incident.id,
    playbook: incident.playbook,
    home: key.key,
    title: content.title,
    severity: content.severity,
    hosts,
    relations: group.relations,
    hypervisors: [...new Set(known.flatMap(({ hypervisor }) => hypervisor ?? []))].sort(),
    startedAt: Date.parse(content.startedAt),
    ...(group.anchor.to > group.startedAt ? { startedBy: group.anchor.to } : {}),
    // A crash lasts until the records of the restart: what fails after it is its effect, however long the machine was down.
    lastAt: openers.reduce(
      (last, { signal }) => Math.max(last, signal.at),
      Math.max(Date.parse(content.startedAt), incident.lastAt),
    ),
    detectedAt: incident.detectedAt,
    topCause: content.causes[0]?.id ?? "unknown",
    labels: labelsOf(group),
    gone,
  };
  const kinds = new Set(listeners.map(({ at }) => at));
  const keys = listeners.length === 0 ? [] : keysFor([group.relations, ...known], kinds);
  const text = JSON.stringify({ keys, announcement });
  if (incident.announced === text) return;
  incident.announced = text;
  key.announced.set(incident.id, announcement);
  for (const { id } of program.incidentUses.get(incident.playbook) ?? []) {
    if (id === incident.playbook) continue;
    key.dirty.add(id);
    key.wakeAt = Number.NEGATIVE_INFINITY;
  }
  for (const other of keys)
    if (other !== key.key) outputs.push({ kind: "send", input: { kind: "announcement", key: other, announcement } });
}

const LABELS_MAX = 24;
const LABEL_LENGTH_MAX = 120;

function labelsOf({ variables }: Group): Record<string, string> {
  const labels = Object.entries(variables).filter(([, value]) => value.length <= LABEL_LENGTH_MAX);
  return Object.fromEntries(labels.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, LABELS_MAX));
}

const listenersCached = remembered(listenersOf);

/** Links between the incidents this key holds and all it was told of; what changed is sent to the child's key. */
export function relate(key: KeyState, program: Program, outputs: Output[]): void {
  const before = new Map(key.linked);
  for (const parent of parentsOf(key, program)) {
    const explained = explainedBy(program.playbooks.get(parent.playbook) as CompiledPlaybook);
    const counted = new Set(key.incidents.get(parent.id)?.openers);
    for (const child of key.announced.values()) {
      if (!explained.has(child.playbook)) continue;
      const link = linkOf(parent, child, program, counted);
      if (link === undefined) continue;
      const id = `${child.id} ${parent.id}`;
      const held = before.get(id);
      before.delete(id);
      if (held !== undefined && held.link.order === link.order) continue;
      key.linked.set(id, { child, link });
      send(key, child, link, true, outputs);
    }
  }
  for (const [id, { child, link }] of before) {
    key.linked.delete(id);
    send(key, child, link, false, outputs);
  }
}

/** The incidents folded here that could explain others. */
function parentsOf(key: KeyState, program: Program): readonly Announcement[] {
  return [...key.incidents.values()].flatMap(({ id, playbook }) => {
    const announced = key.announced.get(id);
    const own = program.playbooks.get(playbook);
    return announced === undefined || own === undefined || explainedBy(own).size === 0 ? [] : announced;
  });
}

const explainedBy = remembered(
  ({ explains }: CompiledPlaybook): ReadonlySet<string> => new Set(explains.flatMap(({ playbooks }) => playbooks)),
);

/** A link goes to the child's home; the parent's own playbook is evaluated again, to list its children. */
function send(key: KeyState, child: Announcement, link: Link, holds: boolean, outputs: Output[]): void {
  outputs.push({ kind: "send", input: { kind: "link", key: child.home, child: child.id, link, holds } });
  const parent = key.incidents.get(link.parent);
  if (parent !== undefined) key.dirty.add(parent.playbook);
  key.wakeAt = Number.NEGATIVE_INFINITY;
}

/** Takes back what was announced. */
export function withdraw(incident: HeldIncident, outputs: Output[]): void {
  const announcement = JSON.parse(incident.announced ?? "null") as {
    keys: string[];
    announcement: Announcement;
  } | null;
  for (const key of announcement?.keys ?? []) {
    outputs.push({
      kind: "send",
      input: {
        kind: "announcement",
        key,
        announcement: { ...(announcement as { announcement: Announcement }).announcement, gone: true },
      },
    });
  }
}
