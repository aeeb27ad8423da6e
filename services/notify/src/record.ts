/**
 * The moves of a delivery record (`Delivery` of the model): what is written before an attempt, after it, and when a wider
 * incident takes a page over. Pure: in goes a record, out comes the next version of it.
 */
import { contentId, type Delivery, type DeliveryAction, type EpochMs, type Incident, type Told } from "@culprit/model";
import type { SendResult } from "./notifier.ts";

/** A record before anything was sent. */
export function newRecord(incident: Incident, notifier: string): Delivery {
  return { incident: incident.id, notifier, step: 1, key: incident.id, held: "none", remote: {} };
}

/** What is written before an attempt: from now on the target may hold a page. */
export function withIntent(
  record: Delivery,
  incident: Incident,
  next: { readonly action: DeliveryAction; readonly reason: string; readonly now: EpochMs },
): Delivery {
  const { heldBy, closing, ...own } = record;
  const before = own.intent?.action === next.action ? own.intent : undefined;
  return {
    ...own,
    // The page it had belongs to the wider incident now, so a page of its own needs a key of its own.
    ...(heldBy === undefined ? {} : { key: contentId("detached", record.key, incident.id), remote: {} }),
    // A page that is opened anew is closed anew.
    ...(closing === undefined || next.action === "trigger" ? {} : { closing }),
    step: record.step + 1,
    held: next.action === "trigger" ? "maybe" : record.held,
    intent: {
      action: next.action,
      reason: next.reason,
      revision: incident.revision,
      since: before?.since ?? next.now,
      attempts: (before?.attempts ?? 0) + 1,
    },
  };
}

/** What is written after an attempt. */
export function withOutcome(record: Delivery, incident: Incident, result: SendResult, now: EpochMs): Delivery {
  const action = record.intent?.action ?? "trigger";
  const next: Delivery = {
    ...record,
    step: record.step + 1,
    outcome: {
      action,
      revision: incident.revision,
      at: now,
      result: result.result,
      ...(result.result === "ok" ? { certainty: result.certainty } : {}),
      detail: result.result === "ok" ? "" : result.detail,
    },
  };
  if (result.result === "ok") {
    const { intent: _, ...settled } = next;
    const held = action === "resolve" ? "closed" : "open";
    const openedAt = action === "trigger" ? { openedAt: now } : {};
    return {
      ...settled,
      held,
      ...openedAt,
      told: toldOf(incident, now),
      remote: { ...record.remote, ...result.remote },
    };
  }
  // A refusal is an answer: nothing is held. Without an answer it may be there all the same.
  const refused = result.result === "never" || result.result === "auth" || !result.uncertain;
  return action === "trigger" && refused ? { ...next, held: record.told === undefined ? "none" : "closed" } : next;
}

/**
 * Whether another process has gone on with the page since we wrote what we meant to send: our answer came late, after the
 * partition had moved, and what stands there is newer. Written now it would be the last word on a compacted topic.
 */
export function isOvertaken(intent: Delivery, latest: Delivery | undefined): boolean {
  return latest !== undefined && latest.step > intent.step;
}

function toldOf(incident: Incident, now: EpochMs): Told {
  const { id, revision, status, severity, verdict } = incident;
  return { incident: id, revision, status, severity, verdict, topCause: incident.causes[0]?.id ?? "", at: now };
}

/**
 * Hands the page of a child to the incident that now explains it: same key, same remote ids, so that the page on people's
 * phones changes its text instead of getting a twin.
 *
 * Shape: the parent's record and the child's, to be stored together; `undefined` when the child holds no page.
 */
export function adopt(
  parent: Delivery,
  child: Delivery,
): { readonly parent: Delivery; readonly child: Delivery } | undefined {
  if ((child.held !== "open" && child.held !== "maybe") || child.heldBy !== undefined) return undefined;
  const { told, intent, openedAt, outcome: _, ...kept } = child;
  return {
    parent: {
      ...parent,
      step: parent.step + 1,
      key: child.key,
      held: child.held,
      remote: child.remote,
      ...(told === undefined ? {} : { told }),
      ...(openedAt === undefined ? {} : { openedAt }),
      ...(intent === undefined ? {} : { intent: { ...intent, action: "trigger" } }),
    },
    child: { ...kept, step: child.step + 1, held: "none", heldBy: parent.incident },
  };
}

/** Which child's page to take over: the one that has been on people's phones longest. */
export function oldestPage(children: readonly Delivery[]): Delivery | undefined {
  const held = children.filter(
    (child) => (child.held === "open" || child.held === "maybe") && child.heldBy === undefined,
  );
  return held.toSorted((a, b) => sinceOf(a) - sinceOf(b) || (a.incident < b.incident ? -1 : 1))[0];
}

function sinceOf(record: Delivery): EpochMs {
  return record.told?.at ?? record.intent?.since ?? 0;
}
