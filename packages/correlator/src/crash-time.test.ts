import { expect, test } from "vitest";
import { type CrashClues, inferCrash } from "./crash-time.ts";

const BOOT = Date.parse("2026-03-10T02:04:00Z");
const clues: CrashClues = {
  loggedAt: BOOT + 25_000,
  boots: [BOOT, BOOT + 6_000],
  aliveBefore: () => BOOT - 300_000,
  missedAt: [],
  lastBeats: [],
};

test("a record written after the restart tells of the time between the last sign of life and the boot", () => {
  expect(inferCrash(clues)).toEqual({ from: BOOT - 300_000, to: BOOT, boot: BOOT });
});

test("peers that miss the host end the interval", () => {
  expect(inferCrash({ ...clues, missedAt: [BOOT - 230_000, BOOT - 200_000, BOOT + 10_000] }).to).toBe(BOOT - 230_000);
});

test("the exact instant of 6008 narrows it to the minute of the last heartbeat", () => {
  const beat = BOOT - 240_000;
  expect(inferCrash({ ...clues, lastBeats: [{ loggedAt: BOOT + 6_000, instant: beat }] })).toMatchObject({
    from: beat,
    to: beat + 60_000,
  });
});

test.each([
  ["day first", "03:00:00", "10/03/2026"],
  ["month first", "3:00:00 AM", "3/10/2026"],
  ["with the marks Windows puts into it", "3:00:00 AM", "\u200e3/\u200e10/\u200e2026"],
  ["year first", "03:00:00", "2026-03-10"],
  ["with dots", "03:00:00", "10.03.2026"],
])("the text of 6008 in another zone and locale is read: %s", (_how, time, date) => {
  expect(inferCrash({ ...clues, lastBeats: [{ loggedAt: BOOT + 6_000, time, date }] }).from).toBe(
    Date.parse("2026-03-10T02:00:00Z"),
  );
});

test("a text of 6008 that does not fit between the last sign of life and the boot changes nothing", () => {
  const lastBeats = [
    { loggedAt: BOOT + 6_000, time: "14:22:10", date: "01.02.2019" },
    { loggedAt: BOOT, time: "soon", date: "?" },
  ];
  expect(inferCrash({ ...clues, lastBeats })).toEqual(inferCrash(clues));
});

test("1001 delivered hours after the boot belongs to that boot, not to an older one", () => {
  const late = { ...clues, loggedAt: BOOT + 5 * 3_600_000, boots: [BOOT - 12 * 3_600_000, BOOT] };
  expect(inferCrash(late).boot).toBe(BOOT);
});

test("without any other record the crash is looked for in the quarter of an hour before", () => {
  const alone = inferCrash({ ...clues, boots: [], aliveBefore: () => undefined });
  expect(alone).toEqual({ from: BOOT + 25_000 - 900_000, to: BOOT + 25_000, boot: BOOT + 25_000 });
});

test("zones that do not exist are not assumed, so half an hour of downtime is read as it was", () => {
  const from = (time: string): string =>
    new Date(
      inferCrash({
        ...clues,
        aliveBefore: () => undefined,
        lastBeats: [{ loggedAt: BOOT + 6_000, time, date: "2026-03-10" }],
      }).from,
    ).toISOString();
  expect([from("01:34:00"), from("02:34:00"), from("07:05:00")]).toEqual([
    "2026-03-10T01:34:00.000Z",
    "2026-03-10T01:34:00.000Z",
    "2026-03-10T01:35:00.000Z",
  ]);
});
