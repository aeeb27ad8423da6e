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

function fold(
  state: State,
  sources: Map<string, SourceTick>,
  input: Exclude<Input, { kind: "tick" }> | SourceTick,
  { program, onIncident }: FoldOptions,
): Outgoing[] {
  const outputs: Outgoing[] = [];
  const take = (next: Input): void => {
    for (const output of step(state, next, program)) {
      if (output.kind === "send") {
        outputs.push({ topic: TOPICS.signals.name, key: output.input.key, value: output.input });
        continue;
      }
      onIncident();
      outputs.push({ topic: TOPICS.incidents.name, key: output.incident.id, value: output.incident });
    }
  };
  if (input.kind !== "tick") {
    take(input);
    return outputs;
  }
  sources.set(input.source, input);
  const at = watermarkOf(sources);
  if (at >= state.now) take({ kind: "tick", at });
  return outputs;
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
