/**
 * The topics between the stages: what each is called and how long it is kept. Keys and values are in ARCHITECTURE, the
 * partition count belongs to the engine that carries them.
 */
import { DAY_MS } from "./instant.ts";

/** By time: whole batches go once they are older. By key: the newest value of each key stays, a null value removes it. */
export type Retention = { readonly kind: "time"; readonly retentionMs: number } | { readonly kind: "compacted" };

export interface TopicSpec {
  readonly name: string;
  readonly retention: Retention;
}

const COMPACTED: Retention = { kind: "compacted" };

export const TOPICS = {
  events: { name: "events", retention: { kind: "time", retentionMs: 3 * DAY_MS } },
  signals: { name: "signals", retention: { kind: "time", retentionMs: 7 * DAY_MS } },
  topology: { name: "topology", retention: COMPACTED },
  state: { name: "state", retention: COMPACTED },
  incidents: { name: "incidents", retention: COMPACTED },
  deliveries: { name: "deliveries", retention: COMPACTED },
  actions: { name: "actions", retention: COMPACTED },
  sources: { name: "sources", retention: COMPACTED },
  "dead-letters": { name: "dead-letters", retention: { kind: "time", retentionMs: 28 * DAY_MS } },
} as const satisfies Readonly<Record<string, TopicSpec>>;

export type TopicName = keyof typeof TOPICS;

/** Every topic, in the order in which data flows. */
export const ALL_TOPICS: readonly TopicSpec[] = Object.values(TOPICS);
