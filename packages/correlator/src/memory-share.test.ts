import { namedData } from "@culprit/model";
import { expect, test } from "vitest";
import { memoryShares } from "./memory-share.ts";

test("shares of the commit limit are whole per cent, whichever names the sender uses", () => {
  const data = namedData([
    ["SystemCommitLimit", "34359738368"],
    ["PhysicalMemorySize", "17179869184"],
    ["NonPagedPoolUsage", "6871947674"],
    ["ProcessCommit_1", "1717986918"],
  ]);
  expect(Object.fromEntries(memoryShares(data))).toEqual({
    "Decoded.MemoryShare": "50",
    "Decoded.PoolShare": "20",
    "Decoded.ProcessShare": "5",
  });
});

test("numbers that are missing, unreadable or zero give no share", () => {
  expect(memoryShares(namedData([["Process_1_CommitCharge", "1"]])).size).toBe(0);
  expect(
    memoryShares(
      namedData([
        ["SystemCommitLimit", "0"],
        ["NonPagedPoolUsage", "1"],
      ]),
    ).size,
  ).toBe(0);
  expect(
    memoryShares(
      namedData([
        ["SystemCommitLimit", "100"],
        ["NonPagedPoolUsage", "1 GB"],
      ]),
    ).size,
  ).toBe(0);
});
