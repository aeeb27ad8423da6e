/** The development scenarios through the services on a broker, a `correlate` killed again and again: what `analyze` finds. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EpochMs, Incident, SECOND_MS, TOPICS } from "@culprit/model";
import { expect, test } from "vitest";
import { analyze } from "../../packages/cli/src/commands/analyze.ts";
import { isWithdrawn } from "../../packages/cli/src/timeline.ts";
import { canBroker } from "../broker.ts";
import { type Cluster, eventually, openCluster, sendDocuments } from "./cluster.ts";
import { type CulpritProcess, metricOf } from "./culprit-process.ts";
import { hasScenarios, type ScenarioLog, scenarioLog } from "./scenario-log.ts";

const TIMEOUT_MS = 900_000;
const PARTITIONS = 12;
/** All of them take minutes: `npm run test:kafka-scenarios`. */
const all = process.env["CULPRIT_SCENARIOS"] === "all";
const EVERY = all ? 1 : 13;
/** After so many scenarios one `correlate` is killed while the next is read, and another started. */
const KILL_EVERY = all ? 4 : 2;

/** Defines the test; `address` tells where the broker is once it runs. */
export function scenarioTests(address: () => string): void {
  if (!hasScenarios) console.log("left out: scenarios on a broker (../shared/domain is not here)");
  test.runIf(canBroker && hasScenarios)(
    "P3 scenarios sent to three ingest and folded by three correlate, one killed now and then, are what analyze finds",
    { timeout: TIMEOUT_MS },
    async () => {
      const isWanted = (place: number): boolean => place % EVERY === 0;
      const log = scenarioLog({ now: Date.now(), partitions: PARTITIONS, isWanted });
      await using cluster = await openCluster(address(), { partitions: PARTITIONS, topology: log.topology });
      const start = (verb: string): Promise<CulpritProcess> => cluster.start(verb);
      const ingests = await Promise.all([start("ingest"), start("ingest"), start("ingest")]);
      const correlates = await Promise.all([start("correlate"), start("correlate"), start("correlate")]);
      const send = async (documents: readonly object[], turn: number): Promise<void> => {
        const ingest = ingests[turn % ingests.length];
        expect(await sendDocuments(ingest?.url ?? "", documents)).toBe(200);
      };

      for (const [n, { story, steps }] of log.chapters.entries()) {
        const third = Math.max(1, Math.ceil(story.length / ingests.length));
        for (let i = 0; i * third < story.length; i += 1) await send(story.slice(i * third, (i + 1) * third), n + i);
        if (n % KILL_EVERY === KILL_EVERY - 1) {
          await correlates.shift()?.end("SIGKILL");
          correlates.push(await start("correlate"));
        }
        for (const [i, { at, documents }] of steps.entries()) {
          await send(documents, n + i);
          await eventually(async () => (await logTimeOf(correlates)) >= at);
        }
      }
      expect(await incidentsOf(cluster)).toEqual(await analyzed(log));
    },
  );
}

/** How far the folds of all processes have come. */
async function logTimeOf(correlates: readonly CulpritProcess[]): Promise<EpochMs> {
  const seconds = await Promise.all(correlates.map((one) => metricOf(one, "culprit_correlate_log_time_seconds")));
  return Math.min(...seconds) * SECOND_MS;
}

/**
 * What must be the same. Ids name the first opener to be seen, and records of one moment in several partitions have no
 * order; when and how often an incident was revised depends on the moments at which time was told.
 */
function essence(incidents: readonly Incident[]): readonly object[] {
  const kept = incidents.filter((incident) => !isWithdrawn(incident));
  const names = new Map<string, string>(kept.map(({ id, playbook, startedAt }) => [id, `${playbook} ${startedAt}`]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  return kept
    .map(({ id, parent, children, revision: _revision, updatedAt: _updated, detectedAt: _detected, ...rest }) => ({
      ...rest,
      id: nameOf(id),
      parent: parent === undefined ? undefined : nameOf(parent),
      children: children.map(nameOf).sort(),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function incidentsOf(cluster: Cluster): Promise<readonly object[]> {
  const messages = await cluster.read(TOPICS.incidents.name);
  const last = new Map(messages.map(({ key, value }) => [key, Incident.parse(value)]));
  return essence([...last.values()]);
}

async function analyzed({ chapters, topology }: ScenarioLog): Promise<readonly object[]> {
  const dir = mkdtempSync(join(tmpdir(), "culprit-scenarios-"));
  try {
    const documents = chapters.flatMap(({ story, steps }) => [...story, ...steps.flatMap((step) => step.documents)]);
    const events = join(dir, "events.ndjson");
    writeFileSync(events, documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
    writeFileSync(join(dir, "topology.yaml"), topology);
    const failures: string[] = [];
    const options = { topology: join(dir, "topology.yaml"), timezone: "UTC" };
    const { incidents } = await analyze([events], options, (line) => void failures.push(line));
    expect(failures).toEqual([]);
    return essence(incidents);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
