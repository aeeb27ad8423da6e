/** A compacted topic as a table in memory, with its change feed. */
import type { Bus, Message } from "./bus.ts";

export interface Table<T> {
  get(key: string): T | undefined;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
  /** Calls the listener after each change, with `undefined` for a removed key; the answer ends it. */
  onChange(listener: (key: string, value: T | undefined) => void): () => void;
  /** Settles when the table no longer follows its topic: after `close`, or with what broke it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads a compacted topic and goes on following it; resolves once the table holds everything that was there at the start.
 * `read` parses a value; a message it answers `undefined` for is treated like a removed key.
 */
export async function openTable<T>(
  bus: Bus,
  topic: string,
  read: (message: Message) => T | undefined,
): Promise<Table<T>> {
  const held = new Map<string, T>();
  const listeners = new Set<(key: string, value: T | undefined) => void>();
  const follower = await bus.follow({
    topic,
    handle({ messages }) {
      for (const message of messages) {
        const value = message.value === null ? undefined : read(message);
        if (value === undefined) held.delete(message.key);
        else held.set(message.key, value);
        for (const listener of listeners) listener(message.key, value);
      }
    },
  });
  await follower.caughtUp;
  return {
    get: (key) => held.get(key),
    entries: () => held.entries(),
    get size() {
      return held.size;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ended: follower.ended,
    close: () => follower.close(),
  };
}
