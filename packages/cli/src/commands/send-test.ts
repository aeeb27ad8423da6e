/** `culprit send-test`: opens a page that says it is a drill at one target, and closes it again. */
import { Fault, plainLine } from "@culprit/model";
import { sendTest } from "@culprit/notify";
import { systemClock } from "@culprit/runtime";
import { loadWholeConfig } from "../config.ts";
import { EXIT } from "../exit-code.ts";

export interface SendTestOptions {
  readonly config?: string;
}

/**
 * Runs the command. Returns the exit code: 0 when the target took both messages, 2 when not.
 * Errors: those of the config; `send-test.no-target`.
 */
export async function runSendTest(
  target: string,
  options: SendTestOptions,
  print: (text: string) => void,
): Promise<number> {
  const config = loadWholeConfig(options.config).notify;
  const results = await sendTest({ config, clock: systemClock }, target);
  if (results === undefined) {
    const known = config.targets.map(({ name }) => name).join(", ") || "none";
    throw new Fault("send-test.no-target", `no target is named "${target}"; the config has ${known}`);
  }
  for (const [index, result] of results.entries()) {
    const action = index === 0 ? "trigger" : "resolve";
    const said = result.result === "ok" ? result.certainty : `${MEANING[result.result]}: ${result.detail}`;
    print(plainLine(`${action}  ${said}`));
  }
  return results.every(({ result }) => result === "ok") ? EXIT.done : EXIT.usage;
}

const MEANING = {
  later: "not taken now",
  never: "refused",
  auth: "refused until the configuration is repaired",
} as const;
