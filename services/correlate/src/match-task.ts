/**
 * The matching task: one partition of `events` in, signals under their relation keys out. It also drives time: with the first
 * event of each new step of log time, and about every second, every partition of `signals` is told how far this
 * partition has come.
 */
import type { Assignment, Batch, Change, Commit, Outgoing, PartitionTask } from "@culprit/bus";
import {
  arrivalOf,
  createMatchStage,
  createRuleMatcher,
  type KeyedInput,
  type MatchKnowledge,
  type MatchStage,
  type Remembered,
  type StoredHostHealth,
  type Topology,
} from "@culprit/correlator";
import { Arrival, deadLetter, type Fact, SECOND_MS, TOPICS } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import type { Clock } from "@culprit/runtime";
import { SourceClock, type SourceTime } from "./source-clock.ts";

/** How finely log time moves while events come; the same as offline, so that both make the same revisions. */
const TICK_STEP_MS = 10 * SECOND_MS;
const LOG_TIME = "log-time";
const RECENT_PREFIX = "recent ";
const HEALTH_PREFIX = "health ";

/** How far partitions of `events` have come, as the fold reads it. */
export interface SourceTick {
  readonly kind: "tick";
  readonly sources: readonly SourceTime[];
}

/** The name of a partition of `events` in ticks. */
export function sourceName(partition: number): string {
  return `${TOPICS.events.name}/${partition}`;
}

export interface MatchTask extends PartitionTask {
  /** The topology may know more than before: recent signals go to the keys they belong to now, before the time is told again. */
  stale(): void;
  /** How far it has come; `undefined` while a batch is in work, or before it knows. */
  time(): SourceTime | undefined;
  /** Sends again what is known better by now. */
  refresh(): Promise<void>;
  /** What was left out at a limit. */
  readonly counters: MatchStage["counters"];
  /** Tells how far sources have come, this one's or others'. What was true once stays true, so anybody may tell it. */
  tell(times: readonly SourceTime[]): Promise<void>;
  /** Goes on with other knowledge after the batch in work. */
  use(knowledge: Knowledge): Promise<void>;
}

export interface MatchOptions {
  readonly knowledge: Knowledge;
  /** Shared by the tasks of the process. */
  readonly topology: Topology;
  readonly clock: Clock;
  readonly signalPartitions: number;
  readonly onUnreadable: (count: number) => void;
}

