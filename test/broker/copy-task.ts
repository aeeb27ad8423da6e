/** Copies each number from `in` to `out`, with a running count per partition as its state. */
import type { Assignment, PartitionTask } from "@culprit/bus";

/** What a member of the group `copy` does with a partition. */
export function openCopyTask({ partition, state, commit }: Assignment): PartitionTask {
  let count = Number(state.get("count") ?? 0);
  return {
    async handle({ messages, next }) {
      count += messages.length;
      const outputs = messages.map(({ key, value }) => ({ topic: "out", key, value: { n: value, partition, count } }));
      await commit({ outputs, changes: [{ key: "count", value: count }], position: next });
    },
  };
}
