/**
 * Runs a service until it is told to stop or cannot go on, and turns the way it ended into an exit code.
 *
 * States: running; draining, after the first signal or a failure, for at most `drainMs`; gone. A second signal goes from
 * draining to gone at once. A failure is logged once, and the exit code is not zero even if draining succeeds.
 */
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Service } from "./service.ts";

export const DRAIN_MS = 25_000;
export const EXIT_OK = 0;
export const EXIT_FAILED = 70;
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;
const SIGNAL_EXIT_BASE = 128;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 };

/** What of the process is listened to; the process itself, or a test's own emitter. */
export interface ProcessEvents {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
}

export interface RunOptions {
  readonly start: () => Promise<Service>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly drainMs?: number;
  readonly events: ProcessEvents;
}

type Ending =
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "failure"; readonly error: unknown };

/**
 * Starts the service and answers with the exit code once it has ended. The caller exits: what still holds the event loop
 * after `drainMs` must not keep the process alive.
 */
export async function runService({ start, logger, clock, events, drainMs = DRAIN_MS }: RunOptions): Promise<number> {
  const first = Promise.withResolvers<Ending>();
  const second = Promise.withResolvers<number>();
  let draining = false;
  const onSignal = (name: string) => (): void => {
    if (draining) second.resolve(SIGNAL_EXIT_BASE + (SIGNAL_NUMBERS[name] ?? 0));
    draining = true;
    first.resolve({ kind: "signal", name });
  };
  const onError = (error: unknown): void => {
    draining = true;
    first.resolve({ kind: "failure", error });
  };
  const listeners: readonly (readonly [string, (value: unknown) => void])[] = [
    ...STOP_SIGNALS.map((name) => [name, onSignal(name)] as const),
    ["unhandledRejection", onError],
    ["uncaughtException", onError],
  ];
  for (const [event, listener] of listeners) events.on(event, listener);
  try {
    return await run();
  } finally {
    for (const [event, listener] of listeners) events.off(event, listener);
  }

  async function run(): Promise<number> {
    let service: Service | number;
    try {
      service = await Promise.race([start(), second.promise]);
    } catch (error) {
      logger.error({ error }, "could not start");
      return EXIT_FAILED;
    }
    if (typeof service === "number") return service;
    service.failed?.then(onError);
    service.ready.catch(onError);
    const ending = await first.promise;
    if (ending.kind === "failure") logger.error({ error: ending.error }, "stopping after a failure");
    else logger.info({ signal: ending.name, drainMs }, "stopping");
    const good = ending.kind === "signal" ? EXIT_OK : EXIT_FAILED;
    const over = new AbortController();
    const code = await Promise.race([drained(service, good), second.promise, late(over.signal)]);
    over.abort();
    return code;
  }

  async function drained(service: Service, good: number): Promise<number> {
    try {
      await service.stop();
      logger.info({}, "stopped");
      return good;
    } catch (error) {
      logger.error({ error }, "did not stop cleanly");
      return EXIT_FAILED;
    }
  }

  async function late(over: AbortSignal): Promise<number> {
    if (await clock.sleep(drainMs, over)) logger.error({ drainMs }, "draining took too long");
    return EXIT_FAILED;
  }
}
