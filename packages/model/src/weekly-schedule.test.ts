import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, isoOf, MINUTE_MS } from "./instant.ts";
import { WEEKDAYS, WeeklySchedule, weeklyState } from "./weekly-schedule.ts";

const at = (iso: string): number => Date.parse(iso);
const oslo = (days: readonly string[], from: string, to: string): WeeklySchedule =>
  WeeklySchedule.parse({ zone: "Europe/Oslo", windows: [{ days, from, to }] });
const office = oslo(["mon", "tue", "wed", "thu", "fri"], "08:00", "17:00");
const night = oslo(["sat"], "22:00", "04:00");

/** The state with its instant as text. */
function stateOf(schedule: WeeklySchedule, iso: string): readonly [boolean, string | undefined] {
  const { open, changesAt } = weeklyState(schedule, at(iso));
  return [open, changesAt === undefined ? undefined : isoOf(changesAt)];
}

test.each([
  ["in the morning before it", "2026-03-17T06:59:59.999Z", [false, "2026-03-17T07:00:00.000Z"]],
  ["at its first moment", "2026-03-17T07:00:00.000Z", [true, "2026-03-17T16:00:00.000Z"]],
  ["at its end", "2026-03-17T16:00:00.000Z", [false, "2026-03-18T07:00:00.000Z"]],
  ["on a Friday evening", "2026-03-20T20:00:00.000Z", [false, "2026-03-23T07:00:00.000Z"]],
  ["over a weekend on which the clocks go forward", "2026-03-27T20:00:00.000Z", [false, "2026-03-30T06:00:00.000Z"]],
  ["over a weekend on which the clocks go back", "2026-10-23T20:00:00.000Z", [false, "2026-10-26T07:00:00.000Z"]],
] as const)("office hours %s", (_, iso, expected) => {
  expect(stateOf(office, iso)).toEqual(expected);
});

test.each([
  ["begins", "2026-03-21T21:00:00.000Z", [true, "2026-03-22T03:00:00.000Z"]],
  ["goes on after midnight", "2026-03-22T02:00:00.000Z", [true, "2026-03-22T03:00:00.000Z"]],
  ["is over in the morning", "2026-03-22T03:00:00.000Z", [false, "2026-03-28T21:00:00.000Z"]],
  ["is an hour shorter when the clocks go forward", "2026-03-28T21:00:00.000Z", [true, "2026-03-29T02:00:00.000Z"]],
] as const)("a night from Saturday to Sunday %s", (_, iso, expected) => {
  expect(stateOf(night, iso)).toEqual(expected);
});

test("a night that begins on Sunday goes on into the next week", () => {
  expect(stateOf(oslo(["sun"], "22:00", "04:00"), "2026-03-16T01:00:00.000Z")[0]).toBe(true);
});

test("windows that touch are one, and a schedule of all hours never changes", () => {
  const halves = WeeklySchedule.parse({
    zone: "UTC",
    windows: [
      { days: ["mon"], from: "00:00", to: "12:00" },
      { days: ["mon"], from: "12:00", to: "24:00" },
    ],
  });
  expect(stateOf(halves, "2026-03-16T03:00:00.000Z")).toEqual([true, "2026-03-17T00:00:00.000Z"]);
  expect(stateOf(oslo([...WEEKDAYS], "00:00", "24:00"), "2026-03-16T03:00:00.000Z")).toEqual([true, undefined]);
});

test("away from changes of the clock nothing changes before the time that is told, and something does then", () => {
  const window = fc.record({
    days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
    from: fc.constantFrom("00:00", "08:15", "23:59"),
    to: fc.constantFrom("00:01", "12:00", "24:00"),
  });
  const start = at("2026-01-05T00:00:00.000Z");
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.nat(7 * DAY_MS), (windows, after) => {
      const schedule = WeeklySchedule.parse({ zone: "Asia/Kolkata", windows });
      const now = start + after;
      const { open, changesAt } = weeklyState(schedule, now);
      if (changesAt === undefined) return;
      expect(changesAt).toBeGreaterThan(now);
      expect(weeklyState(schedule, changesAt).open).toBe(!open);
      for (let t = now; t < changesAt; t += 7 * HOUR_MS) expect(weeklyState(schedule, t).open).toBe(open);
      expect(weeklyState(schedule, changesAt - MINUTE_MS / 2).open).toBe(open);
    }),
    { numRuns: 60 },
  );
});

describe("a schedule is refused", () => {
  test.each([
    [{ zone: "Mars/Olympus", windows: [{ days: ["mon"], from: "08:00", to: "09:00" }] }],
    [{ zone: "+01:00", windows: [{ days: ["mon"], from: "08:00", to: "09:00" }] }],
    [{ zone: "UTC", windows: [{ days: ["mon"], from: "8:00", to: "09:00" }] }],
    [{ zone: "UTC", windows: [{ days: ["mon"], from: "08:00", to: "24:30" }] }],
    [{ zone: "UTC", windows: [{ days: [], from: "08:00", to: "09:00" }] }],
    [{ zone: "UTC", windows: [] }],
  ])("%j", (schedule) => {
    expect(WeeklySchedule.safeParse(schedule).success).toBe(false);
  });
});
