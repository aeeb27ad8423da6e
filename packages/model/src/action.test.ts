import { expect, test } from "vitest";
import { type Action, standingOf } from "./action.ts";
import type { IncidentId } from "./identity.ts";

const incident = "a".repeat(64) as IncidentId;
let made = 0;

const statusAfter = (incident: { status: "open" | "acknowledged" | "closed" }, acts: readonly Action[]): string =>
  standingOf(incident, acts, 1_000).status;

function action(kind: Action["kind"], at: number): Action {
  made += 1;
  return { id: String(made).padStart(64, "0"), kind, incident, at, who: "ada" };
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
  const acknowledgement: Action = { ...action("acknowledge", 10), until: 500 };
  expect(standingOf({ status: "open" }, [acknowledgement], 499)).toEqual({
    status: "acknowledged",
    acknowledgedUntil: 500,
  });
  expect(standingOf({ status: "open" }, [acknowledgement], 500)).toEqual({ status: "open", openSince: 500 });
  const renewed: Action = { ...action("acknowledge", 20), until: 900 };
  expect(standingOf({ status: "open" }, [acknowledgement, renewed], 600).status).toBe("acknowledged");
  expect(standingOf({ status: "open" }, [acknowledgement, action("resolve", 30)], 600).status).toBe("resolved");
});
