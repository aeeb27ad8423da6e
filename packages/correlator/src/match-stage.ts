/**
 * The matching half: events in, inputs of the fold out, each under its key. It keeps what matching needs between events:
 * the topology, the recent signals (sent again when something is learned about their machines) and the coverage not yet told.
 */
import {
  type Coverage,
  type EpochMs,
  type Fact,
  isFeedChannel,
  type Signal,
  shortName,
  type WindowsEvent,
} from "@culprit/model";
import type { CodeTables, Program } from "@culprit/rules";
import { type FeedFinding, feedEvent } from "./feed/feed-event.ts";
import { FeedHealth, type HealthChanges, type Heard, type StoredHostHealth } from "./feed/feed-health.ts";
import { matchEvent, type RuleMatcher, refreshSignal } from "./match.ts";
import { RecentSignals, type Remembered, type RememberedChanges } from "./recent-signals.ts";
import { keysFor, keysOf } from "./route.ts";
import { isSame } from "./same.ts";
import type { Input } from "./state.ts";
import { learn, noteHost, relationsOf, type Topology } from "./topology.ts";

const KINDS_OF_COVERAGE = new Set(["host", "cluster"] as const);

export type KeyedInput = Extract<Input, { key: string }>;

export interface MatchStage {
  /** Matches an event. Returns the fold's inputs, in order. */
  event(event: WindowsEvent, receivedAt: EpochMs, hearing?: Hearing): readonly KeyedInput[];
  /** Takes a summary of records that no rule wanted. */
  coverage(coverage: Coverage, receivedAt: EpochMs, hearing?: Hearing): readonly KeyedInput[];
  /** Takes a fact of the file or of another matcher. */
  fact(fact: Fact): readonly KeyedInput[];
  /** Sends recent signals again whose machines are known better by now: the topology has learned from elsewhere. */
  refresh(): readonly KeyedInput[];
  /** Tells the coverage gathered since the last flush, and what it shows of the feed; call before each tick. */
  flush(): readonly KeyedInput[];
  /** The input is over: tells what only waited for late records. */
  finish(): readonly KeyedInput[];
  /** Facts learned since the last call, for other matchers. */
  learned(): readonly Fact[];
  /** What it remembers that it did not at the last call, and what no longer: for whoever stores it. */
  remembered(): RememberedChanges;
  /** What it knows of the health of the feed and did not at the last call: for whoever stores it. */
  healthChanges(): HealthChanges;
  /** Goes on with other rules; recent signals go to the keys that these ask for as well, with the next flush. */
  use(knowledge: MatchKnowledge): void;
  readonly counters: {
    /** Signals forgotten before their time, because there were too many. */
    readonly recentDropped: number;
    /** Pieces of hosts and logs that are not watched for the health of the feed, because there are too many. */
    readonly feedUntracked: number;
  };
}

/** What events are matched by. */
export interface MatchKnowledge {
  readonly program: Program;
  readonly matcher: RuleMatcher;
  readonly tables: CodeTables;
}

/** How a piece of the input reached us, where that differs from its arrival time or says more. */
export type Hearing = Partial<Pick<Heard, "heardAt" | "ageMs" | "feed">>;

interface Pending {
  coverage: Coverage;
}

