/** What a receiver needs of the service. */
import type { Budget } from "../budget.ts";
import type { Intake } from "../intake.ts";
import type { UnpackLimits } from "../unpack.ts";

export interface ReceiverContext {
  readonly intake: Intake;
  /** Records that one request may hold. */
  readonly recordsMax: number;
  readonly recordMaxBytes: number;
  /** For what is packed inside a body. */
  readonly budget: Budget;
  readonly limits: UnpackLimits;
  /** Whether records can be stored now. */
  isHealthy(): boolean;
}
