/**
 * The whole chain in one process, without a log between the stages: what `analyze`, `test` and `demo` run, and what the
 * embedded engine must agree with.
 */
import {
  type Coverage,
  type EpochMs,
  type Fact,
  type Incident,
  type IncidentId,
  SECOND_MS,
  type WindowsEvent,
} from "@culprit/model";
import type { CodeTables, Program } from "@culprit/rules";
import type { RuleMatcher } from "./match.ts";
import { createMatchStage, type Hearing } from "./match-stage.ts";
import { emptyState, type Input, type State } from "./state.ts";
import { step } from "./step.ts";
import { emptyTopology, learn } from "./topology.ts";

/** Inputs that keys send each other settle within a few rounds; more than this is a fault of ours. */
const ROUNDS_MAX = 64;

export interface Offline {
  /** Takes an event in order of arrival. */
  event(event: WindowsEvent, receivedAt: EpochMs, hearing?: Hearing): void;
  /** Takes a summary of records that no rule wanted, in order of arrival. */
  coverage(coverage: Coverage, receivedAt: EpochMs, hearing?: Hearing): void;
  /** Lets time run on to an instant without anything arriving, as in a live feed that is quiet. */
  pass(at: EpochMs): void;
  /** Lets time run on until every window is settled; returns the last revision of every incident, oldest first. */
  finish(): readonly Incident[];
  /** Every revision, as it is made. */
  readonly revisions: readonly Incident[];
  readonly state: State;
}

/**
 * Creates the chain.
 * Units: `tickMs` is how finely time moves; a tick comes with the first event of each new step of that length.
 */
export function createOffline(parts: {
  readonly program: Program;
  readonly matcher: RuleMatcher;
  readonly tables: CodeTables;
  readonly facts?: readonly Fact[];
  readonly tickMs?: number;
  readonly onRevision?: (incident: Incident) => void;
}): Offline {
  const { program, onRevision } = parts;
  const tickMs = parts.tickMs ?? 10 * SECOND_MS;
  const topology = emptyTopology();
  for (const fact of parts.facts ?? []) learn(topology, fact);
  const stage = createMatchStage({ program, matcher: parts.matcher, tables: parts.tables, topology });
  const state = emptyState();
  const revisions: Incident[] = [];
  const last = new Map<IncidentId, Incident>();
  let nextTick = Number.NEGATIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;

  const take = (inputs: readonly Input[]): Input[] => {
    const sent: Input[] = [];
    for (const input of inputs) {
      for (const output of step(state, input, program)) {
        if (output.kind === "send") {
          sent.push(output.input);
          continue;
        }
        if (parts.onRevision === undefined) revisions.push(output.incident);
        last.set(output.incident.id, output.incident);
        onRevision?.(output.incident);
      }
    }
    return sent;
  };

  const tick = (at: EpochMs, ending = false): void => {
    take(stage.flush());
    let sent = take([{ kind: "tick", at, ending }]);
    for (let round = 0; sent.length > 0 && round < ROUNDS_MAX; round += 1) {
      sent = [...take(sent), ...take([{ kind: "tick", at, ending }])];
    }
  };

  const advance = (receivedAt: EpochMs): void => {
    if (receivedAt >= nextTick) {
      if (nextTick !== Number.NEGATIVE_INFINITY) tick(Math.max(nextTick, newest));
      nextTick = receivedAt + tickMs;
    }
    newest = Math.max(newest, receivedAt);
  };

  return {
    state,
    revisions,
    event(event, receivedAt, hearing) {
      advance(receivedAt);
      take(stage.event(event, receivedAt, hearing));
    },
    coverage(coverage, receivedAt, hearing) {
      advance(receivedAt);
      take(stage.coverage(coverage, receivedAt, hearing));
    },
    pass: advance,
    finish() {
      if (newest === Number.NEGATIVE_INFINITY) return [];
      take(stage.finish());
      tick(newest, true);
      const settle = Math.max(
        0,
        ...[...program.playbooks.values()].map(({ alert, collect }) => Math.max(alert.wait, collect.after)),
      );
      // Only what is due changes: time runs on to each moment at which some key has something to do.
      const end = newest + settle;
      for (let at = nextWake(state, newest); at <= end; at = nextWake(state, at)) tick(at, true);
      return [...last.values()].sort((a, b) =>
        a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.id < b.id ? -1 : 1,
      );
    },
  };
}

function nextWake(state: State, after: EpochMs): EpochMs {
  let next = Number.POSITIVE_INFINITY;
  for (const { wakeAt } of state.keys.values()) if (wakeAt > after && wakeAt < next) next = wakeAt;
  return next;
}
