/**
 * The acting task: one partition of `actions` in, what the fold has to know of it out. Nobody outside the fold knows which
 * key holds an incident, so every partition of `signals` is told; people act seldom. Being on `signals`, an act has its
 * place among the signals, and a replay makes the same incidents.
 */
import type { Assignment, Outgoing, PartitionTask } from "@culprit/bus";
import type { Act } from "@culprit/correlator";
import { Action, assertNever, TOPICS } from "@culprit/model";

/** Creates the task for an assigned partition. Silences, and what is no action, are others' to read. */
export function createActTask(assignment: Assignment, options: { readonly signalPartitions: number }): PartitionTask {
  return {
    async handle(batch) {
      const acts = batch.messages.flatMap(({ value }) => {
        const action = Action.safeParse(value);
        return action.success ? (actOf(action.data) ?? []) : [];
      });
      await assignment.commit({
        outputs: acts.flatMap((act) => toEveryPartition(act, options.signalPartitions)),
        position: batch.next,
      });
    },
  };
}

/** What the fold has to know of an action; `undefined` where it changes nothing there. */
function actOf(action: Action): Act | undefined {
  const { kind, incident, at, id } = action;
  switch (kind) {
    case "resolve":
    case "reopen":
      return { kind, incident, at, id };
    case "unlink":
    case "relink":
      return { kind, incident, at, id, event: action.event };
    case "acknowledge":
    case "note":
    case "confirm-cause":
      return undefined;
    default:
      return assertNever(kind);
  }
}

function toEveryPartition(act: Act, partitions: number): readonly Outgoing[] {
  return Array.from({ length: partitions }, (_, partition) => {
    return { topic: TOPICS.signals.name, key: act.incident, value: { kind: "act", act }, partition };
  });
}
