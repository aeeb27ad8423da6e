/** The topics of the copying workers: numbers in, numbers out. */
import type { TopicSpec } from "@culprit/model";

const KEPT = { kind: "time", retentionMs: 86_400_000 } as const;

export const COPY_TOPICS: readonly TopicSpec[] = [
  { name: "in", retention: KEPT },
  { name: "out", retention: KEPT },
  // State that is found damaged is told here.
  { name: "dead-letters", retention: KEPT },
];

export const copyPartitions = (topic: string): number => (topic === "in" || topic === "state" ? 4 : 1);
