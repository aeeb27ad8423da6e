/**
 * The folding task: one partition of `signals` in, revisions of incidents out. Outputs, changed keys and position are one
 * commit, so a restart goes on where the last commit stands and repeats nothing.
 */
import type { Assignment, Batch, Change, Outgoing, PartitionTask } from "@culprit/bus";
import {
  adopt,
  emptyState,
  type Input,
  restoreKey,
  type State,
  type StoredKey,
  step,
  storeKey,
} from "@culprit/correlator";
import { deadLetter, type EpochMs, Fault, SECOND_MS, TOPICS } from "@culprit/model";
import type { Program } from "@culprit/rules";
import { readInput } from "./input.ts";
import type { SourceTick } from "./match-task.ts";
import { Watermark } from "./watermark.ts";

const KEY_PREFIX = "key ";
const SOURCES = "sources";
const PROGRAM = "program";
/** Ticks that change nothing are read again after a restart; so many seconds of them are not worth a commit each. */
const IDLE_COMMIT_MS = 30 * SECOND_MS;

export interface FoldTask extends PartitionTask {
  /** Log time, as far as every partition of `events` has come; minus infinity before anything is known. */
  readonly logTime: EpochMs;
  /** Keys whose signals and incidents are held. */
  readonly keys: number;
  /** Partitions of `events` that nobody reads. */
  readonly silentSources: number;
}

export interface FoldOptions {
  /** The program as it is now; another one is taken up with the next batch. */
  program(): Program;
  /** The names of all partitions of `events`, as ticks have them. */
  readonly sources: readonly string[];
  /** There is one partition of `signals`: what keys send each other stays here instead of taking the way over the log. */
  readonly holdsEveryKey: boolean;
  readonly onUnreadable: (count: number) => void;
  readonly onIncident: () => void;
}

/** Creates the task for an assigned partition, its state restored. */
export function createFoldTask(assignment: Assignment, options: FoldOptions): FoldTask {
  const state = restoreState(assignment.state);
  const watermark = new Watermark(options.sources, assignment.state.get(SOURCES));
  state.now = watermark.at;
  // Which program judged what was stored; with another one, or none said, all of it is judged anew.
  let judgedBy = assignment.state.get(PROGRAM);
  let committedAt = Number.NEGATIVE_INFINITY;
  let pending: number | undefined;
  const commit = async (outputs: readonly Outgoing[], position: number): Promise<void> => {
    pending = undefined;
    const changes = [...changesOf(state, watermark), { key: PROGRAM, value: judgedBy }];
    await assignment.commit({ outputs, changes, position });
  };

  return {
    get logTime() {
      return watermark.at;
    },
    get keys() {
      return state.keys.size;
    },
    get silentSources() {
      return watermark.silent;
    },
    async handle(batch: Batch) {
      const program = options.program();
      if (judgedBy !== program.hash) adopt(state, program);
      judgedBy = program.hash;
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
        if (input.kind === "tick") watermark.hear(input.sources, message.at);
        outputs.push(...fold(state, watermark, input, program, options));
      }
      if (unreadable > 0) options.onUnreadable(unreadable);
      const newestAt = batch.messages.at(-1)?.at ?? committedAt;
      pending = batch.next;
      if (outputs.length === 0 && state.touched.size === 0 && newestAt - committedAt < IDLE_COMMIT_MS) return;
      committedAt = newestAt;
      await commit(outputs, batch.next);
    },
    async close() {
      if (pending === undefined) return;
      await commit([], pending).catch((error: unknown) => {
        // An owner that lost its partition unawares leaves it to the next one, who reads the quiet ticks again.
        if (!(error instanceof Fault && error.code === "bus.fenced")) throw error;
      });
    },
  };
}

/** Inputs that keys send each other settle within a few rounds; more than this is a fault of ours. */
const ROUNDS_MAX = 64;

function fold(
  state: State,
  watermark: Watermark,
  input: Exclude<Input, { kind: "tick" }> | SourceTick,
  program: Program,
  options: FoldOptions,
): Outgoing[] {
  const outputs: Outgoing[] = [];
  /** Takes inputs; answers those for other keys that are held here too. */
  const take = (inputs: readonly Input[]): Input[] => {
    const local: Input[] = [];
    for (const next of inputs) {
      for (const output of step(state, next, program)) {
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
  const tick: Input = { kind: "tick", at: watermark.at };
  if (tick.at === Number.NEGATIVE_INFINITY) return outputs;
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

function restoreState(stored: ReadonlyMap<string, unknown>): State {
  const state = emptyState();
  for (const [name, value] of stored)
    if (name.startsWith(KEY_PREFIX)) state.keys.set(name.slice(KEY_PREFIX.length), restoreKey(value as StoredKey));
  return state;
}

function changesOf(state: State, watermark: Watermark): Change[] {
  const changes: Change[] = [{ key: SOURCES, value: watermark.stored }];
  for (const name of state.touched) {
    const key = state.keys.get(name);
    changes.push({ key: KEY_PREFIX + name, value: key === undefined ? null : storeKey(key) });
  }
  state.touched.clear();
  return changes;
}
