/**
 * Reads knowledge again while Culprit runs: when a file of one's own folder changes, and on SIGHUP. The new set is compiled
 * beside the old one; with an error in it the old one stays, and health and log say so.
 */
import { type FSWatcher, watch } from "node:fs";
import { Fault } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import { HEALTHY, type Health, type Logger, type Metrics, type Service } from "@culprit/runtime";
import type { Config } from "./config.ts";
import { configuredKnowledge } from "./service-parts.ts";

/** Editors and copies write a file in several steps; what has been quiet for so long is whole. */
const QUIET_MS = 500;

export interface ReloadOptions {
  readonly config: Pick<Config, "correlate">;
  /** What is loaded. */
  readonly loaded: Knowledge;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Takes up what was read, where it differs from what is loaded. */
  onKnowledge(knowledge: Knowledge): void;
}

/** Starts watching. Errors: those of `node:fs` for a folder that cannot be watched. */
export function reloadKnowledge(options: ReloadOptions): Service {
  const { config, logger, metrics } = options;
  const reloads = metrics.counter("knowledge_reloads_total", "Times knowledge was read again, by result.", ["result"]);
  let hash = options.loaded.program.hash;
  let problem: string | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let stopped = false;
  let work = Promise.resolve();

  const read = async (): Promise<void> => {
    if (stopped) return;
    try {
      const knowledge = await configuredKnowledge(config);
      problem = undefined;
      const isNew = knowledge.program.hash !== hash;
      hash = knowledge.program.hash;
      reloads.add(1, { result: isNew ? "loaded" : "unchanged" });
      if (!isNew) return;
      logger.info({ hash, playbooks: knowledge.program.playbooks.size }, "knowledge was read again");
      options.onKnowledge(knowledge);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      problem = `knowledge was not read again, the old one stays: ${error.message}`;
      reloads.add(1, { result: "refused" });
      logger.error({ error: error.message }, "knowledge was not read again, the old one stays");
    }
  };
  const ask = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      work = work.then(read);
    }, QUIET_MS);
  };

  const { playbooks } = config.correlate;
  const watcher: FSWatcher | undefined =
    playbooks === undefined ? undefined : watch(playbooks, { recursive: true }, ask).on("error", ask);
  process.on("SIGHUP", ask);
  return {
    ready: Promise.resolve(),
    health: (): Health => (problem === undefined ? HEALTHY : { state: "degraded", reasons: [problem] }),
    async stop() {
      stopped = true;
      clearTimeout(quiet);
      watcher?.close();
      process.off("SIGHUP", ask);
      await work;
    },
  };
}
