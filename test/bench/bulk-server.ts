/** The receiving side of the `bulk` bench, a process of its own: ingest with our own knowledge over a durable embedded log. */
import { setFlagsFromString } from "node:v8";
import { openEmbeddedBus } from "@culprit/bus";
import { createLogger, createMetrics, systemClock } from "@culprit/runtime";
import { KNOWLEDGE_DIR, loadKnowledge } from "../../packages/cli/src/knowledge-files.ts";
import { knowledgeSelection } from "../../packages/rules/src/index.ts";
import { IngestConfig } from "../../services/ingest/src/config.ts";
import { start } from "../../services/ingest/src/service.ts";

// As the `culprit` command runs.
setFlagsFromString("--max-semi-space-size=8");
setFlagsFromString("--semi-space-growth-factor=1");
const [, , directory = ""] = process.argv;
const bus = await openEmbeddedBus({ directory });
const ingest = await start({
  config: IngestConfig.parse({ port: 0 }),
  bus,
  selection: knowledgeSelection(await loadKnowledge(KNOWLEDGE_DIR)),
  clock: systemClock,
  logger: createLogger({ service: "ingest", level: "error" }),
  metrics: createMetrics(),
});
let residentMax = 0;
const watching = setInterval(() => {
  residentMax = Math.max(residentMax, process.memoryUsage.rss());
}, 20);
process.send?.({ port: ingest.address.port });
process.once("message", async () => {
  clearInterval(watching);
  process.send?.({ residentMax });
  await ingest.stop();
  await bus.close();
  process.disconnect();
});
