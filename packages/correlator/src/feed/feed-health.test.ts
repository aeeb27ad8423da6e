import { DAY_MS, foldHost, HOUR_MS, type HostId, MINUTE_MS } from "@culprit/model";
import { expect, test } from "vitest";
import type { FeedFinding } from "./feed-event.ts";
import { FeedHealth, type Heard } from "./feed-health.ts";

const T = Date.parse("2026-03-10T02:00:00Z");

function record(name: string, at: number, more: Partial<Heard> & { readonly id?: number } = {}): Heard {
  const { id, ...rest } = more;
  const ids = id === undefined ? {} : { firstRecordId: id, lastRecordId: id };
  const host = foldHost(name) as HostId;
  return {
    coverage: { host, channel: "System", from: T + at, to: T + at, count: 1, ...ids },
    heardAt: T + at,
    ...rest,
  };
}

/** Sends in order and looks after each; answers what was found, as `kind host`. */
function play(health: FeedHealth, records: readonly Heard[]): string[] {
  return records
    .toSorted((a, b) => a.heardAt - b.heardAt)
    .flatMap((one) => [...health.note(one), ...health.look()])
    .map(textOf);
}

function textOf({ kind, host }: FeedFinding): string {
  return `${kind} ${host}`;
}

/** A record every so often. */
function steady(name: string, from: number, to: number, every = 5 * MINUTE_MS, more: Partial<Heard> = {}): Heard[] {
  return Array.from({ length: Math.floor((to - from) / every) }, (_, i) => record(name, from + i * every, more));
}

test("F38 a host that was heard steadily for a day and falls silent while others do not is told, once", () => {
  const health = new FeedHealth();
  const records = [...steady("a", 0, 3 * DAY_MS), ...steady("b", 0, 1.5 * DAY_MS)];
  expect(play(health, records)).toEqual(["silent b"]);
});

test("it is told when it is heard again, and for how long nothing is known", () => {
  const health = new FeedHealth();
  const again = record("b", 1.6 * DAY_MS);
  play(health, [...steady("a", 0, 1.6 * DAY_MS), ...steady("b", 0, 1.5 * DAY_MS)]);
  expect(health.note(again)).toMatchObject([
    { kind: "heardAgain", blind: { from: T + 1.5 * DAY_MS - 5 * MINUTE_MS, to: T + 1.6 * DAY_MS } },
  ]);
});

test("a host that is heard seldom, or not yet for a day, or is off at night, never falls silent", () => {
  const health = new FeedHealth();
  const records = [
    ...steady("a", 0, 6 * DAY_MS),
    ...steady("seldom", 0, 3 * DAY_MS, 5 * HOUR_MS),
    ...steady("young", 0, 0.9 * DAY_MS),
    ...[0, 1, 2].flatMap((day) => steady("office", day * DAY_MS, day * DAY_MS + 9 * HOUR_MS)),
  ];
  expect(play(health, records)).toEqual([]);
});

test("a silence is measured by the pauses a host usually makes", () => {
  const health = new FeedHealth();
  const others = steady("a", 0, 3 * DAY_MS);
  const pausing = steady("b", 0, 2 * DAY_MS, 2 * HOUR_MS);
  expect(play(health, [...others.filter(({ heardAt }) => heardAt < T + 2 * DAY_MS + 5 * HOUR_MS), ...pausing])).toEqual(
    [],
  );
  expect(
    play(
      health,
      others.filter(({ heardAt }) => heardAt >= T + 2 * DAY_MS + 5 * HOUR_MS),
    ),
  ).toEqual(["silent b"]);
});

test("when all are silent, nobody is: we were away, or the way was", () => {
  const health = new FeedHealth();
  const hosts = ["a", "b", "c"];
  const before = hosts.flatMap((name) => steady(name, 0, 2 * DAY_MS));
  // They come back one after the other, within the time that senders wait before they try again.
  const after = hosts.flatMap((name, i) => steady(name, 3 * DAY_MS + i * 20 * MINUTE_MS, 4 * DAY_MS));
  expect(play(health, [...before, ...after])).toEqual([]);
});

