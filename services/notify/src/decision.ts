/**
 * Whether a notifier hears of an incident now, and why: a pure function of what it was told last and what is so.
 *
 *     nothing held  ──trigger──►  perhaps held  ──accepted──►  open  ──resolve──►  closed ──returned: trigger──► …
 *
 * The comparison is with the state, not with the revisions between: a target that was down for hours gets one trigger
 * with the latest text, and then the resolve. What is open there is always closed, whatever mutes, routes or severities
 * say by then; a lone "resolved" is never sent.
 * Source: ECOSYSTEM 1.2 (the table of Alertmanager's deduplication stage), 2.5.
 */
import { compareSeverity, type Delivery, type EpochMs, type Incident } from "@culprit/model";
import { isOver } from "./page-content.ts";

const SEND_REASONS = [
  "first",
  "returned",
  "left-parent",
  "ended",
  "merged-into-parent",
  "takes-over-child",
  "top-cause-changed",
  "severity-changed",
  "verdict-changed",
  "acknowledged",
  "reopened",
  "repeat",
] as const;
type SendReason = (typeof SEND_REASONS)[number];

const QUIET_REASONS = [
  "nothing-open",
  "severity-info",
  "explained-by-parent",
  "taken-over",
  "not-routed",
  "silenced",
  "grouping",
  "unchanged",
  "too-soon",
  "refused",
] as const;
type QuietReason = (typeof QUIET_REASONS)[number];

export type Decision =
  | { readonly act: "trigger" | "update" | "resolve"; readonly reason: SendReason }
  /** `until`: when to look again although nothing new has come. */
  | { readonly act: "none"; readonly reason: QuietReason; readonly until?: EpochMs };

export interface Situation {
  /** With the actions of people applied to its status. */
  readonly incident: Incident;
  readonly record: Delivery | undefined;
  /** What this notifier was told of the incident that explains this one. */
  readonly parentRecord: Delivery | undefined;
  /** Whether routes and severity let it through to this notifier. */
  readonly wanted: boolean;
  /** Whether a silence covers it: nothing new is told, what people do and the end are. */
  readonly silenced?: boolean;
  /** When routes, silences or an acknowledgement may change by themselves. */
  readonly changesAt?: EpochMs;
  readonly now: EpochMs;
  /** An open page is not edited more often than this, unless its severity rises or it ends. */
  readonly updateEveryMs: number;
  /** So long after it was found an incident waits for a wider one that explains it; not at all unless given. */
  readonly groupWaitMs?: number;
  /** After this an open page that nobody has acknowledged is told again; never unless given. */
  readonly repeatMs?: number;
  /** After this an open page is told again whatever its state, for targets that forget; never unless given. */
  readonly keepAliveMs?: number;
}

/** Reasons that time alone may take away. */
const PASSING: ReadonlySet<string> = new Set<QuietReason>([
  "not-routed",
  "silenced",
  "grouping",
  "unchanged",
  "too-soon",
]);

/** Decides what to tell a notifier now. */
export function decide(situation: Situation): Decision {
  const decision = decideNow(situation);
  const { changesAt, incident } = situation;
  if (decision.act !== "none" || changesAt === undefined || isOver(incident) || !PASSING.has(decision.reason)) {
    return decision;
  }
  return { ...decision, until: Math.min(decision.until ?? Infinity, changesAt) };
}

function decideNow(situation: Situation): Decision {
  const { incident, record } = situation;
  if (record?.heldBy !== undefined) {
    if (incident.parent !== undefined || isOver(incident)) return quiet("taken-over");
    if (situation.silenced === true) return quiet("silenced");
    return { act: "trigger", reason: "left-parent" };
  }
  switch (record?.held ?? "none") {
    case "none":
      return whenNothingHeld(situation, "first");
    case "closed":
      return whenNothingHeld(situation, "returned");
    case "maybe":
      // It may or may not have arrived: the same key again is harmless, silence would not be.
      return { act: "trigger", reason: reasonOfIntent(record) };
    case "open":
      return whenOpen(situation);
  }
}

