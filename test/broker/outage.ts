/** The demo outage, sent to Culprit as separate processes. */
import { TOPICS } from "@culprit/model";
import { expect } from "vitest";
import { demoDocuments } from "../../packages/cli/src/demo.ts";
import { brokerTest } from "../broker.ts";
import { eventually, openCluster, sendDocuments } from "./cluster.ts";

const MAIN_PLAYBOOK = "cluster-hang-9e";
const TIMEOUT_MS = 240_000;

/** Defines the tests; `address` tells where the broker is once they run. */
export function outageTests(address: () => string): void {
  brokerTest(
    "an outage sent to ingest is paged once by notify, each service a process of its own",
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      await using cluster = await openCluster(address());
      const [ingest, first, second, notify] = await Promise.all(
        ["ingest", "correlate", "correlate", "notify"].map((verb) => cluster.start(verb)),
      );
      if (ingest === undefined || first === undefined || second === undefined || notify === undefined)
        throw new Error();
      for (const { url } of [ingest, first, second, notify]) expect((await fetch(`${url}/readyz`)).status).toBe(200);

      const documents = demoDocuments(Date.now() - 300_000);
      expect(await sendDocuments(ingest.url, documents)).toBe(200);
      await eventually(() => cluster.told.some(({ playbook }) => playbook === MAIN_PLAYBOOK));

      const keys = new Set(cluster.told.filter(({ playbook }) => playbook === MAIN_PLAYBOOK).map(({ key }) => key));
      expect(keys.size).toBe(1);
      const metrics = await Promise.all([first, second].map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
      for (const text of metrics) expect(text).toMatch(/culprit_bus_partitions_read 5\n/);

      // F47: drained, committed, and out of the group at once.
      const codes = await Promise.all([ingest, first, second, notify].map((one) => one.end("SIGTERM")));
      expect(codes).toEqual([0, 0, 0, 0]);
      const lag = (await cluster.bus.progress("match", TOPICS.events.name)).map(({ position, end }) => end - position);
      expect(lag).toEqual([0, 0, 0, 0]);
      const incidents = await cluster.read(TOPICS.incidents.name);
      const revisions = incidents.map(({ key, value }) => `${key} ${(value as { revision: number }).revision}`);
      expect(new Set(revisions).size).toBe(revisions.length);
    },
  );
}
