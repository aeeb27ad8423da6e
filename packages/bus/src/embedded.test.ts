import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busContract, CONTRACT_TOPICS, contractPartitions, type Opened } from "./bus.contract.ts";
import { openEmbeddedBus } from "./embedded.ts";

busContract("embedded log", async (): Promise<Opened> => {
  const directory = await mkdtemp(join(tmpdir(), "culprit-bus-"));
  const open = () => openEmbeddedBus({ directory, topics: CONTRACT_TOPICS, partitions: contractPartitions });
  let bus = await open();
  return {
    bus,
    async reopen() {
      await bus.close();
      bus = await open();
      return bus;
    },
    async [Symbol.asyncDispose]() {
      await bus.close();
      await rm(directory, { recursive: true });
    },
  };
});