function whenNothingHeld(situation: Situation, reason: SendReason): Decision {
  const { incident, record, wanted, silenced } = situation;
  const promised = record?.intent?.action === "trigger";
  if (isOver(incident)) {
    // A page that was to be sent and could not be is still sent, and then resolved: never silently zero.
    if (promised && silenced !== true && !isRefused(situation))
      return { act: "trigger", reason: reasonOfIntent(record) };
    return quiet("nothing-open");
  }
  if (incident.severity === "info") return quiet("severity-info");
  if (incident.parent !== undefined) return quiet("explained-by-parent");
  if (!wanted) return quiet("not-routed");
  if (silenced === true) return quiet("silenced");
  if (isRefused(situation)) return quiet("refused");
  const until = groupedUntil(situation);
  if (reason === "first" && !promised && situation.now < until) return { act: "none", reason: "grouping", until };
  return { act: "trigger", reason: promised ? reasonOfIntent(record) : reason };
}

/** Until when the first page waits; a time of detection in our future is a wrong clock and waits for nothing. */
function groupedUntil({ incident, now, groupWaitMs = 0 }: Situation): EpochMs {
  const found = Date.parse(incident.detectedAt);
  return found > now ? now : found + groupWaitMs;
}

function whenOpen(situation: Situation): Decision {
  const { incident, record, parentRecord, now } = situation;
  if (isOver(incident)) return isRefused(situation) ? quiet("refused") : { act: "resolve", reason: "ended" };
  if (incident.parent !== undefined) {
    const parentOpen = parentRecord?.held === "open" && parentRecord.key !== record?.key;
    return parentOpen && !isRefused(situation)
      ? { act: "resolve", reason: "merged-into-parent" }
      : quiet("explained-by-parent");
  }
  const told = record?.told;
  const changed = changeSince(situation);
  if (changed !== undefined) {
    if (isRefused(situation)) return quiet("refused");
    if (situation.silenced === true && !isByPerson(changed)) return quiet("silenced");
    const notBefore = (told?.at ?? now) + situation.updateEveryMs;
    if (mayWait(changed, situation) && now < notBefore) return { act: "none", reason: "too-soon", until: notBefore };
    return { act: "update", reason: changed };
  }
  return repeatOf(situation);
}

/** The change that is told; what a person did comes first, because an escalation may hang on it. */
function changeSince({ incident, record }: Situation): SendReason | undefined {
  const told = record?.told;
  if (told === undefined || told.incident !== incident.id) return "takes-over-child";
  if (told.status !== incident.status) return incident.status === "acknowledged" ? "acknowledged" : "reopened";
  if (told.severity !== incident.severity) return "severity-changed";
  if (told.topCause !== incident.causes[0]?.id) return "top-cause-changed";
  return told.verdict === incident.verdict ? undefined : "verdict-changed";
}

/** What a person did, or a page that changed hands: nothing that a silence was meant for. */
function isByPerson(changed: SendReason): boolean {
  return changed === "acknowledged" || changed === "reopened" || changed === "takes-over-child";
}

/** A ranking that moves may wait; people, another incident's page and a graver severity may not. */
function mayWait(changed: SendReason, { incident, record }: Situation): boolean {
  if (changed === "top-cause-changed" || changed === "verdict-changed") return true;
  if (changed !== "severity-changed" || record?.told === undefined) return false;
  return compareSeverity(incident.severity, record.told.severity) > 0;
}

function repeatOf({ incident, record, now, silenced, ...waits }: Situation): Decision {
  const { repeatMs = Infinity, keepAliveMs = Infinity } = waits;
  const isCalm = incident.status === "acknowledged" || silenced === true;
  const wait = Math.min(isCalm ? Infinity : repeatMs, keepAliveMs);
  const told = record?.told;
  if (told === undefined || wait === Infinity) return quiet("unchanged");
  const at = told.at + wait;
  return now >= at ? { act: "update", reason: "repeat" } : { act: "none", reason: "unchanged", until: at };
}

/** Whether the target has said that it will never take this revision. */
function isRefused({ incident, record }: Situation): boolean {
  return record?.outcome?.result === "never" && record.outcome.revision === incident.revision;
}

function reasonOfIntent(record: Delivery | undefined): SendReason {
  const reason = record?.intent?.reason;
  return SEND_REASONS.find((known) => known === reason) ?? "first";
}

function quiet(reason: QuietReason): Decision {
  return { act: "none", reason };
}
