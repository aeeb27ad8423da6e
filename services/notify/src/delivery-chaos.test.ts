/** Whatever happens to targets and processes: once all is well again, what people see open is what is open. */
import { openEmbeddedBus } from "@culprit/bus";
import type { Incident, IncidentId, Severity } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deliveryPartitions } from "./delivery.contract.ts";
import { fixture } from "./fixtures.ts";
import { type Answer, hours, minutes, Timetable } from "./timetable.test-support.ts";

const RUNS = 8;
const TROUBLE_SECONDS = minutes(40);
const COUNT = 4;
const base = fixture("cluster-hang-9e", { children: [] });
const idOf = (n: number): IncidentId => `${n}`.repeat(64) as IncidentId;

const severities: readonly Severity[] = ["critical", "high", "medium"];
const answers: readonly Answer[] = [
  { status: 200 },
  { status: 200 },
  { status: 503 },
  { status: 429, headers: { "retry-after": "20" } },
  { status: 401 },
  { status: 400 },
  "hang",
  "cut",
  "gone",
  { takesAndKills: "a" },
  { takesAndKills: "b" },
];

const second = fc.integer({ min: 1, max: TROUBLE_SECONDS });
const happening = fc.oneof(
  fc.record({
    kind: fc.constant("revision" as const),
    at: second,
    of: fc.nat(COUNT - 1),
    severity: fc.constantFrom(...severities),
    isOver: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("answer" as const), at: second, answer: fc.constantFrom(...answers) }),
  fc.record({
    kind: fc.constant("process" as const),
    at: second,
    name: fc.constantFrom("a", "b"),
    killed: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("acknowledge" as const), at: second, of: fc.nat(COUNT - 1) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Plays the happenings; answers with what the pager has open and what is open. */
async function play(happenings: readonly Happening[]) {
  await using bus = await openEmbeddedBus({ partitions: deliveryPartitions });
  const table = new Timetable(bus);
  const pager = table.pager("pager", { timeoutMs: 5_000, authPauseMs: 60_000 });
  const now = new Map<IncidentId, Incident>();
  table.starts(0, "a");
  for (const [index, each] of happenings.toSorted((a, b) => a.at - b.at).entries()) {
    switch (each.kind) {
      case "revision": {
        const { severity, isOver, of, at } = each;
        const revised: Incident = { ...base, id: idOf(of), revision: index + 1, severity };
        const incident: Incident = isOver ? { ...revised, status: "closed" } : revised;
        now.set(incident.id, incident);
        table.publish(at, incident);
        break;
      }
      case "answer":
        pager.answers(each.at, each.answer);
        break;
      case "process":
        // One that is there is replaced, as by a rolling restart.
        if (each.killed) table.killed(each.at, each.name);
        else table.stops(each.at, each.name);
        table.starts(each.at + 30, each.name);
        break;
      case "acknowledge":
        table.act(each.at, { id: idOf(each.of) }, "acknowledge");
        break;
    }
  }
  pager.answers(TROUBLE_SECONDS + 60, { status: 200 });
  table.starts(TROUBLE_SECONDS + 61, "last");
  // A message that was refused waits for news.
  for (const incident of now.values()) table.publish(TROUBLE_SECONDS + 62, { ...incident, revision: 1_000 });
  await table.play(TROUBLE_SECONDS + hours(1));
  const open = [...now.values()].filter(({ status }) => status !== "closed").map(({ id }) => id);
  return { pager, open: open.sort() };
}

test("P5 what people see open in the end is what is open, under its own key, and no end came without its beginning", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 25 }), async (happenings) => {
      const { pager, open } = await play(happenings);
      expect(pager.open).toEqual(open);
      pager.checkSound();
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
