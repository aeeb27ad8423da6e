/**
 * What a page says, apart from how it looks: in goes an incident, out come the sentences of the page in the order in which
 * a person needs them. Every medium (terminal, mail, chat, phone) renders this one content and escapes it for itself;
 * nothing here is escaped, secrets are already taken out.
 *
 * The rules a line must obey stand in README.md; the tests name them.
 */
import {
  agoText,
  compareSeverity,
  durationText,
  Fault,
  type Incident,
  MINUTE_MS,
  maskSecrets,
  type RankedCause,
  type Recurrence,
  recurrenceText,
  SECOND_MS,
  type Severity,
} from "@culprit/model";
import type { OfferedReply } from "./reply.ts";
import { checkZone, dayText, instantText, localClocks } from "./time-text.ts";
import { whereText } from "./where-text.ts";

export interface PageOptions {
  /** The zone that comes first; an IANA name. */
  readonly timeZone: string;
  /** ISO instant; with it the page says how long ago. */
  readonly now?: string;
  /** The console's address without a trailing slash. */
  readonly consoleUrl?: string;
  readonly history?: Recurrence;
  /** A sentence of ours about the delivery itself: "pager did not answer, so this came here". */
  readonly notice?: string;
  /** What people can answer from where they read it. */
  readonly replies?: readonly OfferedReply[];
}

export interface PageReason {
  readonly points: number;
  readonly text: string;
}

/** One cause as the page argues it: the two strongest reasons of each side, and how many are behind the link. */
export interface PageCause {
  /** False for "not known": there is no cause to put a name to. */
  readonly named: boolean;
  readonly title: string;
  /** What happened if this is the cause, in a sentence for who does not know Windows from the inside; may be empty. */
  readonly summary: string;
  readonly percent: number;
  readonly for: readonly PageReason[];
  readonly forMore: number;
  readonly against: readonly PageReason[];
  readonly againstMore: number;
  readonly unknown: readonly string[];
  readonly unknownMore: number;
}

export interface PageContent {
  readonly severity: Severity;
  /** `CRITICAL`, or `RESOLVED` once it is over. */
  readonly label: string;
  readonly over: boolean;
  readonly title: string;
  /** When it happened, how long ago, how long it lasted. */
  readonly when: string;
  readonly facts: readonly string[];
  /** Who is affected, as people know them. */
  readonly where: string;
  /** Whether a cause is named at all; if not, `headline` says why not. */
  readonly clear: boolean;
  readonly headline: string;
  /** `likely`, `confirmed`, `likely so far`; empty where the cause is not clear. */
  readonly verdict: string;
  /** The causes argued in full: one, or those that tie. */
  readonly causes: readonly [PageCause, ...PageCause[]];
  readonly next: readonly { readonly title: string; readonly percent: number }[];
  readonly notCauses: readonly string[];
  readonly actions: readonly string[];
  readonly seenBefore: string | undefined;
  readonly link: string | undefined;
  readonly notice: string | undefined;
  /** A target's own words, line by line, for all that else stands between the title and the link. */
  readonly body?: readonly string[];
  readonly replies: readonly OfferedReply[];
}

const REASONS_MAX = 2;
const NEXT_MAX = 3;
const ACTIONS_MAX = 4;
const TIED_MAX = 3;
const TIE_MARGIN = 0.1;
const FACTS_MAX = 4;
const LATE_NOTICE_MS = 5 * MINUTE_MS;
const UNKNOWN_CAUSE = "unknown";
const UNKNOWN_TITLE = "not known";
const NO_ACTION = "No safe first step is known for this; look at the evidence before changing anything";

/**
 * Composes the page of an incident.
 *
 * Shape: at most two reasons per side and cause, three further causes, four first steps.
 * Units: instants are ISO 8601; shares become whole percents.
 * Errors: `notify.unknown-zone`, `notify.no-cause`.
 * Source: CONTRACT "An incident"; README.md, "The page".
 */
