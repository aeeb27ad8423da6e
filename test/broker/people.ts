/** What a person does at one process counts at the others: console, correlation and notifier by themselves. */
import { Incident } from "@culprit/model";
import { expect } from "vitest";
import { demoDocuments } from "../../packages/cli/src/demo.ts";
import { brokerTest } from "../broker.ts";
import { eventually, openCluster, sendDocuments } from "./cluster.ts";

const PLAYBOOK = "cluster-hang-9e";
const POOL_EMPTY = 2019;
const TIMEOUT_MS = 240_000;

/** Defines the test; `address` tells where the broker is once it runs. */
export function peopleTests(address: () => string): void {
  brokerTest(
    "an event that a person takes out at the console counts no more where its incident is held",
    { timeout: TIMEOUT_MS },
    async () => {
      await using cluster = await openCluster(address());
      const [ingest, , console] = await Promise.all(
        ["ingest", "correlate", "console"].map((verb) => cluster.start(verb)),
      );
      if (ingest === undefined || console === undefined) throw new RangeError("two of the three are asked");
      const incidents = async (): Promise<readonly Incident[]> => {
        const answer = await fetch(`${console.url}/api/v1/incidents`);
        return Incident.array().parse(((await answer.json()) as { incidents: unknown }).incidents);
      };
      const found = async (): Promise<Incident | undefined> =>
        (await incidents()).find(({ playbook, causes }) => playbook === PLAYBOOK && causes[0]?.id !== "unknown");
      expect(await sendDocuments(ingest.url, demoDocuments(Date.now() - 300_000))).toBe(200);
      await eventually(async () => (await found()) !== undefined);
      const before = await found();
      const events = before?.timeline.filter(({ eventId }) => eventId === POOL_EMPTY) ?? [];
      expect(events.length).toBeGreaterThan(0);
      for (const { event } of events) {
        const answer = await fetch(`${console.url}/api/v1/incidents/${before?.id}/actions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ kind: "unlink", event, who: "ada" }),
        });
        expect(answer.status).toBe(202);
      }
      const after = async () => (await incidents()).find(({ id }) => id === before?.id);
      await eventually(async () => (await after())?.timeline.every(({ eventId }) => eventId !== POOL_EMPTY) === true);
      expect((await after())?.causes[0]?.share).toBeLessThan(before?.causes[0]?.share ?? 0);
      // Whoever sends is known at the console too, from the process that has heard it.
      await eventually(async () => {
        const answer = (await (await fetch(`${console.url}/api/v1/sources`)).json()) as { sources: unknown[] };
        return answer.sources.length === 1;
      });
    },
  );
}
