/**
 * The life of the incidents of one playbook at one key.
 *
 * Waiting (its condition holds, its `alert.wait` has not passed) → published, revised with every change → closed (recovery
 * seen, or idle) → forgotten when its `close.reopen` has passed. Its id is the hash of playbook, entity and the first opener
 * at the time it first stood, and stays, whatever comes late.
 */
import { contentId, type EpochMs, type Incident, type IncidentId, shortName } from "@culprit/model";
import { type CompiledPlaybook, type Program, positiveAliasesOf } from "@culprit/rules";
import { cutsOf, unlinkedFrom } from "./act.ts";
import { contentOf, settlesAt } from "./content.ts";
import { ANNOUNCED_MAX_MS, forgetMs } from "./evict.ts";
import { announce, withdraw } from "./family.ts";
import { type Group, groupsOf, groupWithout } from "./group.ts";
import { remembered } from "./remembered.ts";
import { isSame } from "./same.ts";
import type { Sightings } from "./sighting.ts";
import { type HeldIncident, INCIDENTS_PER_KEY_MAX, type KeyState, type Output, type State } from "./state.ts";

/** Brings the incidents of one playbook at a key up to now: opens, revises, closes and takes back. */
export function evaluate(
  key: KeyState,
  playbook: CompiledPlaybook,
  sightings: Sightings,
  state: State,
  program: Program,
  outputs: Output[],
): void {
  const { now } = state;
  const held = [...key.incidents.values()].filter((incident) => incident.playbook === playbook.id);
  const claimed = new Set<IncidentId>();
  const cuts = cutsOf(key, held);
  const lastOf = new Map<string, HeldIncident>();
  for (const group of groupsOf(playbook, key.key, sightings, cuts)) {
    const incident = claim(key, playbook, group, held, claimed, state);
    if (incident === undefined) continue;
    claimed.add(incident.id);
    follow(incident, group, lastOf.get(group.entity), held);
    lastOf.set(group.entity, incident);
    incident.openers = openerIds(group);
    incident.anchorAt = group.anchor.to;
    incident.lastAt = group.span.to;
    const counted = groupWithout(group, unlinkedFrom(incident));
    if (counted === undefined) dismiss(key, incident, now, outputs);
    else revise(key, incident, counted, state, program, outputs);
  }
  for (const incident of held) if (!claimed.has(incident.id)) retract(key, incident, playbook, now, outputs);
}

/** Notes which incident this one is the return of: the last of its entity that was still held when this one began. */
function follow(
  incident: HeldIncident,
  { playbook, span }: Group,
  before: HeldIncident | undefined,
  held: readonly HeldIncident[],
): void {
  if (before === undefined || span.from > before.lastAt + forgetMs(playbook)) {
    // One that is forgotten stays the one before; one that later records took in or took back does not.
    if (held.some(({ id }) => id === incident.previous)) delete incident.previous;
    return;
  }
  incident.previous = before.id;
  const { resolved } = before;
  if (resolved?.holds === true && resolved.at < span.from) incident.cut = { at: resolved.at, resolved: before.id };
}

function openerIds(group: Group): string[] {
  return [...group.openers.values()].flat().map(({ signal }) => signal.id);
}

/** The held incident that shares an opener with the group (the earliest, if several), or a new one. */
function claim(
  key: KeyState,
  playbook: CompiledPlaybook,
  group: Group,
  held: readonly HeldIncident[],
  claimed: ReadonlySet<IncidentId>,
  state: State,
): HeldIncident | undefined {
  const openers = new Set(openerIds(group));
  const known = held
    .filter((incident) => !claimed.has(incident.id) && incident.openers.some((id) => openers.has(id)))
    .sort((a, b) => a.detectedAt - b.detectedAt || (a.id < b.id ? -1 : 1))[0];
  if (known !== undefined) return known;
  if (key.incidents.size >= INCIDENTS_PER_KEY_MAX) {
    state.counters.incidentsRefused += 1;
    return undefined;
  }
  // What the fold has forgotten does not come back: a group this old was closed, or came later than any window allows.
  if (state.now >= group.span.to + forgetMs(playbook)) return undefined;
  const first = [...group.openers.values()]
    .flat()
    .sort((a, b) => a.signal.at - b.signal.at || (a.signal.id < b.signal.id ? -1 : 1))[0];
  const entity = playbook.entity.map((name) => shortName((group.variables[name] ?? "").toLowerCase()));
  const id = contentId("incident", playbook.id, ...entity, first?.signal.event.id ?? "") as IncidentId;
  const firstArrivalAt = Math.min(...[...group.openers.values()].flat().map(({ signal }) => signal.receivedAt));
  const fresh: HeldIncident = {
    id,
    playbook: playbook.id,
    openers: [],
    firstArrivalAt,
    detectedAt: state.now,
    anchorAt: group.anchor.to,
    lastAt: group.span.to,
    revision: 0,
  };
  key.incidents.set(id, fresh);
  return fresh;
}

