/** `culprit preview`: the page that a target would get of an incident that already was; nothing is sent. */
import { existsSync } from "node:fs";
import { Fault } from "@culprit/model";
import { type PreviewFormat, previewPage } from "@culprit/notify";
import { systemClock } from "@culprit/runtime";
import { loadWholeConfig } from "../config.ts";
import type { ConsoleOptions } from "../console-client.ts";
import { EXIT } from "../exit-code.ts";
import { incidentOfConsole, incidentOfFile } from "../incident-source.ts";

/** The console is asked for an incident that is no file. */
export interface PreviewOptions extends ConsoleOptions {
  readonly config?: string;
  readonly target?: string;
  readonly format: PreviewFormat;
}

/**
 * Runs the command. Returns the exit code.
 * Errors: those of the config and of `incident-source.ts`; `preview.no-target`.
 */
export async function runPreview(
  fileOrId: string,
  options: PreviewOptions,
  print: (text: string) => void,
): Promise<number> {
  const config = loadWholeConfig(options.config).notify;
  const { target, format } = options;
  const names = config.targets.map(({ name }) => name);
  if (target !== undefined && !names.includes(target)) {
    const known = names.join(", ") || "none";
    throw new Fault("preview.no-target", `no target is named "${target}"; the config has ${known}`);
  }
  const isFile = existsSync(fileOrId) || !/^[0-9a-f]{4,64}$/.test(fileOrId);
  const incident = await (isFile ? incidentOfFile(fileOrId) : incidentOfConsole(fileOrId, options));
  const now = systemClock.now();
  print(previewPage(incident, { config, format, now, ...(target === undefined ? {} : { target }) }));
  return EXIT.done;
}
