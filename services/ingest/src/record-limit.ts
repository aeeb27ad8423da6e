/** How many records one request may hold. Small records grow when they are decoded, so bytes alone are no limit. */
import { Fault } from "@culprit/model";

const CODE = "ingest.too-many-records";

/** Counts records. Errors: a `Fault` that refuses the whole request, which its sender may split. */
export class RecordLimit {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(count = 1): void {
    this.#count += count;
    if (this.#count <= this.#max) return;
    throw new Fault(CODE, `a request may hold ${this.#max} records; split it`, { fields: { most: this.#max } });
  }
}

/** Whether an error is that of a `RecordLimit`. */
export function isTooManyRecords(error: unknown): error is Fault {
  return error instanceof Fault && error.code === CODE;
}
