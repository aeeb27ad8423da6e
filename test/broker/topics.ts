/** Topics that are not what they must be: start is refused, with the command that repairs it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openKafkaBus } from "@culprit/bus";
import type { TopicSpec } from "@culprit/model";
import { expect } from "vitest";
import { brokerTest } from "../broker.ts";

const MAIN = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const KEPT = { kind: "time", retentionMs: 86_400_000 } as const;
const create = { replicationFactor: 1 };

/** Defines the tests; `address` tells where the broker is once they run. */
export function topicTests(address: () => string): void {
  brokerTest(
    "F9 a topic that is missing, has another count or is not compacted refuses the start, and nothing is made",
    {
      timeout: 60_000,
    },
    async () => {
      const prefix = `unfit${process.pid}.`;
      const brokers = [address()];
      const facts = (retention: TopicSpec["retention"]): TopicSpec[] => [{ name: "facts", retention }];
      const compacted = facts({ kind: "compacted" });

      for (let attempt = 0; attempt < 2; attempt += 1) {
        const refused = openKafkaBus({ brokers, prefix, topics: compacted });
        await expect(refused).rejects.toMatchObject({
          code: "bus.topics-unfit",
          message: expect.stringMatching(
            /topic unfit\d+\.facts is missing\n {2}kafka-topics\.sh .*cleanup\.policy=compact/,
          ),
        });
      }

      await (await openKafkaBus({ brokers, prefix, topics: facts(KEPT), partitions: () => 2, create })).close();
      await expect(openKafkaBus({ brokers, prefix, topics: compacted, create })).rejects.toMatchObject({
        message: expect.stringMatching(
          /has cleanup\.policy=delete, it must be compact\n {2}kafka-configs\.sh .*=compact$/,
        ),
      });
      const other = openKafkaBus({ brokers, prefix, topics: facts(KEPT), partitions: () => 3, create });
      await expect(other).rejects.toMatchObject({
        message: expect.stringContaining("has 2 partitions, 3 are asked for"),
      });
      await (await openKafkaBus({ brokers, prefix, topics: facts(KEPT), partitions: () => 2 })).close();
    },
  );

  brokerTest(
    "F9 a service says what to repair and ends with the exit code of a wrong configuration",
    {
      timeout: 120_000,
    },
    async () => {
      const environment = { ...process.env, CULPRIT__KAFKA__BROKERS: address(), CULPRIT__KAFKA__PREFIX: "nothing." };
      const running = promisify(execFile)(process.execPath, [MAIN, "correlate"], { env: environment });
      await expect(running).rejects.toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringContaining("topic nothing.signals is missing\n  kafka-topics.sh --bootstrap-server"),
      });
    },
  );
}
