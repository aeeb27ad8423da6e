import { MINUTE_MS } from "@culprit/model";
import { expect, test } from "vitest";
import { fixture } from "./fixtures.ts";
import { fakeServer, World } from "./test-kit.ts";

test("a watcher elsewhere hears of us every so often, also when nothing happens and when targets are down", async () => {
  await using watcher = await fakeServer();
  await using world = await World.open({
    targets: [
      { name: "hook", kind: "webhook", url: "http://127.0.0.1:1/", fallback: "tty" },
      { name: "tty", kind: "terminal" },
    ],
    config: { heartbeat: { url: watcher.url, everyMs: 5 * MINUTE_MS } },
  });
  await expect.poll(() => watcher.received.length).toBe(1);
  await world.publish(fixture("cluster-hang-9e"));
  await world.advance(16 * MINUTE_MS);
  await expect.poll(() => watcher.received.length).toBe(4);
  await world.end();
  await world.advance(10 * MINUTE_MS);
  expect(watcher.received).toHaveLength(4);
});
