/** What a receiver needs of the service. */
import type { Intake } from "../intake.ts";

export interface ReceiverContext {
  readonly intake: Intake;
  /** Records that one request may hold. */
  readonly recordsMax: number;
  readonly recordMaxBytes: number;
  /** Whether records can be stored now. */
  isHealthy(): boolean;
}
