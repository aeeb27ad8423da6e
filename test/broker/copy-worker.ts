/**
 * A member of a group as a process: copies each number from `in` to `out`, with a running count per partition as its state,
 * and says on stdout which partitions it opens.
 * Arguments: the broker's address, the prefix, the session in milliseconds.
 */
import { openKafkaBus } from "@culprit/bus";
import { COPY_TOPICS, copyPartitions } from "./copy-topics.ts";

const [, , address = "", prefix = "", sessionMs = ""] = process.argv;
const bus = await openKafkaBus({
  brokers: [address],
  prefix,
  topics: COPY_TOPICS,
  partitions: copyPartitions,
  sessionMs: Number(sessionMs),
  heartbeatMs: 200,
});
const reader = await bus.consume({
  group: "copy",
  topic: "in",
  batchMessagesMax: 7,
  open({ partition, state, commit }) {
    let count = Number(state.get("count") ?? 0);
    process.stdout.write(`open ${partition}\n`);
    return {
      async handle({ messages, next }) {
        count += messages.length;
        const outputs = messages.map(({ key, value }) => ({
          topic: "out",
          key,
          value: { n: value, partition, count },
        }));
        await commit({ outputs, changes: [{ key: "count", value: count }], position: next });
      },
    };
  },
});
process.stdout.write("ready\n");
process.once("SIGTERM", () => void reader.close());
await reader.ended;
await bus.close();
