/** The bytes of a connection in order, with the moments at which it is quiet. */
import type { Socket } from "node:net";
import type { Clock } from "@culprit/runtime";

/** While the service stops, a connection that is quiet for so long has sent what it was sending. */
const LAST_LULL_MS = 100;
/** And one that never is quiet is not waited for any longer. */
const LAST_READ_MS = 2_000;

export interface ChunksOptions {
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** How long a quiet is worth telling of; `undefined` while it is not. */
  lullMs(): number | undefined;
}

/**
 * Chunks as they come, `lull` where the connection was quiet for `lullMs`. Nothing is read while the caller works, so a slow
 * log holds the sender back. Ends with the connection, however that ends, or soon after the service begins to stop.
 */
export async function* chunksOf(
  socket: Socket,
  options: ChunksOptions,
): AsyncGenerator<Uint8Array | "lull", void, void> {
  const { clock, stopping } = options;
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  const read = (): Promise<IteratorResult<Uint8Array>> =>
    // A connection that breaks has ended: what came before counts.
    chunks.next().catch(() => ({ done: true, value: undefined }));
  const stop = Promise.withResolvers<"stop">();
  const onStop = (): void => stop.resolve("stop");
  stopping.addEventListener("abort", onStop, { once: true });
  if (stopping.aborted) onStop();
  let until = Number.POSITIVE_INFINITY;
  try {
    let next = read();
    for (;;) {
      const isLast = until !== Number.POSITIVE_INFINITY;
      const lullMs = isLast ? LAST_LULL_MS : options.lullMs();
      const got = await within(next, { clock, lullMs, stop: isLast ? undefined : stop.promise });
      if (got === "stop") {
        until = clock.elapsed() + LAST_READ_MS;
      } else if (got === "lull") {
        if (isLast) return;
        yield "lull";
      } else {
        if (got.done === true) return;
        yield got.value;
        if (clock.elapsed() > until) return;
        next = read();
      }
    }
  } finally {
    stopping.removeEventListener("abort", onStop);
  }
}

async function within<T>(
  next: Promise<T>,
  { clock, lullMs, stop }: { clock: Clock; lullMs: number | undefined; stop: Promise<"stop"> | undefined },
): Promise<T | "lull" | "stop"> {
  const rivals: Promise<T | "lull" | "stop">[] = [next];
  if (stop !== undefined) rivals.push(stop);
  if (lullMs === undefined) return Promise.race(rivals);
  const over = new AbortController();
  const quiet = clock.sleep(lullMs, over.signal).then(() => "lull" as const);
  const first = await Promise.race([...rivals, quiet]);
  over.abort();
  return first;
}
