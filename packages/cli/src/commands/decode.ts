/** `culprit decode`: any input format to normalised events, or how many of which. */
import { exportEvent } from "@culprit/formats";
import { decodeInput, failureLine } from "../decode-input.ts";
import { EXIT } from "../exit-code.ts";
import { inputFiles } from "../input-files.ts";

export interface DecodeOptions {
  readonly count?: boolean;
  readonly timezone: string;
}

/** Runs the command. Returns the exit code. */
export async function runDecode(
  paths: readonly string[],
  options: DecodeOptions,
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  let failures = 0;
  let total = 0;
  const counts = new Map<string, number>();
  const onFailure: Parameters<typeof decodeInput>[1]["onFailure"] = (failure) => {
    failures += 1;
    warn(failureLine(failure));
  };
  for await (const { event, source } of decodeInput(await inputFiles(paths), {
    zone: options.timezone,
    now: Date.now(),
    onFailure,
  })) {
    total += 1;
    if (options.count === true) {
      const kind = `${event.provider}/${event.eventId}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    } else print(JSON.stringify(exportEvent(event, source)));
  }
  if (options.count === true) {
    for (const [kind, count] of [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
      print(`${String(count).padStart(9)}  ${kind}`);
    print(`${String(total).padStart(9)}  total`);
  }
  return failures > 0 ? EXIT.unreadable : EXIT.done;
}
