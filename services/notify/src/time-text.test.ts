import { describe, expect, test } from "vitest";
import { instantText, localClocks } from "./time-text.ts";

describe("an instant", () => {
  test.each([
    ["UTC", "17 Mar 2026 23:30:00 UTC"],
    ["Europe/Oslo", "18 Mar 2026 00:30:00 Oslo (17 Mar 23:30 UTC)"],
    ["Asia/Kolkata", "18 Mar 2026 05:00:00 Kolkata (17 Mar 23:30 UTC)"],
    ["America/New_York", "17 Mar 2026 19:30:00 New York (23:30 UTC)"],
  ])("stands in %s first, with UTC and its day where that is another", (zone, text) => {
    expect(instantText("2026-03-17T23:30:00.000Z", zone)).toBe(text);
  });
});

describe("times of day in a text", () => {
  const near = "2026-03-29T00:30:00.000Z";

  test("come to stand in the zone, UTC beside them", () => {
    const text = "System log of A is not known to be complete for 00:10:00 UTC to 00:40:10 UTC";
    expect(localClocks(text, "Europe/Oslo", near)).toBe(
      "System log of A is not known to be complete for 01:10:00 Oslo (00:10 UTC) to 01:40:10 Oslo (00:40 UTC)",
    );
    expect(localClocks(text, "UTC", near)).toBe(text);
  });

  test("are those nearest to the incident, across midnight and a change of the clocks", () => {
    expect(localClocks("silent since 23:50:00 UTC", "Europe/Oslo", near)).toContain("00:50:00 Oslo (23:50 UTC)");
    expect(localClocks("silent since 01:10:00 UTC", "Europe/Oslo", near)).toContain("03:10:00 Oslo (01:10 UTC)");
  });

  test("that are none stay as they are", () => {
    for (const text of ["at 99:99:99 UTC", "12:00 UTC", "12:00:00 CET"]) {
      expect(localClocks(text, "Europe/Oslo", near)).toBe(text);
    }
  });
});
