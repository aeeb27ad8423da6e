import { expect, test } from "vitest";
import { type Action, statusAfter } from "./action.ts";
import type { IncidentId } from "./identity.ts";

const incident = "a".repeat(64) as IncidentId;
let made = 0;

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
