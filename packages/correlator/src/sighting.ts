/**
 * A sighting: a signal as one playbook sees it, with the interval in which it happened. Records written after a restart get
 * theirs by inference; all others happened when they say.
 */
import {
  type EpochMs,
  type EventId,
  type HostId,
  type Signal,
  type SignalId,
  sameHost,
  shortName,
} from "@culprit/model";
import type { Program, SignalUse } from "@culprit/rules";
import { lastActivityBefore } from "./coverage.ts";
import { type CrashTime, type Interval, inferCrash, lastBeatOf } from "./crash-time.ts";
import type { Announcement, KeyState } from "./state.ts";

export interface Sighting extends Interval {
  readonly signal: Signal;
  /** Whom it speaks about: the subject, else the logger. */
  readonly about: string;
  /** The restart behind it, for records of `time: crash`. */
  readonly crash?: CrashTime;
}

/** What stands before the playbook in the rule of a signal that is an incident of its own. */
export const INCIDENT_RULE = "incident:";

/** Sightings of one key, worked out once per evaluation. */
export class Sightings {
  private readonly byRule = new Map<string, readonly Sighting[]>();
  private readonly state: KeyState;
  private readonly program: Program;

  constructor(state: KeyState, program: Program) {
    this.state = state;
    this.program = program;
  }

  /** Sightings of a rule in order of the start of their interval, then id. */
  ofRule(rule: string): readonly Sighting[] {
    const held = this.byRule.get(rule);
    if (held !== undefined) return held;
    const crash = this.program.detections.get(rule)?.extension.time === "crash";
    const sightings = (this.state.signals.get(rule) ?? []).map((signal): Sighting => {
      const about = signal.subject ?? signal.host;
      if (!crash) return { signal, about, from: signal.at, to: signal.at };
      const inferred = this.crashOf(signal);
      return { signal, about, from: inferred.from, to: inferred.to, crash: inferred };
    });
    if (crash) sightings.sort((a, b) => a.from - b.from || (a.signal.id < b.signal.id ? -1 : 1));
    this.byRule.set(rule, sightings);
    return sightings;
  }

  /** Sightings of an alias: of any of its rules, with its conditions on bindings but those on variables. */
  ofUse(use: SignalUse): readonly Sighting[] {
    const lists =
      use.incident.length > 0 ? [this.ofIncidents(use.incident)] : use.rule.map((rule) => this.ofRule(rule));
    const all =
      lists.length === 1
        ? (lists[0] as readonly Sighting[])
        : lists.flat().sort((a, b) => a.from - b.from || (a.signal.id < b.signal.id ? -1 : 1));
    const conditions = Object.entries(use.where);
    return conditions.length === 0
      ? all
      : all.filter(({ signal }) => conditions.every(([name, predicate]) => holds(predicate, signal.bindings[name])));
  }

  /** Incidents of other playbooks that this key was told of, as sightings of their own. */
  private ofIncidents(playbooks: readonly string[]): readonly Sighting[] {
    const found = [...this.state.announced.values()]
      .filter(({ playbook }) => playbooks.includes(playbook))
      .map(incidentSighting);
    return found.sort(inOrder);
  }

  private crashOf(signal: Signal): CrashTime {
    const host = signal.host;
    const ofHost = (time: "boot" | "crash"): Signal[] => {
      const found: Signal[] = [];
      for (const [rule, signals] of this.state.signals) {
        if (this.program.detections.get(rule)?.extension.time === time)
          found.push(...signals.filter((other) => shortName(other.host) === shortName(host)));
      }
      return found;
    };
    return inferCrash({
      loggedAt: signal.at,
      boots: ofHost("boot").map(({ at }) => at),
      aliveBefore: (at: EpochMs) => lastActivityBefore(this.state.coverage, host, at),
      missedAt: this.missed(host),
      lastBeats: ofHost("crash").flatMap((other) => lastBeatOf(other) ?? []),
    });
  }

  /** When others said they lost this host: signals about it that another host logged, of rules that say so. */
  private missed(host: string): EpochMs[] {
    const found: EpochMs[] = [];
    for (const [rule, signals] of this.state.signals) {
      if (this.program.detections.get(rule)?.extension.time !== "lost") continue;
      for (const other of signals)
        if (other.subject !== undefined && sameHost(other.subject, host)) found.push(other.at);
    }
    return found;
  }
}

/** By time, then by machine, then by id: an incident's id names the order of arrival, so it decides last. */
export function inOrder(a: Sighting, b: Sighting): number {
  return a.from - b.from || compareText(a.about, b.about) || compareText(a.signal.id, b.signal.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function incidentSighting(announcement: Announcement): Sighting {
  const { relations, startedAt } = announcement;
  const host = relations.host as HostId;
  const [place] = relations.places;
  const signal: Signal = {
    // The incident stands for the events behind it; a reader follows its id to them.
    id: announcement.id as string as SignalId,
    rule: INCIDENT_RULE + announcement.playbook,
    event: {
      id: announcement.id as string as EventId,
      host,
      provider: "Culprit",
      eventId: 0,
      channel: `incident/${announcement.playbook}`,
      level: 2,
      at: startedAt,
      summary: announcement.title,
    },
    host,
    bindings: {
      ...announcement.labels,
      playbook: announcement.playbook,
      cause: announcement.topCause,
      ...(place === undefined ? {} : { place }),
      ...(relations.hypervisor === undefined ? {} : { hypervisor: relations.hypervisor }),
    },
    at: startedAt,
    receivedAt: announcement.detectedAt,
    hosts: [relations],
  };
  return { signal, about: host, from: startedAt, to: startedAt };
}

/** Whether a bound value meets a condition; conditions on variables (`same`) are met here and checked with the incident. */
function holds(predicate: SignalUse["where"][string], value: string | undefined): boolean {
  if ("same" in predicate) return true;
  if ("present" in predicate) return predicate.present === (value !== undefined);
  if (value === undefined) return "notIn" in predicate;
  const lower = value.toLowerCase();
  if ("in" in predicate) return predicate.in.some((wanted) => sameValue(wanted, lower));
  if ("notIn" in predicate) return !predicate.notIn.some((unwanted) => sameValue(unwanted, lower));
  if ("contains" in predicate) return predicate.contains.some((part) => lower.includes(part.toLowerCase()));
  const number = Number(lower.startsWith("0x") ? BigInt(/^0x[0-9a-f]+$/.test(lower) ? lower : "0x0") : lower);
  return (
    !Number.isNaN(number) &&
    number >= (predicate.min ?? Number.NEGATIVE_INFINITY) &&
    number <= (predicate.max ?? Number.POSITIVE_INFINITY)
  );
}

const HEX = /^0x[0-9a-f]{1,16}$/;
const DECIMAL = /^\d{1,19}$/;

/** Equal without case, or equal as numbers in either notation (`0x9E` and `158`). */
function sameValue(wanted: string, lower: string): boolean {
  const other = wanted.toLowerCase();
  if (other === lower) return true;
  const readable = (text: string): boolean => HEX.test(text) || DECIMAL.test(text);
  return readable(other) && readable(lower) && BigInt(other) === BigInt(lower);
}
