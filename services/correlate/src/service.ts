/** The correlate service: events in, incidents out, over any bus. */
import type { Bus, Reader } from "@culprit/bus";
import { emptyTopology, learn } from "@culprit/correlator";
import { Fact, SECOND_MS, TOPICS } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import { type Clock, HEALTHY, type Health, type Logger, type Metrics, repeat, type Service } from "@culprit/runtime";
import { createActTask } from "./act-task.ts";
import { createFoldTask, type FoldTask } from "./fold-task.ts";
import { createMatchTask, type MatchTask, sourceName } from "./match-task.ts";

export const MATCH_GROUP = "match";
export const FOLD_GROUP = "fold";
const ACT_GROUP = "act";

export interface CorrelateOptions {
  readonly bus: Bus;
  readonly knowledge: Knowledge;
  /** Facts of the topology file. */
  readonly facts?: readonly Fact[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface CorrelateService extends Service {
  /** Goes on with other knowledge: what is open stays, and is judged by it from the next batch on. */
  use(knowledge: Knowledge): void;
}

/** Starts matching and folding. Errors: those of the bus. */
export async function start(options: CorrelateOptions): Promise<CorrelateService> {
  const { bus, clock, logger, metrics } = options;
  let { knowledge } = options;
  const topology = emptyTopology();
  for (const fact of options.facts ?? []) learn(topology, fact);
  const unreadable = metrics.counter(
    "correlate_unreadable_total",
    "Messages of our own topics that could not be read.",
    ["stage"],
  );
  const revisions = metrics.counter("incident_revisions_total", "Revisions of incidents made by the fold.");
  const tasks = new Set<MatchTask>();
  const folding = new Set<FoldTask>();
  metrics.observe("correlate", "What the fold has come to", () => ({
    keys: [...folding].reduce((sum, fold) => sum + fold.keys, 0),
    silent_sources: Math.max(0, ...[...folding].map((fold) => fold.silentSources)),
    log_time_seconds: Math.min(...[...folding].map((fold) => fold.logTime)) / SECOND_MS,
    signals_forgotten_early: [...tasks].reduce((sum, task) => sum + task.counters.recentDropped, 0),
    feed_untracked: [...tasks].reduce((sum, task) => sum + task.counters.feedUntracked, 0),
  }));
  const stopping = new AbortController();

  const known = await bus.follow({
    topic: TOPICS.topology.name,
    handle(batch) {
      for (const { value } of batch.messages) {
        const fact = Fact.safeParse(value);
        if (fact.success) learn(topology, fact.data);
        else if (value !== null) unreadable.add(1, { stage: "topology" });
      }
      // Also where one of them has learned it: the others share its topology, but have not looked at their signals since.
      for (const task of tasks) task.stale();
    },
  });
  await known.caughtUp;

  const signalPartitions = bus.partitionsOf(TOPICS.signals.name);
  const sources = Array.from({ length: bus.partitionsOf(TOPICS.events.name) }, (_, partition) => sourceName(partition));
  const folds = await bus.consume({
    group: FOLD_GROUP,
    topic: TOPICS.signals.name,
    open(assignment) {
      const task = createFoldTask(assignment, {
        program: () => knowledge.program,
        sources,
        holdsEveryKey: signalPartitions === 1,
        onUnreadable: (count) => unreadable.add(count, { stage: "fold" }),
        onIncident: () => revisions.add(),
      });
      folding.add(task);
      assignment.lost.addEventListener("abort", () => folding.delete(task), { once: true });
      return task;
    },
  });
  const acts = await bus.consume({
    group: ACT_GROUP,
    topic: TOPICS.actions.name,
    open: (assignment) => createActTask(assignment, { signalPartitions }),
  });
  const matches = await bus.consume({
    group: MATCH_GROUP,
    topic: TOPICS.events.name,
    open(assignment) {
      const task = createMatchTask(assignment, {
        knowledge,
        topology,
        clock,
        signalPartitions,
        onUnreadable: (count) => unreadable.add(count, { stage: "match" }),
      });
      tasks.add(task);
      assignment.lost.addEventListener("abort", () => tasks.delete(task), { once: true });
      return task;
    },
  });
  const beats = repeat({
    clock,
    everyMs: SECOND_MS,
    signal: stopping.signal,
    work: () => tellTime([...tasks]),
  });
  const readers: readonly Reader[] = [known, folds, acts, matches];
  const failed = failureOf([...readers.map(({ ended }) => ended), beats]);
  let failure: unknown;
  void failed.then((error) => {
    failure = error;
    logger.error({ error: String(error) }, "correlation has stopped");
  });
  let stop: Promise<void> | undefined;
  return {
    ready: Promise.resolve(),
    failed,
    health: (): Health => (failure === undefined ? HEALTHY : { state: "failed", reasons: [String(failure)] }),
    use(next) {
      knowledge = next;
      for (const task of tasks) void task.use(next);
    },
    stop() {
      stop ??= (async () => {
        stopping.abort();
        await beats.catch(() => {});
        for (const reader of [matches, acts, folds, known]) await reader.close();
      })();
      return stop;
    },
  };
}

/** One of those that have something to tell tells it for all: one commit a second, however many partitions there are. */
async function tellTime(tasks: readonly MatchTask[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.refresh()));
  const told = tasks.flatMap((task) => {
    const time = task.time();
    return time === undefined ? [] : [{ task, time }];
  });
  await told[0]?.task.tell(told.map(({ time }) => time));
}

/** Resolves with the first error; never when all end in peace. */
function failureOf(work: readonly Promise<unknown>[]): Promise<unknown> {
  return new Promise((resolve) => {
    for (const one of work) one.catch(resolve);
  });
}
