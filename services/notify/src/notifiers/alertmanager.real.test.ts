/** Against Debian's prometheus-alertmanager, where it is installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import { fakeServer, World } from "../test-kit.ts";
import { alertmanager } from "./alertmanager.ts";
import { Driver, freePort } from "./test-kit.ts";

const PROGRAM = "/usr/bin/prometheus-alertmanager";
const isThere = existsSync(PROGRAM);
if (!isThere) console.log(`left out: the test against a real Alertmanager (no ${PROGRAM})`);

/** Alertmanager that tells a webhook at once. */
async function realOne(receiver: string) {
  const directory = await mkdtemp(join(tmpdir(), "culprit-am-"));
  const config = join(directory, "config.yml");
  const timing = "group_by: [culprit_key], group_wait: 0s, group_interval: 1s";
  const hook = `webhook_configs: [{ url: "${receiver}", send_resolved: true }]`;
  await writeFile(config, `route: { receiver: us, ${timing} }\nreceivers: [{ name: us, ${hook} }]\n`);
  const port = await freePort();
  const args = [
    `--config.file=${config}`,
    `--storage.path=${directory}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
  ];
  const child: ChildProcess = spawn(PROGRAM, args, { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const ready = (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(ready, { timeout: 15_000 }).toBe(true);
  return {
    url,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Told {
  readonly status: string;
  readonly alerts: readonly { readonly labels: Record<string, string>; readonly annotations: Record<string, string> }[];
}

test.runIf(isThere)("a real Alertmanager takes our alert, groups it by its key, and resolves it", async () => {
  const incident = fixture("cluster-hang-9e");
  await using receiver = await fakeServer();
  await using real = await realOne(receiver.url);
  await using world = await World.open({
    targets: [{ name: "prom", kind: "alertmanager", urls: [real.url] }],
    // Its clock is the real one, so ours has to be near it.
    clock: settableClock(Date.now()),
  });
  const told = (): readonly Told[] => receiver.received.map(({ body }) => JSON.parse(body) as Told);
  await world.publish(incident);
  await expect.poll(() => told().map(({ status }) => status), { timeout: 15_000 }).toEqual(["firing"]);
  expect(told()[0]?.alerts[0]?.labels).toMatchObject({
    culprit_key: incident.id,
    alertname: incident.playbook,
    instance: "HV11",
  });
  expect(told()[0]?.alerts[0]?.annotations["cause"]).toBe("Cause: Non-paged pool exhausted on HV11 75 % likely");
  const asked = new Driver(alertmanager, { urls: [real.url] });
  expect(await asked.isOpen()).toBe(true);
  await world.publish({ ...incident, revision: 4, status: "closed" });
  await expect.poll(() => told().at(-1)?.status, { timeout: 15_000 }).toBe("resolved");
  expect(told()).toHaveLength(2);
  expect(await asked.isOpen()).toBe(false);
});