test("the end of one file is no silence in another", () => {
  const health = new FeedHealth();
  const records = [
    ...steady("a", 0, 2 * DAY_MS, 5 * MINUTE_MS, { feed: "a.evtx" }),
    ...steady("b", 0, 9 * DAY_MS, 5 * MINUTE_MS, { feed: "b.evtx" }),
  ];
  expect(play(health, records)).toEqual([]);
  expect(health.finish()).toEqual([]);
});

test("a gap is told at once when the input is over", () => {
  const health = new FeedHealth();
  play(
    health,
    Array.from({ length: 600 }, (_, i) => record("a", i * 1_000, { id: i + 1 })),
  );
  play(health, [record("a", 700_000, { id: 700 })]);
  expect(health.finish().map(({ message }) => message)).toEqual([
    "99 records of the System log of a did not arrive: ids 601 to 699.",
  ]);
});

function clocks(ages: Readonly<Record<string, (i: number) => number>>): string[] {
  const health = new FeedHealth();
  return play(
    health,
    Object.entries(ages).flatMap(([name, age]) =>
      Array.from({ length: 120 }, (_, i) => record(name, i * MINUTE_MS, { ageMs: age(i) })),
    ),
  );
}

test("a clock is off when its records are as old as no other's, always by the same", () => {
  const usual = { a: () => 2_000, b: () => 3_000, c: () => 40_000 };
  expect(clocks({ ...usual, slow: () => 7 * MINUTE_MS })).toEqual(["clockOff slow"]);
  expect(clocks({ ...usual, fast: () => -7 * MINUTE_MS })).toEqual(["clockOff fast"]);
  expect(clocks({ ...usual, fast: (i) => (i < 60 ? -7 * MINUTE_MS : 0) })).toEqual([
    "clockOff fast",
    "clockRight fast",
  ]);
});

test("late, batched and delayed records say nothing of a clock", () => {
  const usual = { a: () => 2_000, b: () => 3_000, c: () => 40_000 };
  expect(clocks({ ...usual, backlog: (i) => (120 - i) * MINUTE_MS })).toEqual([]);
  expect(clocks({ ...usual, hourly: (i) => (60 - (i % 60)) * MINUTE_MS })).toEqual([]);
  expect(clocks({ ...usual, mostlyLate: (i) => (i % 5 === 0 ? 1_000 : 900_000) })).toEqual([]);
  // Where all come late, the way is long.
  const all = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, () => 15 * MINUTE_MS]));
  expect(clocks(all)).toEqual([]);
});

test("alone, a host's records from the future tell of its clock, old ones do not", () => {
  expect(clocks({ fast: () => -10 * MINUTE_MS })).toEqual(["clockOff fast"]);
  expect(clocks({ slow: () => 10 * MINUTE_MS })).toEqual([]);
});

test("what was stored goes on where it stood, and what came meanwhile is no gap", () => {
  const health = new FeedHealth();
  const ids = Array.from({ length: 2_000 }, (_, i) => record("b", i * MINUTE_MS, { id: i + 1 }));
  expect(play(health, [...ids, ...steady("a", 0, 2_000 * MINUTE_MS)])).toEqual([]);
  const restored = new FeedHealth();
  restored.restore(JSON.parse(JSON.stringify(health.changes().stored)));
  const on = 2_100 * MINUTE_MS;
  expect(play(restored, [record("b", on, { id: 2_101 })])).toEqual([]);
  expect(restored.finish()).toEqual([]);
  // It is still known as steady.
  expect(play(restored, steady("a", on, on + 4 * HOUR_MS))).toEqual(["silent b"]);
});

test("hosts are stored at most once a minute of time heard, and forgotten after two weeks", () => {
  const health = new FeedHealth();
  play(health, [record("a", 0), record("a", 1_000)]);
  expect(health.changes().stored).toHaveLength(1);
  play(health, [record("a", 30_000)]);
  expect(health.changes().stored).toHaveLength(0);
  play(health, steady("b", MINUTE_MS, 15 * DAY_MS));
  expect(health.changes().removed).toEqual(["a"]);
});
