import fc from "fast-check";
import { expect, test } from "vitest";
import { hostAt, noteRun, type Run } from "./placement.ts";

function runsOf(sightings: readonly (readonly [string, number])[]): Run[] {
  const runs: Run[] = [];
  for (const [host, at] of sightings) noteRun(runs, host, at);
  return runs;
}

test("a machine that migrates back is where it was last seen", () => {
  const runs = runsOf([
    ["hv1", 10],
    ["hv2", 20],
    ["hv1", 30],
  ]);
  expect([5, 10, 19, 20, 29, 30, 99].map((at) => hostAt(runs, at))).toEqual([
    "hv1",
    "hv1",
    "hv1",
    "hv2",
    "hv2",
    "hv1",
    "hv1",
  ]);
});

test("a stay that is learned late divides the one it falls into", () => {
  const runs = runsOf([
    ["hv1", 10],
    ["hv1", 30],
    ["hv2", 20],
  ]);
  expect([10, 25, 30].map((at) => hostAt(runs, at))).toEqual(["hv1", "hv2", "hv1"]);
});

test("only what changes where it was is news", () => {
  const runs = runsOf([["hv1", 10]]);
  expect(noteRun(runs, "hv1", 50)).toBe(false);
  expect(noteRun(runs, "hv1", 20)).toBe(false);
  expect(noteRun(runs, "hv2", 60)).toBe(true);
  expect(noteRun(runs, "hv2", 55)).toBe(true);
  expect(hostAt(runs, 57)).toBe("hv2");
});

test("at the time of any sighting that began or ended a stay it is where it was seen, in any order of learning", () => {
  const stays = fc.array(fc.constantFrom("hv1", "hv2", "hv3"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      stays.chain((hosts) => {
        const sightings = hosts.map((host, i) => [host, i * 10] as const);
        return fc.tuple(fc.constant(sightings), fc.shuffledSubarray(sightings, { minLength: sightings.length }));
      }),
      ([sightings, shuffled]) => {
        const changes = sightings.filter(([host], i) => i === 0 || sightings[i - 1]?.[0] !== host);
        const runs = runsOf(shuffled);
        expect(runsOf(sightings).map(({ from }) => from)).toEqual(changes.map(([, at]) => at));
        expect(hostAt(runs, (sightings.length - 1) * 10)).toBe(sightings.at(-1)?.[0]);
        expect(hostAt(runs, 0)).toBe(sightings[0]?.[0]);
      },
    ),
  );
});