export function composePage(incident: Incident, options: PageOptions): PageContent {
  checkZone(options.timeZone);
  const over = isOver(incident);
  const argued = arguedCauses(incident);
  const clear = incident.verdict === "confirmed" || incident.verdict === "likely" ? !isUnknown(argued[0]) : false;
  return {
    severity: incident.severity,
    label: over ? "RESOLVED" : incident.severity.toUpperCase(),
    over,
    title: maskSecrets(incident.title),
    when: whenText(incident, options, over),
    facts: incident.facts.slice(0, FACTS_MAX).map(maskSecrets),
    where: whereText(incident),
    clear,
    headline: headlineOf(incident, argued, clear),
    verdict: clear ? `${incident.verdict}${incident.settled ? "" : " so far"}` : "",
    causes: argumentsOf(argued, unknownOf(incident, options)),
    next: nextCauses(incident, argued),
    notCauses: incident.notCauses.map(maskSecrets),
    actions: firstSteps(argued, clear),
    seenBefore: seenBefore(incident, options),
    link: linkTo(incident, options),
    notice: options.notice === undefined ? undefined : maskSecrets(options.notice),
    replies: options.replies ?? [],
  };
}

/** What stands under the title, before the cause: when, how bad, who is affected, why it comes here. */
export function headLines({ when, facts, where, notice = "", body }: PageContent): readonly string[] {
  const lines = body === undefined ? [when, facts.join(" · "), where, notice] : [notice];
  return lines.filter((line) => line !== "");
}

/** Whether nothing of it is going on any more. */
export function isOver(incident: Pick<Incident, "status">): boolean {
  return incident.status === "resolved" || incident.status === "closed";
}

/** The address of an incident's page in the console. */
function linkTo(incident: Pick<Incident, "id">, options: Pick<PageOptions, "consoleUrl">): string | undefined {
  return options.consoleUrl === undefined ? undefined : `${options.consoleUrl}/incidents/${incident.id}`;
}

/** `0.75` as `75`. */
function percentOf(share: number): number {
  return Math.round(share * 100);
}

function isUnknown(cause: Pick<RankedCause, "id">): boolean {
  return cause.id === UNKNOWN_CAUSE;
}

/** The title people read: `unknown` is "not known". */
function causeTitle(cause: Pick<RankedCause, "id" | "title">): string {
  return isUnknown(cause) ? UNKNOWN_TITLE : maskSecrets(cause.title);
}

function whenText(incident: Incident, options: PageOptions, over: boolean): string {
  const parts = [instantText(incident.startedAt, options.timeZone)];
  const started = Date.parse(incident.startedAt);
  const lasted = Date.parse(incident.endedAt ?? incident.startedAt) - started;
  if (over) {
    parts.push(lasted >= SECOND_MS ? `over after ${durationText(lasted)}` : "over");
  } else if (options.now !== undefined && Date.parse(options.now) >= started) {
    parts.push(agoText(Date.parse(options.now) - started));
  }
  const last = Date.parse(incident.last) - started;
  if (incident.occurrences > 1 && last >= SECOND_MS) {
    parts.push(`${incident.occurrences} times, the last ${durationText(last)} later`);
  }
  const noticed = Date.parse(incident.detectedAt) - started;
  if (noticed >= LATE_NOTICE_MS) parts.push(`its logs arrived ${durationText(noticed)} later`);
  return parts.join(" · ");
}

/** The causes to argue: the first one; those that tie with it; or the best named one where "unknown" leads. */
function arguedCauses(incident: Incident): readonly [RankedCause, ...RankedCause[]] {
  const [first, ...others] = incident.causes;
  if (first === undefined) throw new Fault("notify.no-cause", "an incident names at least one cause");
  if (incident.verdict === "tied") {
    const tied = others.filter((cause) => !isUnknown(cause) && first.share - cause.share <= TIE_MARGIN + 1e-9);
    return [first, ...(tied.length === 0 ? others.slice(0, 1) : tied).slice(0, TIED_MAX - 1)];
  }
  if (!isUnknown(first)) return [first];
  const named = others.find((cause) => cause.for.length > 0);
  return [named ?? first];
}

