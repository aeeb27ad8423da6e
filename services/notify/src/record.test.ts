import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { isOvertaken, newRecord, withIntent, withOutcome } from "./record.ts";

const incident = fixture("cluster-hang-9e");
const next = { action: "trigger", reason: "first", now: 1_000 } as const;

test("an answer that comes after another owner has gone on is not the last word", () => {
  const intent = withIntent(newRecord(incident, "pager"), incident, next);
  expect(isOvertaken(intent, undefined)).toBe(false);
  expect(isOvertaken(intent, intent)).toBe(false);
  // The new owner sends under the same key, and records it.
  const theirs = withIntent(intent, incident, { ...next, now: 2_000 });
  expect(theirs.key).toBe(intent.key);
  expect(isOvertaken(intent, theirs)).toBe(true);
  expect(isOvertaken(intent, withOutcome(theirs, incident, { result: "ok", certainty: "accepted" }, 2_500))).toBe(true);
});

test("a send counts its attempts and keeps since when it is to be sent", () => {
  const first = withIntent(newRecord(incident, "pager"), incident, next);
  const failed = withOutcome(first, incident, { result: "later", detail: "busy", uncertain: false }, 1_500);
  const again = withIntent(failed, incident, { ...next, now: 9_000 });
  expect(again.intent).toMatchObject({ since: 1_000, attempts: 2 });
  expect(failed.held).toBe("none");
});

test("without an answer a page may be there all the same", () => {
  const intent = withIntent(newRecord(incident, "pager"), incident, next);
  const lost = withOutcome(intent, incident, { result: "later", detail: "cut", uncertain: true }, 1_500);
  expect(lost.held).toBe("maybe");
  const refused = withOutcome(intent, incident, { result: "never", detail: "no" }, 1_500);
  expect(refused.held).toBe("none");
});
