import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTime } from "./instant-text.ts";

const utc = { zone: "utc", receivedAt: Date.UTC(2024, 2, 1, 12) };
const berlin = { zone: "Europe/Berlin", receivedAt: Date.UTC(2024, 2, 1, 12) };
const iso = (text: string | number, context = utc): string | undefined => {
  const reading = readTime(text, context);
  return reading && new Date(reading.at).toISOString();
};

describe("ISO stamps", () => {
  test("seven and nine fraction digits keep the stamp as written beside the milliseconds", () => {
    expect(readTime("2013-06-13T00:26:20.184797500Z", utc)).toEqual({
      at: Date.UTC(2013, 5, 13, 0, 26, 20, 184),
      quality: "event",
      text: "2013-06-13T00:26:20.184797500Z",
      marks: [],
    });
    expect(readTime("2024-03-01T10:00:00.1234567Z", utc)?.text).toBe("2024-03-01T10:00:00.1234567Z");
  });
  test("milliseconds padded to seven digits say nothing more than milliseconds", () => {
    expect(readTime("2024-03-01T10:00:00.1230000Z", utc)?.text).toBeUndefined();
  });
  test("FILETIME zero is read as 1601", () => {
    expect(iso("1601-01-01T00:00:00Z")).toBe("1601-01-01T00:00:00.000Z");
  });
  test("offsets are read with and without a colon", () => {
    expect(iso("2024-02-07T15:24:54.862+0500")).toBe("2024-02-07T10:24:54.862Z");
    expect(iso("2021-03-31T12:03:33.169332+03:00")).toBe("2021-03-31T09:03:33.169Z");
    expect(iso("2024-03-01 11:00:00 +0100")).toBe("2024-03-01T10:00:00.000Z");
  });
  test("a leap second is clamped into its minute", () => {
    expect(readTime("2016-12-31T23:59:60Z", utc)).toMatchObject({
      at: Date.UTC(2016, 11, 31, 23, 59, 59, 999),
      quality: "clamped",
    });
  });
  test("a stamp without a zone is read in the assumed one", () => {
    expect(readTime("2024-07-01 11:00:00", berlin)).toMatchObject({
      at: Date.UTC(2024, 6, 1, 9),
      quality: "assumed-zone",
    });
  });
  test("F34 the hour lived twice gives the earlier instant and says so", () => {
    expect(readTime("2023-10-29 02:30:00", berlin)).toMatchObject({
      at: Date.UTC(2023, 9, 29, 0, 30),
      quality: "ambiguous-zone",
    });
  });
  test.each(["2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T25:00:00Z", "yesterday", "", "<date>"])(
    "%s is not a time",
    (text) => expect(readTime(text, utc)).toBeUndefined(),
  );
});

describe("stamps of exports and agents", () => {
  test.each([
    ["10/31/2023 8:50:51 PM", "2023-10-31T20:50:51.000Z"],
    ["10/19/2010 6:17:16 AM", "2010-10-19T06:17:16.000Z"],
    ["27.10.2021 12:28:26", "2021-10-27T12:28:26.000Z"],
    ["31/10/2023 20:50:51", "2023-10-31T20:50:51.000Z"],
    ["2017/11/18 15:35:24", "2017-11-18T15:35:24.000Z"],
    ["2024. 03. 01. 11:00:00", "2024-03-01T11:00:00.000Z"],
    ["2024-3-1 10:00:00", "2024-03-01T10:00:00.000Z"],
    ["3/1/2024, 10:00:00.123 AM", "2024-03-01T10:00:00.123Z"],
    ["4/2/1999 7:39:58 PM", "1999-04-02T19:39:58.000Z"],
    ["4/2/99 12:39:58 AM", "1999-04-02T00:39:58.000Z"],
    ["Fri Mar 01 10:00:00 2024", "2024-03-01T10:00:00.000Z"],
    ["Mon Feb 11 14:25:12 2013", "2013-02-11T14:25:12.000Z"],
    ["2016 Sep 27 10:48:30", "2016-09-27T10:48:30.000Z"],
    ["2024-Mar-01 10:00:00", "2024-03-01T10:00:00.000Z"],
    ["Mar 01 2024 10:00:00", "2024-03-01T10:00:00.000Z"],
    ["2024/3/1 下午 3:00:01", "2024-03-01T15:00:01.000Z"],
    ["1/3/2024 3:00:01 p. m.", "2024-01-03T15:00:01.000Z"],
    ["20240301100000.000000-000", "2024-03-01T10:00:00.000Z"],
    ["20240301110000.000000+060", "2024-03-01T10:00:00.000Z"],
    ["/Date(1709287200123)/", "2024-03-01T10:00:00.123Z"],
    ["1709287200.123", "2024-03-01T10:00:00.123Z"],
    ["1709287200123", "2024-03-01T10:00:00.123Z"],
    ["1709287200123456", "2024-03-01T10:00:00.123Z"],
    ["1709287200123456700", "2024-03-01T10:00:00.123Z"],
  ])("%s", (text, expected) => expect(iso(text)).toBe(expected));
  test("left-to-right marks of 6008 are stripped before reading", () => {
    expect(iso("\u200e4\u200e/\u200e6\u200e/\u200e2012 3:00:00 PM")).toBe("2012-04-06T15:00:00.000Z");
  });
  test("a stamp without a year is not put into the future", () => {
    expect(readTime("Mar  1 10:00:00", utc)).toMatchObject({ at: Date.UTC(2024, 2, 1, 10), marks: ["assumed-year"] });
    expect(iso("Dec 31 23:59:59")).toBe("2023-12-31T23:59:59.000Z");
  });
  test("day and month that could be swapped are marked", () => {
    expect(readTime("07/10/2016 18:38:24", utc)?.marks).toEqual(["ambiguous-date"]);
  });
});

test("any text is a time or undefined, never a throw or NaN", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789-:/. TZPMAam+") })), (text) => {
      const reading = readTime(text, berlin);
      expect(reading === undefined || Number.isInteger(reading.at)).toBe(true);
    }),
  );
});
