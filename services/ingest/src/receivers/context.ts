/** What a receiver needs of the service. */
import type { Intake } from "../intake.ts";

export interface ReceiverContext {
  readonly intake: Intake;
  /** Whether records can be stored now. */
  isHealthy(): boolean;
}
