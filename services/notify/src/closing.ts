/**
 * Proof that what was closed is closed: a target that works on requests later may lose one, and a page that stays open
 * wakes people for nothing. Targets that can be asked are asked after each resolve; where the page is still open the
 * resolve is sent again, a few times, and then a person is told.
 *
 *     resolved ──a minute later──► asked ──closed──► done
 *                                    │ ──cannot tell──► asked again with the next sweep, for a day
 *                                    └─still open──► resolved again
 * Source: ECOSYSTEM 2.5 rule 5.
 */
import { DAY_MS, type Delivery, type EpochMs, MINUTE_MS } from "@culprit/model";

/** What is accepted is worked on within seconds. */
const ASK_AFTER_MS = MINUTE_MS;
/** Who cannot tell within a day will not. */
const ASK_UNTIL_MS = DAY_MS;
/** A target that has it open after so many resolves does not close it for us. */
const CLOSES_MAX = 5;

/** Whether a target should be asked now if a page of it that was closed is closed. */
export function isToBeAsked(record: Delivery, now: EpochMs): boolean {
  const { held, outcome, closing } = record;
  if (held !== "closed" || outcome?.action !== "resolve" || outcome.result !== "ok") return false;
  if (closing?.isProven === true || (closing?.stillOpen ?? 0) >= CLOSES_MAX) return false;
  const since = now - outcome.at;
  return since >= ASK_AFTER_MS && since <= ASK_UNTIL_MS;
}

/** What is known of a page after its target has answered: an open one is held again, so that it is closed again. */
export function withClosing(record: Delivery, isOpen: boolean): Delivery {
  const before = record.closing?.stillOpen ?? 0;
  const step = record.step + 1;
  if (!isOpen) return { ...record, step, closing: { isProven: true, stillOpen: before } };
  const stillOpen = before + 1;
  const held = stillOpen < CLOSES_MAX ? "open" : "closed";
  return { ...record, step, held, closing: { isProven: false, stillOpen } };
}
