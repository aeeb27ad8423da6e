import { expect, test } from "vitest";
import { Action, confirmedCause, standingOf, unlinkedEvents } from "./action.ts";
import type { EventId, IncidentId } from "./identity.ts";

const incident = "a".repeat(64) as IncidentId;
let made = 0;

const statusAfter = (incident: { status: "open" | "acknowledged" | "closed" }, acts: readonly Action[]): string =>
  standingOf(incident, acts, 1_000).status;

const event = "e".repeat(64) as EventId;

function act(at: number) {
  made += 1;
  return { id: String(made).padStart(64, "0"), incident, at, who: "ada" };
}
function action(kind: "acknowledge" | "resolve" | "reopen" | "note", at: number): Action {
  return { kind, ...act(at) };
}

test("actions take effect in the order in which people did them, not in which they arrived", () => {
  const acts = [action("reopen", 30), action("acknowledge", 10), action("resolve", 20)];
  expect(statusAfter({ status: "open" }, acts)).toBe("open");
  expect(statusAfter({ status: "open" }, acts.slice(1))).toBe("resolved");
});

test("an acknowledgement after a resolve does not open it again", () => {
  expect(statusAfter({ status: "open" }, [action("resolve", 1), action("acknowledge", 2)])).toBe("resolved");
});

test("what the engine has ended stays ended", () => {
  expect(statusAfter({ status: "closed" }, [action("reopen", 1)])).toBe("closed");
});

test("a note changes nothing", () => {
  expect(statusAfter({ status: "acknowledged" }, [action("note", 1)])).toBe("acknowledged");
});

test("an acknowledgement that has run out leaves the incident open since then", () => {
  const acknowledgement: Action = { kind: "acknowledge", ...act(10), until: 500 };
  expect(standingOf({ status: "open" }, [acknowledgement], 499)).toEqual({
    status: "acknowledged",
    acknowledgedUntil: 500,
  });
  expect(standingOf({ status: "open" }, [acknowledgement], 500)).toEqual({ status: "open", openSince: 500 });
  const renewed: Action = { kind: "acknowledge", ...act(20), until: 900 };
  expect(standingOf({ status: "open" }, [acknowledgement, renewed], 600).status).toBe("acknowledged");
  expect(standingOf({ status: "open" }, [acknowledgement, action("resolve", 30)], 600).status).toBe("resolved");
});

test("the cause that was confirmed last counts, and can be taken back", () => {
  const first: Action = { kind: "confirm-cause", ...act(10), cause: "storage" };
  const second: Action = { kind: "confirm-cause", ...act(20), cause: "pool" };
  expect(confirmedCause([second, first])).toEqual({ cause: "pool", who: "ada", at: 20 });
  expect(confirmedCause([second, first, { kind: "confirm-cause", ...act(30), cause: "unknown" }])).toBeUndefined();
  expect(confirmedCause([action("note", 1)])).toBeUndefined();
});

test("an event that was taken out can be put back, in whatever order the actions arrive", () => {
  const out: Action = { kind: "unlink", ...act(10), event };
  const back: Action = { kind: "relink", ...act(20), event };
  expect([...unlinkedEvents([out])]).toEqual([event]);
  expect([...unlinkedEvents([back, out])]).toEqual([]);
});

test("an action of an earlier version, without its origin, can still be read", () => {
  expect(Action.safeParse({ kind: "note", ...act(1), note: "seen" }).success).toBe(true);
  expect(Action.safeParse({ kind: "unlink", ...act(1) }).success).toBe(false);
});
