import { type Action, type Incident, MINUTE_MS } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { peopleNotice } from "./people-notice.ts";
import { fakeServer, T0, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e", { children: [] });
const at = (n: number, who = "ada") => ({ id: String(n).repeat(64), incident: incident.id, at: T0 + n, who });
const says = (status: Incident["status"], ...actions: readonly Action[]) =>
  peopleNotice({ ...incident, status }, actions, "Europe/Oslo");

test("says who is on it and until when, who closed it, who opened it again, and why", () => {
  const acknowledged: Action = { kind: "acknowledge", ...at(1), until: T0 + 30 * MINUTE_MS, note: "looking" };
  expect(says("acknowledged", acknowledged)).toBe("ada is on it until 03:35:00 Oslo (looking)");
  expect(says("resolved", acknowledged, { kind: "resolve", ...at(2, "bob") })).toBe("Resolved by bob");
  expect(says("open", { kind: "reopen", ...at(3), note: "not yet" })).toBe("Reopened by ada (not yet)");
});

test("says nothing of what no longer holds: an acknowledgement that ran out, a resolve the engine came before", () => {
  expect(says("open", { kind: "acknowledge", ...at(1), until: T0 + 1 })).toBeUndefined();
  expect(says("closed", { kind: "resolve", ...at(1) })).toBeUndefined();
  expect(says("open", { kind: "note", ...at(1), note: "hm" })).toBeUndefined();
});

test("says what it was once somebody has confirmed it", () => {
  const [cause] = incident.causes;
  const confirmed: Action = { kind: "confirm-cause", ...at(2), cause: cause?.id ?? "" };
  expect(says("acknowledged", { kind: "acknowledge", ...at(1) }, confirmed)).toBe(
    `ada is on it; ada confirmed the cause: ${cause?.title}`,
  );
  expect(says("open", { kind: "confirm-cause", ...at(2), cause: "gone" })).toBeUndefined();
});

test("stands on the page that a target gets for an acknowledgement", async () => {
  await using server = await fakeServer();
  await using world = await World.open({
    targets: [{ name: "hook", kind: "webhook", url: server.url, updateEveryMs: 0 }],
  });
  await world.publish(incident);
  await world.act({ kind: "acknowledge", ...at(1) });
  expect(server.received.map(({ body }) => body.includes("ada is on it"))).toEqual([false, true]);
});
