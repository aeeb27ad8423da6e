/**
 * The state of the fold: plain data, one record per key. `step` changes it in place and names the keys it changed; a
 * snapshot is a structured copy. Everything in it has a limit.
 */
import type { Coverage, EpochMs, EventId, HostRelations, Incident, IncidentId, Severity, Signal } from "@culprit/model";
import type { Act, Cut, Decided } from "./act.ts";
import { type Blind, type CoverageMap, emptyCoverage } from "./coverage.ts";

/** Signals kept per rule and key: the first of them and the latest; what falls out in the middle is counted. */
export const SIGNALS_PER_RULE_MAX = 1_000;
export const SIGNALS_FIRST_KEPT = 100;
export const KEYS_MAX = 500_000;
export const INCIDENTS_PER_KEY_MAX = 2_000;

/** What other keys are told of an incident, so that a wider one can explain it. */
export interface Announcement {
  readonly id: IncidentId;
  readonly playbook: string;
  readonly home: string;
  readonly title: string;
  readonly severity: Severity;
  /** Its host first. */
  readonly hosts: readonly string[];
  /** What is known of its host. */
  readonly relations: HostRelations;
  /** Hyper-V hosts of its hosts. */
  readonly hypervisors: readonly string[];
  readonly startedAt: EpochMs;
  /** The latest moment at which it can have begun, where only an interval is known. */
  readonly startedBy?: EpochMs;
  readonly lastAt: EpochMs;
  readonly detectedAt: EpochMs;
  readonly topCause: string;
  /** Its variables: a bugcheck code, a driver, a VM. */
  readonly labels: Readonly<Record<string, string>>;
  /** The incident is no more; its links go. */
  readonly gone: boolean;
}

/** A wider incident that explains this one. The smallest `order` is the parent. */
export interface Link {
  readonly parent: IncidentId;
  readonly order: string;
}

export type Input =
  | { readonly kind: "signal"; readonly key: string; readonly signal: Signal }
  | { readonly kind: "coverage"; readonly key: string; readonly coverage: Coverage }
  /** Nothing of a host that used to send is known to have arrived between two moments. */
  | { readonly kind: "blind"; readonly key: string; readonly host: string; readonly blind: Blind }
  | { readonly kind: "announcement"; readonly key: string; readonly announcement: Announcement }
  | {
      readonly kind: "link";
      readonly key: string;
      readonly child: IncidentId;
      readonly link: Link;
      readonly holds: boolean;
    }
  /** What a person did; it finds the incident, wherever it is held. */
  | { readonly kind: "act"; readonly act: Act }
  /** `ending`: the input is over and time runs on only to settle what is open; silence means nothing any more. */
  | { readonly kind: "tick"; readonly at: EpochMs; readonly ending?: boolean };

export type Output =
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "send"; readonly input: Extract<Input, { key: string }> };

/** An incident as the fold holds it between revisions. */
export interface HeldIncident {
  readonly id: IncidentId;
  readonly playbook: string;
  /** The signals that opened it, as last seen; the incident lives on in any group that holds one of them. */
  openers: string[];
  readonly firstArrivalAt: EpochMs;
  /** Time of the tick at which it first stood. */
  readonly detectedAt: EpochMs;
  anchorAt: EpochMs;
  lastAt: EpochMs;
  revision: number;
  /** When it changes by itself next: its wait ends, it settles, it has been idle for long enough. */
  dueAt?: EpochMs;
  published?: Incident;
  /** Last content, published or waiting. */
  content?: Incident;
  announced?: string;
  /** The one before it of the same entity, where this is its return. */
  previous?: IncidentId;
  /** A person has resolved it, or taken that back. */
  resolved?: Decided;
  /** Where the resolve of the one before cut the openers, so that this one began. */
  cut?: Cut;
  unlinked?: readonly (Decided & { readonly event: EventId })[];
  /** The next revision is made anew although its lateness has passed. */
  thawed?: boolean;
}

export interface KeyState {
  readonly key: string;
  /** Rule -> signals in order of time, then id. */
  readonly signals: Map<string, Signal[]>;
  readonly coverage: CoverageMap;
  readonly incidents: Map<IncidentId, HeldIncident>;
  readonly announced: Map<IncidentId, Announcement>;
  /** Child -> links it was sent. */
  readonly links: Map<IncidentId, Link[]>;
  /** Child + parent that this key has linked. */
  readonly linked: Map<string, { readonly child: Announcement; readonly link: Link }>;
  /** Playbooks to evaluate at the next tick. */
  readonly dirty: Set<string>;
  /** Next tick time at which something changes by itself. */
  wakeAt: EpochMs;
}

export interface Counters {
  signalsRepeated: number;
  signalsDropped: number;
  keysRefused: number;
  incidentsRefused: number;
}

export interface State {
  readonly keys: Map<string, KeyState>;
  now: EpochMs;
  /** The input is over: nothing closes for being quiet, nothing is forgotten. */
  isEnding: boolean;
  readonly counters: Counters;
  /** Keys changed since whoever stores the state last cleared this. */
  readonly touched: Set<string>;
}

export function emptyState(): State {
  return {
    keys: new Map(),
    now: Number.NEGATIVE_INFINITY,
    isEnding: false,
    touched: new Set(),
    counters: { signalsRepeated: 0, signalsDropped: 0, keysRefused: 0, incidentsRefused: 0 },
  };
}

/** A copy that shares nothing with the state, ready to be stored. */
export function snapshot(state: State): State {
  return structuredClone(state);
}

export function keyState(state: State, key: string): KeyState | undefined {
  state.touched.add(key);
  const held = state.keys.get(key);
  if (held !== undefined) return held;
  if (state.keys.size >= KEYS_MAX) {
    state.counters.keysRefused += 1;
    return undefined;
  }
  const fresh: KeyState = {
    key,
    signals: new Map(),
    coverage: emptyCoverage(),
    incidents: new Map(),
    announced: new Map(),
    links: new Map(),
    linked: new Map(),
    dirty: new Set(),
    wakeAt: Number.POSITIVE_INFINITY,
  };
  state.keys.set(key, fresh);
  return fresh;
}

/** Asks for a look at the key at a time, or earlier where one is asked for already. */
export function wake(key: KeyState, at: EpochMs): void {
  if (at < key.wakeAt) key.wakeAt = at;
}
