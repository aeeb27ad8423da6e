/**
 * Gathers records that are passed over one after the other into runs: the same log, and record ids that follow on each
 * other. What is known of a run is what is known of all its records.
 */
import type { RecordSource } from "./event-export.ts";
import type { PassedOver, Shown } from "./selection.ts";

interface Run extends Shown {
  readonly source: RecordSource;
  count: number;
  firstAt: number | undefined;
  lastAt: number | undefined;
  lastRecordId: number | undefined;
}

/** Takes records as they come; tells of each run once it is over. */
export class PassedRuns {
  readonly #tell: (passed: PassedOver) => void;
  #run: Run | undefined;

  constructor(tell: (passed: PassedOver) => void) {
    this.#tell = tell;
  }

  /** One more record; `source` is asked for where it begins a run. */
  add(shown: Shown, source: () => RecordSource): void {
    const run = this.#run;
    const goesOn =
      run !== undefined &&
      run.computer === shown.computer &&
      run.channel === shown.channel &&
      (run.firstAt === undefined) === (shown.at === undefined) &&
      (run.lastRecordId === undefined ? undefined : run.lastRecordId + 1) === shown.recordId;
    if (!goesOn) {
      this.end();
      this.#run = {
        ...shown,
        source: source(),
        count: 1,
        firstAt: shown.at,
        lastAt: shown.at,
        lastRecordId: shown.recordId,
      };
      return;
    }
    run.count += 1;
    run.lastRecordId = shown.recordId;
    if (shown.at === undefined || run.firstAt === undefined || run.lastAt === undefined) return;
    if (shown.at < run.firstAt) run.firstAt = shown.at;
    if (shown.at > run.lastAt) run.lastAt = shown.at;
  }

  /** Nothing more comes for now. */
  end(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { source, count, computer, channel, firstAt, lastAt, recordId, lastRecordId } = run;
    this.#tell({
      source,
      count,
      ...(computer === undefined ? {} : { computer }),
      ...(channel === undefined ? {} : { channel }),
      ...(firstAt === undefined || lastAt === undefined ? {} : { firstAt, lastAt }),
      ...(recordId === undefined || lastRecordId === undefined ? {} : { firstRecordId: recordId, lastRecordId }),
    });
  }
}
