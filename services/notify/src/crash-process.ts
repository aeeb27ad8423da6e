/** For `crash.test.ts`: the notifier in a process of its own, so that it can be killed. */
import { openEmbeddedBus } from "@culprit/bus";
import { createMetrics, silentLogger, systemClock } from "@culprit/runtime";
import { NotifyConfig } from "./config.ts";
import { start } from "./service.ts";

const [directory = "", url = ""] = process.argv.slice(2);
const bus = await openEmbeddedBus({ directory });
const config = NotifyConfig.parse({
  allowAddresses: ["127.0.0.1"],
  targets: [{ name: "hook", kind: "webhook", url, updateEveryMs: 0 }],
});
await start({ bus, config, clock: systemClock, logger: silentLogger, metrics: createMetrics() });
process.stdout.write("started\n");
