/**
 * The matching task: one partition of `events` in, signals under their relation keys out. It also drives time: with the first
 * event of each new step of log time, and every second while nothing comes, it tells every partition of `signals` how
 * far this partition has come.
 */
import type { Assignment, Batch, Change, Outgoing, PartitionTask } from "@culprit/bus";
import {
  arrivalOf,
  createMatchStage,
  createRuleMatcher,
  type KeyedInput,
  type MatchStage,
  type Remembered,
  type StoredHostHealth,
  type Topology,
} from "@culprit/correlator";
import { Arrival, deadLetter, type EpochMs, type Fact, SECOND_MS, TOPICS } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import type { Clock } from "@culprit/runtime";

/** How finely log time moves while events come; the same as offline, so that both make the same revisions. */
const TICK_STEP_MS = 10 * SECOND_MS;
const LOG_TIME = "log-time";
const RECENT_PREFIX = "recent ";
const HEALTH_PREFIX = "health ";

/** How far one partition of `events` has come, as the fold reads it. */
export interface SourceTick {
  readonly kind: "tick";
  readonly source: string;
  /** Log time: arrival time of the newest event, running on with our clock while nothing comes. */
  readonly at: EpochMs;
  /** How long nothing has come. */
  readonly idleMs: number;
}

export interface MatchTask extends PartitionTask {
  /** Lets time run on; call about once a second. */
  beat(): Promise<void>;
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
  const { knowledge, clock } = options;
  const stage: MatchStage = createMatchStage({
    program: knowledge.program,
    matcher: createRuleMatcher(knowledge),
    tables: knowledge.tables,
    topology: options.topology,
    remembered: storedIn<Remembered>(assignment.state, RECENT_PREFIX),
    health: storedIn<StoredHostHealth>(assignment.state, HEALTH_PREFIX),
  });
  const source = `${assignment.topic}/${assignment.partition}`;
  const stored = assignment.state.get(LOG_TIME);
  let logTime = typeof stored === "number" ? stored : Number.NEGATIVE_INFINITY;
  let nextStep = logTime;
  let lastEventAt = clock.elapsed();
  let position = assignment.position;
  // A beat and a batch each commit a position; one after the other, so that it never goes back.
  let work: Promise<void> = Promise.resolve();
  const inTurn = (next: () => Promise<void>): Promise<void> => {
    work = work.then(next);
    return work;
  };

  const ticks = (at: EpochMs, idleMs: number): Outgoing[] => {
    const tick: SourceTick = { kind: "tick", source, at, idleMs };
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
        const at = logTime === Number.NEGATIVE_INFINITY ? Math.min(coverage.to, heardAt) : logTime;
        outputs.push(...stage.coverage(coverage, at, { heardAt }).map(toMessage));
        continue;
      }
      const { receivedAt: heardAt } = parsed.data;
      const { event, at, ageMs } = arrivalOf(parsed.data.event, heardAt);
      if (at >= nextStep) {
        if (nextStep !== Number.NEGATIVE_INFINITY)
          outputs.push(...stage.flush().map(toMessage), ...ticks(Math.max(nextStep, logTime), 0));
        nextStep = at + TICK_STEP_MS;
      }
      logTime = Math.max(logTime, at);
      outputs.push(...stage.event(event, at, { heardAt, ...(ageMs === undefined ? {} : { ageMs }) }).map(toMessage));
    }
    if (unreadable > 0) options.onUnreadable(unreadable);
    return outputs;
  };

  return {
    handle: (batch) =>
      inTurn(async () => {
        lastEventAt = clock.elapsed();
        const outputs = read(batch);
        position = batch.next;
        await assignment.commit({
          outputs: [...outputs, ...stage.flush().map(toMessage), ...stage.learned().map(factMessage)],
          changes: [...timeChange(logTime), ...rememberedChanges(stage), ...healthChanges(stage)],
          position,
        });
      }),
    beat: () =>
      inTurn(async () => {
        if (logTime === Number.NEGATIVE_INFINITY || assignment.lost.aborted) return;
        const idleMs = Math.round(clock.elapsed() - lastEventAt);
        if (idleMs < SECOND_MS) return;
        const at = Math.min(clock.now(), logTime + idleMs);
        nextStep = Math.max(nextStep, at);
        await assignment.commit({ outputs: ticks(at, idleMs), position });
      }).catch((error: unknown) => {
        // A beat of a partition that was lost meanwhile is the next owner's to give.
        if (!assignment.lost.aborted) throw error;
      }),
    close: () => work.catch(() => {}),
  };
}

function timeChange(logTime: EpochMs): { key: string; value: unknown }[] {
  return logTime === Number.NEGATIVE_INFINITY ? [] : [{ key: LOG_TIME, value: logTime }];
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
