/**
 * The fold. Inputs come in the order of the log; nothing else moves it: no clock, no randomness. Signals and coverage are
 * stored under their key; a tick evaluates what changed since the last one, so that batches and bursts make no difference.
 */
import { assertNever, type EpochMs, type IncidentId, type Signal } from "@culprit/model";
import type { CompiledPlaybook, Program } from "@culprit/rules";
import { applyAct } from "./act.ts";
import { couldBeMet } from "./condition.ts";
import { addBlind, addCoverage } from "./coverage.ts";
import { evict, isEmpty } from "./evict.ts";
import { relate } from "./family.ts";
import { end, evaluate, remove } from "./incident-life.ts";
import { isHomeOf } from "./route.ts";
import { isSame } from "./same.ts";
import { Sightings } from "./sighting.ts";
import {
  type Input,
  type KeyState,
  keyState,
  type Link,
  type Output,
  SIGNALS_FIRST_KEPT,
  SIGNALS_PER_RULE_MAX,
  type State,
  wake,
} from "./state.ts";

/**
 * Takes one input. Changes `state` in place and returns what follows from it: revisions of incidents, and inputs for other
 * keys (which the caller delivers in any order, at least once).
 */
export function step(state: State, input: Input, program: Program): readonly Output[] {
  switch (input.kind) {
    case "signal":
      admit(state, input.key, input.signal, program);
      return [];
    case "coverage":
    case "blind": {
      const key = keyState(state, input.key);
      if (key !== undefined) {
        if (input.kind === "coverage") addCoverage(key.coverage, input.coverage);
        else addBlind(key.coverage, input.host, input.blind);
        for (const held of key.incidents.values()) key.dirty.add(held.playbook);
        wake(key, state.now);
      }
      return [];
    }
    case "announcement": {
      const key = keyState(state, input.key);
      if (key === undefined) return [];
      if (input.announcement.gone) key.announced.delete(input.announcement.id);
      else key.announced.set(input.announcement.id, input.announcement);
      for (const { id } of program.incidentUses.get(input.announcement.playbook) ?? []) key.dirty.add(id);
      wake(key, state.now);
      return [];
    }
    case "link": {
      const key = keyState(state, input.key);
      if (key !== undefined) relink(key, input.child, input.link, input.holds, state.now);
      return [];
    }
    case "act":
      applyAct(state, input.act);
      return [];
    case "tick":
      state.isEnding = input.ending ?? false;
      return tick(state, input.at, program);
    default:
      return assertNever(input);
  }
}

/** Stores a signal under its rule in order of time; a repeat with better knowledge of its hosts replaces the first. */
function admit(state: State, name: string, signal: Signal, program: Program): void {
  const key = keyState(state, name);
  if (key === undefined) return;
  const list = key.signals.get(signal.rule) ?? [];
  key.signals.set(signal.rule, list);
  let place = list.length;
  while (place > 0 && isAfter(list[place - 1] as Signal, signal)) place -= 1;
  const before = list[place - 1];
  if (before?.id === signal.id) {
    if (sameKnowledge(before, signal)) {
      state.counters.signalsRepeated += 1;
      return;
    }
    list[place - 1] = { ...signal, receivedAt: Math.min(before.receivedAt, signal.receivedAt) };
  } else {
    list.splice(place, 0, signal);
  }
  if (list.length > SIGNALS_PER_RULE_MAX) {
    list.splice(SIGNALS_FIRST_KEPT, 1);
    state.counters.signalsDropped += 1;
  }
  for (const { playbook } of program.uses.get(signal.rule) ?? []) key.dirty.add(playbook.id);
  // Boots and lost peers move the time of restart records, which any playbook of this key may use.
  if (program.detections.get(signal.rule)?.extension.time !== "event")
    for (const rule of key.signals.keys())
      for (const { playbook } of program.uses.get(rule) ?? []) key.dirty.add(playbook.id);
  wake(key, state.now);
}

function isAfter(held: Signal, signal: Signal): boolean {
  return held.at > signal.at || (held.at === signal.at && held.id > signal.id);
}

function sameKnowledge(a: Signal, b: Signal): boolean {
  return isSame(a.hosts, b.hosts);
}

function relink(key: KeyState, child: IncidentId, link: Link, holds: boolean, now: EpochMs): void {
  const others = (key.links.get(child) ?? []).filter((other) => other.parent !== link.parent);
  const links = holds ? [...others, link].sort((a, b) => (a.order < b.order ? -1 : 1)) : others;
  if (links.length === 0) key.links.delete(child);
  else key.links.set(child, links);
  const held = key.incidents.get(child);
  if (held !== undefined) key.dirty.add(held.playbook);
  wake(key, now);
}

function tick(state: State, at: EpochMs, program: Program): readonly Output[] {
  // Ticks never go back, whatever a clock does.
  state.now = Math.max(state.now, at);
  const outputs: Output[] = [];
  for (const key of state.keys.values()) {
    // What incidents of one key tell each other is taken up at once, or their own next moment would be forgotten over it.
    for (let round = 0; key.wakeAt <= state.now && round < ROUNDS_MAX; round += 1) {
      key.wakeAt = Number.POSITIVE_INFINITY;
      state.touched.add(key.key);
      settle(key, state, program, outputs);
    }
    if (isEmpty(key)) state.keys.delete(key.key);
  }
  return outputs;
}

/** Incidents of one key settle within two or three; what goes on longer waits for the next tick. */
const ROUNDS_MAX = 8;

/** Brings one key up to the tick: evaluates what changed, publishes, links, closes, forgets. */
function settle(key: KeyState, state: State, program: Program, outputs: Output[]): void {
  const { now } = state;
  const due = new Set(key.dirty);
  key.dirty.clear();
  const open = new Set<string>();
  for (const held of key.incidents.values()) {
    if (!program.playbooks.has(held.playbook)) {
      if (held.published?.status !== "closed")
        end(held, `Withdrawn: the playbook ${held.playbook} is not loaded any more.`, now, outputs);
      remove(key, held, outputs);
      continue;
    }
    open.add(held.playbook);
    if (held.dueAt === undefined || held.dueAt <= now) due.add(held.playbook);
  }
  const sightings = new Sightings(key, program);
  for (const id of due) {
    const playbook = program.playbooks.get(id);
    if (playbook !== undefined && (open.has(id) || mayOpen(playbook, key, sightings)))
      evaluate(key, playbook, sightings, state, program, outputs);
  }
  for (const { dueAt } of key.incidents.values()) if (dueAt !== undefined) wake(key, dueAt);
  relate(key, program, outputs);
  if (!state.isEnding) evict(key, now, program);
}

/** Whether a playbook that holds no incident at a key could open one there: most signals are no more than evidence. */
function mayOpen(playbook: CompiledPlaybook, key: KeyState, sightings: Sightings): boolean {
  if (!isHomeOf(playbook.at, key.key)) return false;
  return couldBeMet(playbook.open.when, (alias) => {
    const use = playbook.signals[alias];
    return use === undefined ? 0 : sightings.atMost(use);
  });
}