function revise(
  key: KeyState,
  incident: HeldIncident,
  group: Group,
  { now, isEnding }: State,
  program: Program,
  outputs: Output[],
): void {
  const { playbook } = group;
  const parent = key.links.get(incident.id)?.[0]?.parent;
  const children = [...key.linked.values()]
    .filter(({ link }) => link.parent === incident.id)
    .map(({ child }) => child.id)
    .sort();
  const { id, detectedAt, previous } = incident;
  const frame = { id, detectedAt, now, isEnding, parent, previous, children };
  const fresh = contentOf(group, key.coverage, program, { ...frame, revision: incident.revision + 1 });
  const content =
    now >= settlesAt(group) + playbook.collect.lateness && incident.thawed !== true
      ? frozen(incident.published ?? fresh, fresh)
      : fresh;
  if (incident.thawed === true) delete incident.thawed;
  incident.content = content;
  const ready = parent !== undefined || now >= incident.firstArrivalAt + playbook.alert.wait;
  if (ready && (incident.published === undefined || differs(incident.published, content)))
    publish(incident, content, outputs);
  incident.dueAt = nextChangeOf(incident, group, now);
  announce(key, incident, group, content, false, program, outputs);
}

/** Later than any instant, and a number in JSON. */
const NEVER: EpochMs = 8.64e15;

/** The next moment at which an incident changes without anything new. */
function nextChangeOf({ firstArrivalAt }: HeldIncident, group: Group, now: EpochMs): EpochMs {
  const { alert, close, collect } = group.playbook;
  const idle = group.span.to + Math.max(close.idle, collect.after);
  const moments = [firstArrivalAt + alert.wait, settlesAt(group), idle, idle + close.reopen];
  return moments.reduce((next, at) => (at > now && at < next ? at : next), NEVER);
}

/** Past its lateness an incident keeps what it says; only its life and its family go on. */
function frozen(published: Incident, fresh: Incident): Incident {
  const { parent: _parent, endedAt: _endedAt, ...kept } = published;
  const { status, settled, updatedAt, revision, parent, endedAt } = fresh;
  const children = [...new Set([...published.children, ...fresh.children])].sort();
  return {
    ...kept,
    status,
    settled,
    updatedAt,
    revision,
    children,
    ...(parent === undefined ? {} : { parent }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

function publish(incident: HeldIncident, content: Incident, outputs: Output[]): void {
  incident.revision += 1;
  incident.published = { ...content, revision: incident.revision };
  outputs.push({ kind: "incident", incident: incident.published });
}

/** Whether anything a reader could see has changed. */
function differs(a: Incident, b: Incident): boolean {
  return !isSame({ ...a, revision: b.revision, updatedAt: b.updatedAt }, b);
}

/** An incident of which people have taken out what it rests on: it ends, and comes back if they put it back. */
function dismiss(key: KeyState, incident: HeldIncident, now: EpochMs, outputs: Output[]): void {
  end(incident, "Withdrawn: without the events that people took out this is no incident.", now, outputs);
  if (incident.announced === undefined) return;
  withdraw(incident, outputs);
  delete incident.announced;
  key.announced.delete(incident.id);
}

/** Closes an incident that has been told of, and says why; one that was closed already only says why. */
export function end(incident: HeldIncident, fact: string, now: EpochMs, outputs: Output[]): void {
  const { published } = incident;
  if (published === undefined || published.facts.includes(fact)) return;
  const facts = [...published.facts, fact];
  publish(incident, { ...published, status: "closed", updatedAt: new Date(now).toISOString(), facts }, outputs);
}

/** An incident whose openers no longer make one: evidence moved it elsewhere, or its condition is not met any more. */
function retract(
  key: KeyState,
  incident: HeldIncident,
  playbook: CompiledPlaybook,
  now: EpochMs,
  outputs: Output[],
): void {
  if (!isForgotten(key, incident, playbook, now))
    end(incident, "Withdrawn: later records show that this was not an incident of its own.", now, outputs);
  remove(key, incident, outputs);
}

/** Whether its openers are merely no longer held. Other incidents that opened it are held for long: if gone, they were taken back. */
function isForgotten(key: KeyState, incident: HeldIncident, playbook: CompiledPlaybook, now: EpochMs): boolean {
  if (opensByIncidents(playbook) && now < incident.lastAt + ANNOUNCED_MAX_MS) return false;
  return incident.openers.every(
    (id) =>
      !key.announced.has(id as IncidentId) &&
      ![...key.signals.values()].some((list) => list.some((signal) => signal.id === id)),
  );
}

const opensByIncidents = remembered(({ open, signals }: CompiledPlaybook): boolean =>
  positiveAliasesOf(open.when).some((alias) => (signals[alias]?.incident.length ?? 0) > 0),
);

/** Takes an incident out of its key, and what other keys were told of it. */
export function remove(key: KeyState, incident: HeldIncident, outputs: Output[]): void {
  if (incident.announced !== undefined) withdraw(incident, outputs);
  key.incidents.delete(incident.id);
  key.links.delete(incident.id);
  key.announced.delete(incident.id);
}
