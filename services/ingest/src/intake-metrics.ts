/** What ingest counts. P2: accepted = events + dead letters + not selected + named drops, at every quiet moment. */
import type { Metrics } from "@culprit/runtime";

/** Why a record that was taken is neither an event nor a dead letter. */
type Outcome = "event" | "dead-letter" | "not-selected" | "duplicate";

export interface IntakeMetrics {
  /** Records that a sender was told are taken. */
  accepted(receiver: string, count: number): void;
  outcome(receiver: string, outcome: Outcome, count: number): void;
  refused(receiver: string, reason: string): void;
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
    answered: (receiver, status) => answered.add(1, { receiver, status: String(status) }),
    bodyBytes: (receiver, bytes) => body.add(bytes, { receiver }),
    coverage: (summaries) => coverage.add(summaries),
    coverageFailed: () => coverageFailed.add(),
  };
}
