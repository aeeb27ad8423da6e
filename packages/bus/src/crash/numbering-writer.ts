/**
 * A process to be killed: opens the log in the directory it is given, publishes numbered batches from several writers at once
 * and moves a counter by commits, and prints each number only after the bus has said that it is stored.
 *
 * Prints `p <writer> <n>` for a publish, `c <n>` for a commit. Runs until it is killed.
 */
import { writeSync } from "node:fs";
import { argv } from "node:process";
import { openEmbeddedBus } from "../embedded.ts";

const [, , directory = ""] = argv;
const WRITERS = 4;
const BATCH_MESSAGES = 3;

const bus = await openEmbeddedBus({ directory });

async function publishForever(writer: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const value = { writer, n, filler: "x".repeat((n * 7_919) % 40_000) };
    await bus.publish(Array.from({ length: BATCH_MESSAGES }, () => ({ topic: "events", key: "h", value })));
    writeSync(1, `p ${writer} ${n}\n`);
  }
}

/** Output, state and position of one commit all say `n`. */
async function commitForever(): Promise<void> {
  await bus.publish([{ topic: "signals", key: "s", value: 0 }]);
  await bus.consume({
    group: "count",
    topic: "signals",
    open: ({ commit }) => ({
      async handle() {
        for (let n = 1; ; n += 1) {
          await commit({
            outputs: [{ topic: "incidents", key: "i", value: n }],
            changes: [{ key: "n", value: n }],
            position: n,
          });
          writeSync(1, `c ${n}\n`);
        }
      },
    }),
  });
}

await Promise.all([commitForever(), ...Array.from({ length: WRITERS }, (_, writer) => publishForever(writer))]);
