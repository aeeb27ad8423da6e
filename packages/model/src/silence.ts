/**
 * A silence: a person has asked not to be told of some incidents for a while. One record per silence on the topic
 * `actions`, under the silence's id; read by notify and console. Incidents are made all the same, and what a target was
 * told of is still closed there.
 *
 * A maintenance window is a silence with hours of the week (`recurrence`).
 */
import { z } from "zod";
import { ActionOrigin } from "./action.ts";
import { ID_PATTERN } from "./identity.ts";
import { type Incident, Severity } from "./incident.ts";
import { DAY_MS, EpochMs, HOUR_MS } from "./instant.ts";
import { matchesHostPattern, matchesPattern } from "./name-pattern.ts";
import { WeeklySchedule, weeklyState } from "./weekly-schedule.ts";

const PATTERNS_MAX = 50;
export const SILENCE_COMMENT_MAX_LENGTH = 1_000;
/** Nothing is silent for ever: whoever wants longer asks again. */
export const SILENCE_MAX_MS = 366 * DAY_MS;

const Patterns = z.array(z.string().trim().min(1).max(255)).min(1).max(PATTERNS_MAX);

/** What it covers: everything that is given must match, of each list one. `*` in a name stands for any text. */
export const SilenceMatch = z
  .strictObject({
    playbooks: z.exactOptional(Patterns),
    severities: z.exactOptional(z.array(Severity).min(1).max(5)),
    /** Hosts by full or short name, VMs, clusters, domains, places. */
    scope: z.exactOptional(Patterns),
  })
  .refine((match) => Object.keys(match).length > 0, "say what to silence: playbooks, severities or scope");
export type SilenceMatch = Readonly<z.infer<typeof SilenceMatch>>;

export const Silence = z.object({
  kind: z.literal("silence"),
  id: z.string().regex(ID_PATTERN),
  match: SilenceMatch,
  from: EpochMs,
  until: EpochMs,
  /** Within `from` and `until` it holds at these hours only. */
  recurrence: z.exactOptional(WeeklySchedule),
  /** As the person or system is known to the writer; hostile text. */
  who: z.string().min(1).max(200),
  /** Why; hostile text. */
  comment: z.string().min(1).max(SILENCE_COMMENT_MAX_LENGTH),
  at: EpochMs,
  origin: z.exactOptional(ActionOrigin),
  /** Someone has ended it before its time. */
  lifted: z.exactOptional(z.object({ at: EpochMs, who: z.string().min(1).max(200) })),
});
export type Silence = Readonly<z.infer<typeof Silence>>;

/** The key of a silence's message. */
export function silenceKey(silence: Pick<Silence, "id">): string {
  return silence.id;
}

/**
 * Whether a silence covers an incident, whatever the time.
 *
 * Of the scope, a wider thing (cluster, VM, domain, place) that is named covers the incident; hosts do only when all that
 * are affected are named, so that a machine outside the maintenance still pages.
 */
export function coversIncident(
  match: SilenceMatch,
  incident: Pick<Incident, "playbook" | "severity" | "scope">,
): boolean {
  const { playbooks, severities, scope } = match;
  if (playbooks?.some((pattern) => matchesPattern(incident.playbook, pattern)) === false) return false;
  if (severities?.includes(incident.severity) === false) return false;
  return scope === undefined || coversScope(scope, incident.scope);
}

function coversScope(patterns: readonly string[], scope: Incident["scope"]): boolean {
  const named = (id: string): boolean => patterns.some((pattern) => matchesHostPattern(id, pattern));
  if (scope.some(({ kind, id }) => kind !== "host" && named(id))) return true;
  const hosts = scope.filter(({ kind }) => kind === "host");
  const victims = hosts.filter(({ role }) => role === "victim");
  const affected = victims.length > 0 ? victims : hosts;
  return affected.length > 0 && affected.every(({ id }) => named(id));
}

/** What a silence asked for on the page of an incident lasts. */
export const SILENCE_FROM_PAGE_MS = 2 * HOUR_MS;

/** What a silence of an incident's own kind covers: its playbook on the machines it is about; nothing without a scope. */
export function matchOfIncident({ playbook, scope }: Pick<Incident, "playbook" | "scope">): SilenceMatch | undefined {
  const hosts = scope.filter(({ kind }) => kind === "host");
  const victims = hosts.filter(({ role }) => role === "victim");
  const [affected = []] = [victims, hosts, scope].filter((entries) => entries.length > 0);
  const names = [...new Set(affected.map(({ id }) => id))];
  // A name with a star in it would stand for others; one that is cut or one of too many would leave a machine out.
  const match = SilenceMatch.safeParse({ playbooks: [playbook], scope: names });
  return match.success && !names.some((name) => name.includes("*")) ? match.data : undefined;
}

export interface SilenceState {
  readonly state: "pending" | "active" | "between" | "ended";
  /** When that may change; absent once it has ended. */
  readonly changesAt?: EpochMs;
}

/** How a silence stands at an instant: not begun, holding, outside its hours, over. */
export function silenceState(silence: Silence, at: EpochMs): SilenceState {
  const until = Math.min(silence.until, silence.lifted?.at ?? Infinity);
  if (at >= until) return { state: "ended" };
  if (at < silence.from) return { state: "pending", changesAt: Math.min(silence.from, until) };
  if (silence.recurrence === undefined) return { state: "active", changesAt: until };
  const { open, changesAt = until } = weeklyState(silence.recurrence, at);
  return { state: open ? "active" : "between", changesAt: Math.min(changesAt, until) };
}

/** Which silence keeps an incident quiet, and until when at least; of several the one that holds longest. */
export function silenceOf(
  incident: Pick<Incident, "playbook" | "severity" | "scope">,
  silences: Iterable<Silence>,
  at: EpochMs,
): { readonly silence: Silence; readonly until: EpochMs } | undefined {
  let longest: { readonly silence: Silence; readonly until: EpochMs } | undefined;
  for (const silence of silences) {
    const { state, changesAt } = silenceState(silence, at);
    if (state !== "active" || changesAt === undefined || changesAt <= (longest?.until ?? -Infinity)) continue;
    if (coversIncident(silence.match, incident)) longest = { silence, until: changesAt };
  }
  return longest;
}