function headlineOf(incident: Incident, argued: readonly [RankedCause, ...RankedCause[]], clear: boolean): string {
  const [first] = argued;
  if (clear) return causeTitle(first);
  const decide = argued.flatMap((cause) => cause.missing)[0];
  const deciding = decide === undefined ? "" : `; this would decide: ${maskSecrets(decide.text)}`;
  if (incident.verdict === "tied") {
    const count = ["one", "two", "three"][argued.length - 1] ?? String(argued.length);
    const names = argued.map((cause) => `${causeTitle(cause)} ${percentOf(cause.share)} %`).join(", ");
    return `${count} explain it about equally: ${names}${deciding}`;
  }
  if (isUnknown(first)) return `nothing in the logs explains it${deciding}`;
  return `too little evidence; best guess: ${causeTitle(first)} ${percentOf(first.share)} %${deciding}`;
}

/** What is not known of the whole incident; the engine writes its times in UTC. */
function unknownOf({ unknown, startedAt }: Incident, { timeZone }: PageOptions): readonly string[] {
  return unknown.map((text) => localClocks(text, timeZone, startedAt));
}

function argumentsOf(
  argued: readonly [RankedCause, ...RankedCause[]],
  unknown: readonly string[],
): PageContent["causes"] {
  const [first, ...others] = argued;
  return [argumentOf(first, unknown), ...others.map((cause) => argumentOf(cause, []))];
}

function argumentOf(cause: RankedCause, unknownElsewhere: readonly string[]): PageCause {
  const unknown = [...new Set([...cause.missing.map((missing) => missing.text), ...unknownElsewhere])];
  return {
    named: !isUnknown(cause),
    title: causeTitle(cause),
    summary: isUnknown(cause) ? "" : maskSecrets(cause.summary),
    percent: percentOf(cause.share),
    for: strongest(cause.for),
    forMore: Math.max(0, cause.for.length - REASONS_MAX),
    against: strongest(cause.against),
    againstMore: Math.max(0, cause.against.length - REASONS_MAX),
    unknown: unknown.slice(0, REASONS_MAX).map(maskSecrets),
    unknownMore: Math.max(0, unknown.length - REASONS_MAX),
  };
}

function strongest(reasons: RankedCause["for"]): readonly PageReason[] {
  return [...reasons]
    .sort((a, b) => Math.abs(b.points) - Math.abs(a.points))
    .slice(0, REASONS_MAX)
    .map((reason) => ({ points: reason.points, text: maskSecrets(reason.text) }));
}

function nextCauses(incident: Incident, argued: readonly RankedCause[]): PageContent["next"] {
  const rest = incident.causes.filter((cause) => !argued.includes(cause) && percentOf(cause.share) > 0);
  const named = rest.filter((cause) => !isUnknown(cause)).slice(0, NEXT_MAX);
  const unknown = rest.filter(isUnknown);
  return [...named, ...unknown].map((cause) => ({ title: causeTitle(cause), percent: percentOf(cause.share) }));
}

/** Where the cause is clear its own steps come first; where it is not, what would tell more comes first. */
function firstSteps(argued: readonly RankedCause[], clear: boolean): readonly string[] {
  const actions = argued.flatMap((cause) => cause.actions);
  const collect = argued
    .flatMap((cause) => cause.missing)
    .flatMap((missing) => (missing.collect === undefined ? [] : [`To learn ${missing.text}: ${missing.collect}`]));
  const steps = clear
    ? actions.concat(actions.length === 0 ? collect : [])
    : [...collect.slice(0, REASONS_MAX), ...actions];
  const unique = [...new Set(steps)].slice(0, ACTIONS_MAX).map(maskSecrets);
  return unique.length === 0 ? [NO_ACTION] : unique;
}

function seenBefore(incident: Incident, options: PageOptions): string | undefined {
  const { history } = options;
  if (history !== undefined && history.times > 1) {
    return maskSecrets(recurrenceText(history, dayText(history.lastAt, options.timeZone, incident.startedAt)));
  }
  return undefined;
}

/** Whether `severity` is at least as grave as `least`. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return compareSeverity(severity, least) <= 0;
}
