/**
 * What people did, as far as the fold has to know it: an incident that was resolved takes in nothing new (what comes after
 * makes an incident of its own), and an event that was taken out counts no more.
 *
 * Acts may arrive in any order and more than once: of those that contradict each other the latest holds, by its time and
 * then its id.
 */
import type { EpochMs, EventId, IncidentId } from "@culprit/model";
import { type HeldIncident, type KeyState, type State, wake } from "./state.ts";

interface ActBase {
  readonly incident: IncidentId;
  readonly at: EpochMs;
  /** The action's id. */
  readonly id: string;
}
export type Act =
  | (ActBase & { readonly kind: "resolve" | "reopen" })
  | (ActBase & { readonly kind: "unlink" | "relink"; readonly event: EventId });

/** Whether something holds since an act; a later act about the same replaces it. */
export interface Decided {
  readonly at: EpochMs;
  readonly id: string;
  readonly holds: boolean;
}

/** Where a run of openers is cut, and which resolved incident is to blame. */
export interface Cut {
  readonly at: EpochMs;
  readonly resolved: IncidentId;
}

/**
 * Events that may be taken out of one incident; more are left in.
 * @internal
 */
export const UNLINKED_MAX = 500;

/** Takes an act to the incident it is about, wherever that is held; the next tick evaluates it. */
export function applyAct(state: State, act: Act): void {
  for (const key of state.keys.values()) {
    const held = key.incidents.get(act.incident);
    if (held === undefined || !takeAct(held, act)) continue;
    state.touched.add(key.key);
    key.dirty.add(held.playbook);
    wake(key, state.now);
  }
}

function takeAct(held: HeldIncident, act: Act): boolean {
  const decided = { at: act.at, id: act.id };
  if (!("event" in act)) {
    if (!isLater(decided, held.resolved)) return false;
    held.resolved = { ...decided, holds: act.kind === "resolve" };
    return true;
  }
  const before = held.unlinked ?? [];
  const known = before.find(({ event }) => event === act.event);
  if (!isLater(decided, known) || (known === undefined && before.length >= UNLINKED_MAX)) return false;
  const fresh = { ...decided, event: act.event, holds: act.kind === "unlink" };
  held.unlinked = [...before.filter((other) => other !== known), fresh];
  // A person asks for another look, however late it is.
  held.thawed = true;
  return true;
}

function isLater(a: Pick<Decided, "at" | "id">, b: Decided | undefined): boolean {
  return b === undefined || a.at > b.at || (a.at === b.at && a.id > b.id);
}

/** The events that count no more for an incident. */
export function unlinkedFrom({ unlinked = [] }: HeldIncident): ReadonlySet<string> {
  return new Set(unlinked.filter(({ holds }) => holds).map(({ event }) => event));
}

/** Where people cut the openers of a key's incidents, by the id of each opener concerned. */
export function cutsOf(key: KeyState, held: readonly HeldIncident[]): ReadonlyMap<string, readonly Cut[]> {
  const cuts = new Map<string, readonly Cut[]>();
  for (const incident of held) {
    const own: Cut[] = incident.resolved?.holds === true ? [{ at: incident.resolved.at, resolved: incident.id }] : [];
    // The resolved one may be forgotten by now; what came after it stays an incident of its own, unless it was reopened.
    const { cut } = incident;
    if (cut !== undefined && key.incidents.get(cut.resolved)?.resolved?.holds !== false) own.push(cut);
    if (own.length > 0) for (const opener of incident.openers) cuts.set(opener, own);
  }
  return cuts;
}
