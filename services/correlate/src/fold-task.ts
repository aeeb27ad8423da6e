/**
 * The folding task: one partition of `signals` in, revisions of incidents out. Outputs, changed keys and position are one
 * commit, so a restart goes on where the last commit stands and repeats nothing.
 */
import type { Assignment, Batch, Change, Outgoing, PartitionTask } from "@culprit/bus";
import { emptyState, type Input, restoreKey, type State, type StoredKey, step, storeKey } from "@culprit/correlator";
import { deadLetter, type EpochMs, SECOND_MS, TOPICS } from "@culprit/model";
import type { Program } from "@culprit/rules";
import { readInput } from "./input.ts";
import type { SourceTick } from "./match-task.ts";

const KEY_PREFIX = "key ";
const SOURCES = "sources";
/** A source that sent nothing for so long no longer holds time back; its hosts count as blind. */
const SOURCE_IDLE_MS = 30 * SECOND_MS;

export interface FoldOptions {
  readonly program: Program;
  /** There is one partition of `signals`: what keys send each other stays here instead of taking the way over the log. */
  readonly holdsEveryKey: boolean;
  readonly onUnreadable: (count: number) => void;
  readonly onIncident: () => void;
}

/** Creates the task for an assigned partition, its state restored. */
export function createFoldTask(assignment: Assignment, options: FoldOptions): PartitionTask {
  const state = restoreState(assignment.state);
  const sources = new Map<string, SourceTick>(sourcesIn(assignment.state.get(SOURCES)));
  state.now = watermarkOf(sources);

  return {
    async handle(batch: Batch) {
      const outputs: Outgoing[] = [];
      let unreadable = 0;
      for (const message of batch.messages) {
        const input = readInput(message.value);
        if (input === undefined) {
          unreadable += 1;
          const failure = { reason: "fold.unreadable-input", detail: "not an input of the fold" };
          outputs.push({
            topic: TOPICS["dead-letters"].name,
            key: message.key,
            value: deadLetter(Buffer.from(JSON.stringify(message.value) ?? ""), {
              stage: "fold",
              failure,
              at: message.at,
            }),
          });
          continue;
        }
        outputs.push(...fold(state, sources, input, options));
      }
      if (unreadable > 0) options.onUnreadable(unreadable);
      await assignment.commit({ outputs, changes: changesOf(state, sources), position: batch.next });
    },
  };
}

/** Inputs that keys send each other settle within a few rounds; more than this is a fault of ours. */
const ROUNDS_MAX = 64;

function fold(
  state: State,
  sources: Map<string, SourceTick>,
  input: Exclude<Input, { kind: "tick" }> | SourceTick,
  options: FoldOptions,
): Outgoing[] {
  const outputs: Outgoing[] = [];
  /** Takes inputs; answers those for other keys that are held here too. */
  const take = (inputs: readonly Input[]): Input[] => {
    const local: Input[] = [];
    for (const next of inputs) {
      for (const output of step(state, next, options.program)) {
        if (output.kind === "incident") {
          options.onIncident();
          outputs.push({ topic: TOPICS.incidents.name, key: output.incident.id, value: output.incident });
        } else if (options.holdsEveryKey) local.push(output.input);
        else outputs.push({ topic: TOPICS.signals.name, key: output.input.key, value: output.input });
      }
    }
    return local;
  };
  if (input.kind !== "tick") {
    let local = take([input]);
    while (local.length > 0) local = take(local);
    return outputs;
  }
  sources.set(input.source, input);
  const tick: Input = { kind: "tick", at: watermarkOf(sources) };
  if (tick.at < state.now) return outputs;
  // What incidents tell each other is settled before the next tick, so that a backlog makes no page that a parent would have taken in.
  let local = take([tick]);
  for (let round = 0; local.length > 0 && round < ROUNDS_MAX; round += 1) local = [...take(local), ...take([tick])];
  return lastOfEach(outputs);
}

/** Of several revisions that one tick made of an incident, the last: nobody could have acted on the others. */
function lastOfEach(outputs: readonly Outgoing[]): Outgoing[] {
  const last = new Map(
    outputs.filter(({ topic }) => topic === TOPICS.incidents.name).map((output) => [output.key, output]),
  );
  return outputs.filter((output) => output.topic !== TOPICS.incidents.name || last.get(output.key) === output);
}

/** The least that the live sources have come to; when all are idle, the most. */
function watermarkOf(sources: ReadonlyMap<string, SourceTick>): EpochMs {
  const all = [...sources.values()];
  const live = all.filter(({ idleMs }) => idleMs < SOURCE_IDLE_MS);
  if (live.length > 0) return Math.min(...live.map(({ at }) => at));
  return Math.max(Number.NEGATIVE_INFINITY, ...all.map(({ at }) => at));
}

function restoreState(stored: ReadonlyMap<string, unknown>): State {
  const state = emptyState();
  for (const [name, value] of stored)
    if (name.startsWith(KEY_PREFIX)) state.keys.set(name.slice(KEY_PREFIX.length), restoreKey(value as StoredKey));
  return state;
}

function sourcesIn(value: unknown): [string, SourceTick][] {
  return Array.isArray(value) ? (value as SourceTick[]).map((tick) => [tick.source, tick]) : [];
}

function changesOf(state: State, sources: ReadonlyMap<string, SourceTick>): Change[] {
  const changes: Change[] = [{ key: SOURCES, value: [...sources.values()] }];
  for (const name of state.touched) {
    const key = state.keys.get(name);
    changes.push({ key: KEY_PREFIX + name, value: key === undefined ? null : storeKey(key) });
  }
  state.touched.clear();
  return changes;
}
