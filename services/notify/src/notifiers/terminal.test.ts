import { expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import { World } from "../test-kit.ts";

test("prints the page, and says above it what is new", async () => {
  const incident = fixture("cluster-hang-9e");
  await using world = await World.open({ targets: [{ name: "tty", kind: "terminal", width: 90 }] });
  await world.publish(incident);
  await world.publish({ ...incident, revision: 4, status: "closed", endedAt: "2026-03-17T02:20:00.000Z" });
  expect(world.written).toHaveLength(2);
  expect(world.written[0]).toMatch(/^\n── trigger ─+\nCRITICAL {2}HV11 crashed and restarted/);
  expect(world.written[1]).toMatch(/^\n── resolve · ended ─+\nRESOLVED {2}HV11/);
  for (const line of world.written[0]?.split("\n").slice(0, 3) ?? []) expect(line.length).toBeLessThanOrEqual(90);
});
