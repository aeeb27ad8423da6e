/**
 * The dead man's switch: a request to a watcher elsewhere every so often, for as long as the notifier runs: it ends
 * when it cannot do its work. The watcher pages when the beats stop, which nobody inside could.
 */
import { type Clock, repeat } from "@culprit/runtime";
import { type HttpPost, resultOf, resultOfFault } from "./http.ts";

const TIMEOUT_MS = 15_000;

export interface HeartbeatOptions {
  readonly url: string;
  readonly everyMs: number;
  readonly post: HttpPost;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each beat. */
  readonly onBeat: (result: string) => void;
}

/** Beats at once and then every `everyMs`, until the signal is aborted. A beat that fails is not repeated: the next comes. */
export async function keepBeating(options: HeartbeatOptions): Promise<void> {
  const { url, everyMs, post, clock, signal, onBeat } = options;
  const beat = async (): Promise<void> => {
    const answered = post({ url, body: "" }, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    const result = await answered.then((answer) => resultOf(answer, clock.now(), "delivered"), resultOfFault);
    onBeat(result.result);
  };
  await beat();
  await repeat({ clock, everyMs, signal, work: beat });
}
