/** What ingest counts. P2: accepted = events + dead letters + not selected + named drops, at every quiet moment. */
import type { Metrics } from "@culprit/runtime";

/** Why a record that was taken is neither an event nor a dead letter. */
type Outcome = "event" | "dead-letter" | "not-selected" | "duplicate";

export interface IntakeMetrics {
  /** Records that a sender was told are taken. */
  accepted(receiver: string, count: number): void;
  outcome(receiver: string, outcome: Outcome, count: number): void;
  refused(receiver: string, reason: string): void;
  /** Records that had come and are lost, by reason. */
  dropped(receiver: string, reason: string, count: number): void;
  /** What a sender got wrong and could be mended: broken framing, cut messages. */
  repaired(receiver: string, reason: string, count?: number): void;
  answered(receiver: string, status: number): void;
  bodyBytes(receiver: string, bytes: number): void;
  coverage(summaries: number): void;
  coverageFailed(): void;
}

/** Registers ingest's metrics. */
export function intakeMetrics(metrics: Metrics): IntakeMetrics {
  const accepted = metrics.counter("ingest_records_accepted_total", "Records that a sender was told are taken", [
    "receiver",
  ]);
  const outcomes = metrics.counter("ingest_records_outcome_total", "What became of the records that were taken", [
    "receiver",
    "outcome",
  ]);
  const refused = metrics.counter("ingest_requests_refused_total", "Requests that were refused, by reason", [
    "receiver",
    "reason",
  ]);
  const dropped = metrics.counter("ingest_records_dropped_total", "Records that had come and are lost", [
    "receiver",
    "reason",
  ]);
  const repaired = metrics.counter(
    "ingest_framing_repaired_total",
    "Broken framing that was mended, by what was wrong",
    ["receiver", "reason"],
  );
  const answered = metrics.counter("ingest_requests_answered_total", "Answers by status", ["receiver", "status"]);
  const body = metrics.counter("ingest_body_bytes_total", "Bytes of request bodies as sent", ["receiver"]);
  const coverage = metrics.counter("ingest_coverage_summaries_total", "Coverage summaries stored");
  const coverageFailed = metrics.counter("ingest_coverage_failed_total", "Attempts to store coverage that failed");
  return {
    accepted: (receiver, count) => accepted.add(count, { receiver }),
    outcome: (receiver, outcome, count) => {
      if (count > 0) outcomes.add(count, { receiver, outcome });
    },
    refused: (receiver, reason) => refused.add(1, { receiver, reason }),
    dropped: (receiver, reason, count) => dropped.add(count, { receiver, reason }),
    repaired: (receiver, reason, count = 1) => repaired.add(count, { receiver, reason }),
    answered: (receiver, status) => answered.add(1, { receiver, status: String(status) }),
    bodyBytes: (receiver, bytes) => body.add(bytes, { receiver }),
    coverage: (summaries) => coverage.add(summaries),
    coverageFailed: () => coverageFailed.add(),
  };
}
