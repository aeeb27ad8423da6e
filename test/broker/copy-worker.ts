/**
 * A member of the group `copy` as a process; says on stdout which partitions it opens.
 * Arguments: the broker's address, the prefix, the session in milliseconds.
 */
import { openKafkaBus } from "@culprit/bus";
import { openCopyTask } from "./copy-task.ts";
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
  open(assignment) {
    process.stdout.write(`open ${assignment.partition}\n`);
    return openCopyTask(assignment);
  },
});
process.stdout.write("ready\n");
process.once("SIGTERM", () => void reader.close());
await reader.ended;
await bus.close();