/** Creates the task for an assigned partition. */
export function createMatchTask(assignment: Assignment, options: MatchOptions): MatchTask {
  const { clock } = options;
  const stage: MatchStage = createMatchStage({
    ...matchKnowledge(options.knowledge),
    topology: options.topology,
    remembered: storedIn<Remembered>(assignment.state, RECENT_PREFIX),
    health: storedIn<StoredHostHealth>(assignment.state, HEALTH_PREFIX),
  });
  const source = sourceName(assignment.partition);
  const time = new SourceClock(source, assignment.state.get(LOG_TIME));
  let nextStep = time.newest;
  let toldAt = clock.elapsed();
  let position = assignment.position;
  let inWork = false;
  // An owner that comes may know more of the machines than the one before.
  let isStale = true;
  // Telling the time and a batch each commit a position; one after the other, so that it never goes back.
  let work: Promise<void> = Promise.resolve();
  const inTurn = (next: () => Promise<void>): Promise<void> => {
    work = work.then(next);
    return work;
  };

  const ticks = (sources: readonly SourceTime[]): Outgoing[] => {
    if (sources.some((one) => one.source === source)) toldAt = clock.elapsed();
    const tick: SourceTick = { kind: "tick", sources };
    return Array.from({ length: options.signalPartitions }, (_, partition) => ({
      topic: TOPICS.signals.name,
      key: source,
      value: tick,
      partition,
    }));
  };

  const read = (batch: Batch): Outgoing[] => {
    const outputs: Outgoing[] = [];
    let unreadable = 0;
    for (const message of batch.messages) {
      time.read(message.at);
      const parsed = Arrival.safeParse(message.value);
      if (!parsed.success) {
        unreadable += 1;
        const failure = {
          reason: "match.unreadable-arrival",
          detail: parsed.error.issues[0]?.message ?? "not an arrival",
        };
        outputs.push({
          topic: TOPICS["dead-letters"].name,
          key: message.key,
          value: deadLetter(Buffer.from(JSON.stringify(message.value) ?? ""), {
            stage: "match",
            failure,
            at: message.at,
          }),
        });
        continue;
      }
      if (parsed.data.kind === "coverage") {
        const { kind: _kind, ...coverage } = parsed.data;
        const heardAt = message.at;
        const at = time.newest === Number.NEGATIVE_INFINITY ? Math.min(coverage.to, heardAt) : time.newest;
        outputs.push(...stage.coverage(coverage, at, { heardAt }).map(toMessage));
        continue;
      }
      const { receivedAt: heardAt } = parsed.data;
      const { event, at, ageMs } = arrivalOf(parsed.data.event, heardAt);
      if (at >= nextStep) {
        if (nextStep !== Number.NEGATIVE_INFINITY) {
          const reached = time.before(message.at, Math.max(nextStep, time.newest));
          outputs.push(...stage.flush().map(toMessage), ...ticks([reached]));
        }
        nextStep = at + TICK_STEP_MS;
      }
      time.read(message.at, at);
      outputs.push(...stage.event(event, at, { heardAt, ...(ageMs === undefined ? {} : { ageMs }) }).map(toMessage));
    }
    if (unreadable > 0) options.onUnreadable(unreadable);
    return outputs;
  };

  const refreshed = (): readonly Outgoing[] => {
    if (!isStale) return [];
    isStale = false;
    return stage.refresh().map(toMessage);
  };

  const timeNow = (): SourceTime | undefined => {
    const reached = time.now(assignment.readThrough(), clock.elapsed());
    nextStep = Math.max(nextStep, reached?.at ?? Number.NEGATIVE_INFINITY);
    return reached;
  };

  /** Commits something between batches. What a partition that was lost meanwhile had to say comes from its next owner. */
  const say = (what: () => Omit<Commit, "position">): Promise<void> =>
    inTurn(async () => {
      if (assignment.lost.aborted) return;
      const said = what();
      if (said.outputs?.length !== 0) await assignment.commit({ ...said, position });
    }).catch((error: unknown) => {
      if (!assignment.lost.aborted) throw error;
    });

  return {
    handle: (batch) =>
      inTurn(async () => {
        inWork = true;
        const outputs = [...refreshed(), ...read(batch), ...stage.flush().map(toMessage)];
        // Whoever always has work tells the time with it.
        const reached = clock.elapsed() - toldAt >= SECOND_MS ? timeNow() : undefined;
        position = batch.next;
        await assignment.commit({
          outputs: [
            ...outputs,
            ...stage.learned().map(factMessage),
            ...(reached === undefined ? [] : ticks([reached])),
          ],
          changes: [...timeChange(time), ...rememberedChanges(stage), ...healthChanges(stage)],
          position,
        });
        inWork = false;
      }),
    get counters() {
      return stage.counters;
    },
    stale() {
      isStale = true;
    },
    time: () => (inWork || isStale ? undefined : timeNow()),
    async refresh() {
      if (!isStale) return;
      await say(() => ({ outputs: refreshed(), changes: rememberedChanges(stage) }));
    },
    tell: (times) => say(() => ({ outputs: ticks(times) })),
    // What failed before has ended the reader, which tells of it.
    use: (knowledge) => inTurn(async () => stage.use(matchKnowledge(knowledge))).catch(() => {}),
    close: () => work.catch(() => {}),
  };
}

function matchKnowledge(knowledge: Knowledge): MatchKnowledge {
  const { program, tables } = knowledge;
  return { program, tables, matcher: createRuleMatcher(knowledge) };
}

function timeChange({ stored }: SourceClock): Change[] {
  return stored === undefined ? [] : [{ key: LOG_TIME, value: stored }];
}

/** Recent signals are kept with the position: a fact learned after a restart still finds those from before it. */
function storedIn<T>(state: ReadonlyMap<string, unknown>, prefix: string): T[] {
  return [...state].filter(([name]) => name.startsWith(prefix)).map(([, value]) => value as T);
}

function healthChanges(stage: MatchStage): Change[] {
  const { stored, removed } = stage.healthChanges();
  return [
    ...stored.map((host) => ({ key: HEALTH_PREFIX + host.host, value: host })),
    ...removed.map((host) => ({ key: HEALTH_PREFIX + host, value: null })),
  ];
}

function rememberedChanges(stage: MatchStage): Change[] {
  const { added, removed } = stage.remembered();
  return [
    ...added.map((held) => ({ key: RECENT_PREFIX + held.signal.id, value: held })),
    ...removed.map((id) => ({ key: RECENT_PREFIX + id, value: null })),
  ];
}

function toMessage(input: KeyedInput): Outgoing {
  return { topic: TOPICS.signals.name, key: input.key, value: input };
}

function factMessage(fact: Fact): Outgoing {
  return { topic: TOPICS.topology.name, key: `${fact.kind} ${fact.from} ${fact.to}`.toLowerCase(), value: fact };
}
