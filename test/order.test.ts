/**
 * Order of arrival does not matter: every timeline of every playbook, its events delivered in any order within two hours and
 * some of them twice, ends with the same incidents. Ids and times of detection are left out: they name the order on purpose.
 */
import { createRuleMatcher } from "@culprit/correlator";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { KNOWLEDGE_DIR, loadKnowledge, readTimelineFiles } from "../packages/cli/src/knowledge-files.ts";
import { playTimeline, type Timeline, TimelineFile } from "../packages/cli/src/timeline.ts";
import { essence } from "./essence.test-support.ts";

type Parts = Parameters<typeof playTimeline>[1];
type Delivery = Parameters<NonNullable<Parameters<typeof playTimeline>[2]>>[0][number];

const SPREAD_MS = 2 * 3_600_000;

let parts: Parts;
let timelines: readonly Timeline[];

beforeAll(async () => {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
  const files = (await readTimelineFiles(KNOWLEDGE_DIR)).map(({ text }) => TimelineFile.parse(parse(text)));
  const all = files.filter(({ playbook }) => !TELL_OF_ARRIVAL.has(playbook)).flatMap((file) => file.timelines);
  timelines = all.filter((timeline) => spanOf(timeline) <= LATENESS_MS);
  console.log(
    `left out: ${all.length - timelines.length} timelines that last longer than the lateness, and those of ${[...TELL_OF_ARRIVAL].join(", ")}`,
  );
});

/** What these playbooks tell of is the arrival itself: how late, in which order, with which gaps. */
const TELL_OF_ARRIVAL = new Set(["feed-silent", "fleet-feed-silent", "feed-gap", "feed-began-anew", "feed-clock"]);

/** Longer stories freeze their first incidents on the way: what they say then is what had arrived by then. */
const LATENESS_MS = 6 * 3_600_000;

function spanOf({ events }: Timeline): number {
  const times = events.map(({ at }) => at);
  return Math.max(...times) - Math.min(...times);
}

/** Moves each delivery by its own delay and repeats some; arrival stays in order. */
function disturb(all: readonly Delivery[], delays: readonly number[]): readonly Delivery[] {
  return all
    .flatMap((delivery, i) => {
      const moved = { ...delivery, receivedAt: delivery.receivedAt + (delays[i % delays.length] ?? 0) };
      return (delays[i % delays.length] ?? 0) % 10 === 0
        ? [moved, { ...moved, receivedAt: moved.receivedAt + 1_000 }]
        : [moved];
    })
    .sort((a, b) => a.receivedAt - b.receivedAt);
}

test("F35 any order of delivery within two hours, with repeats, ends with the same incidents", () => {
  const delays = fc.array(fc.integer({ min: 0, max: SPREAD_MS }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.nat({ max: timelines.length - 1 }), delays, (n, moved) => {
      const timeline = timelines[n] as Timeline;
      const straight = essence(playTimeline(timeline, parts).incidents);
      const disturbed = essence(playTimeline(timeline, parts, (all) => disturb(all, moved)).incidents);
      expect(disturbed, timeline.name).toEqual(straight);
    }),
    // `ORDER_RUNS` searches longer; a seed is drawn each time, and printed with what it finds.
    { numRuns: Number(process.env["ORDER_RUNS"] ?? 150) },
  );
});
