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
import { type CrashTime, type Interval, inferCrash, type LastBeat, lastBeatOf } from "./crash-time.ts";
import { remembered } from "./remembered.ts";
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
  private readonly byUse = new Map<SignalUse, readonly Sighting[]>();
  private readonly byRule = new Map<string, readonly Sighting[]>();
  private readonly ofHosts = new Map<string, RestartClues>();
  private announcedBy: Map<string, Announcement[]> | undefined;
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
      if (!crash) return certainSighting(signal);
      const about = signal.subject ?? signal.host;
      const inferred = this.crashOf(signal);
      return { signal, about, from: inferred.from, to: inferred.to, crash: inferred };
    });
    if (crash) sightings.sort((a, b) => a.from - b.from || (a.signal.id < b.signal.id ? -1 : 1));
    this.byRule.set(rule, sightings);
    return sightings;
  }

  /** The most sightings that a use can have, without looking at them. */
  atMost({ rule, incident }: SignalUse): number {
    let count = 0;
    for (const name of rule) count += this.state.signals.get(name)?.length ?? 0;
    for (const playbook of incident) count += this.announcements(playbook).length;
    return count;
  }

  /** Sightings of an alias: of any of its rules, with its conditions on bindings but those on variables. */
  ofUse(use: SignalUse): readonly Sighting[] {
    const held = this.byUse.get(use);
    if (held !== undefined) return held;
    const found = this.findUse(use);
    this.byUse.set(use, found);
    return found;
  }

  private findUse(use: SignalUse): readonly Sighting[] {
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
    const found = [...new Set(playbooks)].flatMap((playbook) => this.announcements(playbook)).map(incidentSighting);
    return found.sort(inOrder);
  }

  private announcements(playbook: string): readonly Announcement[] {
    this.announcedBy ??= Map.groupBy(this.state.announced.values(), (announcement) => announcement.playbook);
    return this.announcedBy.get(playbook) ?? [];
  }

  private crashOf(signal: Signal): CrashTime {
    const { boots, beats } = this.clues(shortName(signal.host));
    return inferCrash({
      loggedAt: signal.at,
      boots,
      aliveBefore: (at: EpochMs) => lastActivityBefore(this.state.coverage, signal.host, at),
      missedAt: this.missed(signal.host),
      lastBeats: beats,
    });
  }

  /** When others said they lost this host: signals about it of rules that say so. */
  private missed(host: string): EpochMs[] {
    return this.clues(shortName(host)).lost.flatMap(({ subject, at }) =>
      subject !== undefined && sameHost(subject, host) ? at : [],
    );
  }

  /** What tells of restarts at this key, by short name of the machine; gathered with the first question. */
  private clues(short: string): RestartClues {
    if (this.ofHosts.size === 0) {
      for (const [rule, signals] of this.state.signals) {
        const time = this.program.detections.get(rule)?.extension.time;
        for (const signal of signals) {
          if (time === "boot") this.cluesOf(signal.host).boots.push(signal.at);
          else if (time === "crash") addBeat(this.cluesOf(signal.host).beats, signal);
          else if (time === "lost" && signal.subject !== undefined) this.cluesOf(signal.subject).lost.push(signal);
        }
      }
    }
    return this.cluesOf(short);
  }

  private cluesOf(host: string): RestartClues {
    const short = shortName(host);
    const held = this.ofHosts.get(short);
    if (held !== undefined) return held;
    const fresh: RestartClues = { boots: [], beats: [], lost: [] };
    this.ofHosts.set(short, fresh);
    return fresh;
  }
}

/** What a key knows of the restarts of one machine. */
interface RestartClues {
  readonly boots: EpochMs[];
  readonly beats: LastBeat[];
  /** Signals by which others say that they lost it. */
  readonly lost: Signal[];
}

function addBeat(beats: LastBeat[], signal: Signal): void {
  const beat = lastBeatOf(signal);
  if (beat !== undefined) beats.push(beat);
}

/** By time, machine and rule, then by id: an incident's id names the order of arrival, so it decides last. */
export function inOrder(a: Sighting, b: Sighting): number {
  return (
    a.from - b.from ||
    compareText(a.about, b.about) ||
    compareText(a.signal.rule, b.signal.rule) ||
    compareText(a.signal.id, b.signal.id)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A signal that happened when it says; the same object for the same signal, so that what follows is worked out once. */
const certainSighting = remembered(
  (signal: Signal): Sighting => ({ signal, about: signal.subject ?? signal.host, from: signal.at, to: signal.at }),
);

const incidentSighting = remembered((announcement: Announcement): Sighting => {
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
});

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