/** Creates the matching half over a topology, which it owns from then on. */
export function createMatchStage(
  parts: MatchKnowledge & {
    readonly topology: Topology;
    /** What an earlier owner of the same partition remembered. */
    readonly remembered?: Iterable<Remembered>;
    /** What an earlier owner of the same partition knew of the health of the feed. */
    readonly health?: Iterable<StoredHostHealth>;
  },
): MatchStage {
  const { topology } = parts;
  let { program } = parts;
  let context = contextOf(parts, topology);
  let hasNewRules = false;
  const recent = new RecentSignals(parts.remembered ?? []);
  const pending = new Map<string, Pending>();
  const health = new FeedHealth();
  health.restore(parts.health ?? []);
  let fresh: Fact[] = [];
  let newest: EpochMs = Number.NEGATIVE_INFINITY;

  const route = (signal: Signal): KeyedInput[] => {
    const keys = keysOf(signal, program, topology);
    recent.remember(signal, keys);
    return keys.map((key) => ({ kind: "signal", key, signal }));
  };

  /** Of these signals, those whose machines are known better now: to every key they belong to now or went to before. */
  const resend = (candidates: Iterable<Remembered>): KeyedInput[] => {
    const inputs: KeyedInput[] = [];
    for (const held of candidates) {
      const signal = refreshSignal(held.signal, topology);
      const keys = new Set([...held.keys, ...keysOf(signal, program, topology)]);
      if (keys.size === held.keys.length && isSame(signal, held.signal)) continue;
      recent.remember(signal, [...keys]);
      for (const key of keys) inputs.push({ kind: "signal", key, signal });
    }
    return inputs;
  };

  const flushLog = (id: string): KeyedInput[] => {
    const held = pending.get(id);
    if (held === undefined) return [];
    pending.delete(id);
    return coverageInputs(held.coverage);
  };

  const coverageInputs = (coverage: Coverage): KeyedInput[] =>
    keysFor([relationsOf(topology, coverage.host, coverage.to)], KINDS_OF_COVERAGE).map((key) => ({
      kind: "coverage",
      key,
      coverage,
    }));

  const note = (event: WindowsEvent): KeyedInput[] => {
    const id = `${shortName(event.host)}\n${event.channel.toLowerCase()}`;
    const one = coverageOf(event);
    const held = pending.get(id);
    const joined = held === undefined ? undefined : join(held.coverage, one);
    const inputs = held !== undefined && joined === undefined ? flushLog(id) : [];
    pending.set(id, { coverage: joined ?? one });
    return inputs;
  };

  /** Notes what arrived for the health of the feed; returns what that shows at once. */
  const hear = (coverage: Coverage, receivedAt: EpochMs, hearing: Hearing): KeyedInput[] => {
    newest = Math.max(newest, receivedAt);
    return tell(health.note({ coverage, heardAt: receivedAt, ...hearing }));
  };

  /** Findings about the feed are records like any other, but for their way: they come from here. */
  const tell = (findings: readonly FeedFinding[]): KeyedInput[] =>
    findings.flatMap((finding) => [
      ...blindInputs(finding),
      ...matchEvent(feedEvent(finding, newest), newest, context).signals.flatMap(route),
    ]);

  const blindInputs = ({ host, at, blind }: FeedFinding): KeyedInput[] =>
    blind === undefined
      ? []
      : keysFor([relationsOf(topology, host, at)], KINDS_OF_COVERAGE).map((key) => ({
          kind: "blind",
          key,
          host,
          blind,
        }));

  return {
    get counters() {
      return { ...recent.counters, feedUntracked: health.untracked };
    },
    event(event, receivedAt, hearing = {}) {
      const heard = hear(coverageOf(event), receivedAt, hearing);
      // Whoever writes under our own name from outside says nothing about the feed.
      if (isFeedChannel(event.channel)) return heard;
      const isNewName = noteHost(topology, event.host);
      const matched = matchEvent(event, receivedAt, context);
      const restarted = matched.signals.some(({ rule }) => program.detections.get(rule)?.extension.time === "boot");
      // What came before a boot is told apart from what came after it: the last sign of life counts.
      const inputs = restarted
        ? [...pending.keys()].filter((id) => id.startsWith(`${shortName(event.host)}\n`)).flatMap(flushLog)
        : [];
      inputs.push(...heard, ...note(event));
      let news = false;
      for (const fact of matched.facts) {
        if (!learn(topology, fact)) continue;
        fresh.push(fact);
        news = true;
      }
      if (news) inputs.push(...resend(recent.all()));
      // A full name that is new answers to whoever called the machine by its short one.
      else if (isNewName) inputs.push(...resend(recent.naming(shortName(event.host))));
      for (const signal of matched.signals) inputs.push(...route(news ? refreshSignal(signal, topology) : signal));
      return inputs;
    },
    coverage: (coverage, receivedAt, hearing = {}) => [
      ...hear(coverage, receivedAt, hearing),
      ...coverageInputs(coverage),
    ],
    refresh: () => resend(recent.all()),
    fact(fact) {
      return learn(topology, fact) ? resend(recent.all()) : [];
    },
    flush() {
      recent.forgetBefore(newest);
      const again = hasNewRules ? resend(recent.all()) : [];
      hasNewRules = false;
      return [...again, ...[...pending.keys()].flatMap(flushLog), ...tell(health.look())];
    },
    use(knowledge) {
      program = knowledge.program;
      context = contextOf(knowledge, topology);
      hasNewRules = true;
    },
    finish: () => tell(health.finish()),
    healthChanges: () => health.changes(),
    remembered: () => recent.changes(),
    learned() {
      const facts = fresh;
      fresh = [];
      return facts;
    },
  };
}

function contextOf({ program, matcher, tables }: MatchKnowledge, topology: Topology) {
  const detections = new Map([...program.detections].filter(([name]) => program.keyKinds.has(name)));
  return { matcher, detections, tables, topology };
}

function coverageOf(event: WindowsEvent): Coverage {
  const recordId = event.recordId === undefined ? Number.NaN : Number(event.recordId);
  const known = Number.isSafeInteger(recordId) && recordId > 0;
  return {
    host: event.host,
    channel: event.channel,
    from: event.timeCreated,
    to: event.timeCreated,
    count: 1,
    ...(known ? { firstRecordId: recordId, lastRecordId: recordId } : {}),
  };
}

/** Two stretches that follow on each other, as one; `undefined` where a record id is left out between them. */
function join(held: Coverage, next: Coverage): Coverage | undefined {
  if ((held.lastRecordId === undefined) !== (next.firstRecordId === undefined)) return undefined;
  if (held.lastRecordId !== undefined && next.firstRecordId !== held.lastRecordId + 1) return undefined;
  return {
    ...held,
    from: Math.min(held.from, next.from),
    to: Math.max(held.to, next.to),
    count: held.count + next.count,
    ...(next.lastRecordId === undefined ? {} : { lastRecordId: next.lastRecordId }),
  };
}
