/**
 * The log of the simulation, as a disk holds it: operations in the order in which they were written, of which a first part
 * is synced. Losing the power takes back the rest.
 */
import type { Message } from "@culprit/bus";
import { type EpochMs, TOPICS } from "@culprit/model";

const PARTITIONS: Readonly<Record<string, number>> = {
  [TOPICS.events.name]: 3,
  [TOPICS.signals.name]: 2,
  [TOPICS.incidents.name]: 2,
};

export interface Written {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  /** As JSON: readers share nothing with writers. */
  readonly value: string;
  readonly at: EpochMs;
}

/** What a group has of a partition. */
export interface Kept {
  position: number;
  readonly state: Map<string, string>;
}

export interface Operation {
  readonly outputs: readonly Written[];
  readonly kept?: {
    readonly name: string;
    readonly position: number;
    readonly changes: readonly { readonly key: string; readonly value: string | undefined }[];
  };
}

export class SimLog {
  readonly #topics = new Map<string, Message[][]>();
  readonly #kept = new Map<string, Kept>();
  /** How to take back what was written since the last sync, in order. */
  #undo: (() => void)[] = [];

  partitionsOf(topic: string): number {
    return PARTITIONS[topic] ?? 1;
  }

  messages(topic: string, partition: number): readonly Message[] {
    return this.#messages(topic)[partition] ?? [];
  }

  kept(name: string): Kept {
    const known = this.#kept.get(name) ?? { position: 0, state: new Map() };
    this.#kept.set(name, known);
    return known;
  }

  write({ outputs, kept }: Operation): void {
    for (const { topic, partition, key, value, at } of outputs) {
      const messages = this.#messages(topic)[partition] as Message[];
      messages.push({ topic, partition, offset: messages.length, key, value: JSON.parse(value), at, headers: {} });
      this.#undo.push(() => messages.pop());
    }
    if (kept === undefined) return;
    const held = this.kept(kept.name);
    const { position } = held;
    held.position = kept.position;
    this.#undo.push(() => {
      held.position = position;
    });
    for (const { key, value } of kept.changes) {
      const before = held.state.get(key);
      this.#undo.push(() => put(held.state, key, before));
      put(held.state, key, value);
    }
  }

  sync(): void {
    this.#undo = [];
  }

  /** What was not synced is gone. */
  losePower(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  #messages(topic: string): Message[][] {
    const known = this.#topics.get(topic) ?? Array.from({ length: this.partitionsOf(topic) }, () => []);
    this.#topics.set(topic, known);
    return known;
  }
}

function put(state: Map<string, string>, key: string, value: string | undefined): void {
  if (value === undefined) state.delete(key);
  else state.set(key, value);
}
