/**
 * `culprit analyze --follow`: files and folders as they grow, incidents as they come about, until it is told to stop. Time
 * is that of the records while what was there is read, and the machine's own from then on, so that windows close in quiet.
 */
import { arrivalOf, createOffline, createRuleMatcher, DecodedFields, type Offline } from "@culprit/correlator";
import { type Coverage, Fault, type Incident, plainLine } from "@culprit/model";
import { renderMarkdown, renderPage } from "@culprit/notify";
import type { Clock } from "@culprit/runtime";
import { createArrivals } from "../arrival.ts";
import { failureLine } from "../decode-input.ts";
import { EXIT } from "../exit-code.ts";
import { FollowedFiles } from "../followed-files.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "../knowledge-files.ts";
import { pagedIncidents } from "../timeline.ts";
import { readTopologyFile } from "../topology-file.ts";
import type { AnalyzeOptions } from "./analyze.ts";

/** How often the files are looked at. */
const LOOK_EVERY_MS = 500;

export interface FollowParts {
  readonly clock: Clock;
  /** Aborted when it is to stop. */
  readonly stopping: AbortSignal;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

/**
 * Runs the command. Returns the exit code, as `analyze` does.
 * Errors: `input.not-followable` for standard input, `follow.no-page` with `--html`; those of the knowledge.
 */
export async function runFollow(
  paths: readonly string[],
  options: AnalyzeOptions,
  { clock, stopping, print, warn }: FollowParts,
): Promise<number> {
  if (paths.includes("-")) throw new Fault("input.not-followable", "standard input ends by itself: leave out --follow");
  if (options.html !== undefined)
    throw new Fault("input.not-followable", "--html is written at the end: leave out --follow");
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR, options.playbooks === undefined ? [] : [options.playbooks]);
  const facts = options.topology === undefined ? [] : await readTopologyFile(options.topology);
  const matcher = createRuleMatcher(knowledge);
  const board = new Board(options, print);
  const { program, tables } = knowledge;
  const chain = createOffline({ program, matcher, tables, facts, onRevision: (incident) => board.note(incident) });
  let failureCount = 0;
  const files = new FollowedFiles(paths, {
    zone: options.timezone,
    now: () => clock.now(),
    onFailure: (failure) => {
      failureCount += 1;
      warn(failureLine(failure));
    },
  });

  // What was there is sorted by its arrival, as in a file that is only analysed.
  const backlog = createArrivals(matcher, tables);
  for await (const { event, source } of files.look()) backlog.add(event, source.path);
  backlog.feed(chain);
  chain.pass(clock.now());
  board.show();
  warn(`${backlog.eventCount} events so far; following ${paths.join(", ")}`);

  while (await clock.sleep(LOOK_EVERY_MS, stopping)) {
    await feed(chain, files.look());
    chain.pass(clock.now());
    board.show();
  }
  await feed(chain, files.end());
  const incidents = chain.finish();
  board.show();
  if (failureCount > 0) return EXIT.unreadable;
  const told = pagedIncidents(incidents);
  return told.some(({ severity }) => severity === "critical" || severity === "high") ? EXIT.incident : EXIT.done;

  async function feed(into: Offline, events: ReturnType<FollowedFiles["look"]>): Promise<void> {
    for await (const { event: raw, source } of events) {
      const now = clock.now();
      const { event, ageMs } = arrivalOf(raw, now);
      const hearing = {
        ...(ageMs === undefined ? {} : { ageMs }),
        ...(source.path === undefined ? {} : { feed: source.path }),
      };
      if (matcher.match(event, new DecodedFields(event, tables)).length > 0) into.event(event, now, hearing);
      else into.coverage(coverageOf(event), now, hearing);
    }
  }
}

function coverageOf({ host, channel, timeCreated, recordId }: Parameters<Offline["event"]>[0]): Coverage {
  const id = Number(recordId ?? Number.NaN);
  return {
    host,
    channel,
    from: timeCreated,
    to: timeCreated,
    count: 1,
    ...(Number.isSafeInteger(id) && id > 0 ? { firstRecordId: id, lastRecordId: id } : {}),
  };
}

/** Incidents as they stand, told when they begin to concern somebody and when what they say changes. */
class Board {
  readonly #options: AnalyzeOptions;
  readonly #print: (text: string) => void;
  readonly #changed = new Map<string, Incident>();
  /** What was last said of each that is not over. */
  readonly #told = new Map<string, string>();

  constructor(options: AnalyzeOptions, print: (text: string) => void) {
    this.#options = options;
    this.#print = print;
  }

  note(incident: Incident): void {
    this.#changed.set(incident.id, incident);
  }

  show(): void {
    const changed = [...this.#changed.values()];
    this.#changed.clear();
    for (const incident of this.#options.all === true ? changed : pagedIncidents(changed)) {
      const words = JSON.stringify([incident.status, incident.severity, incident.verdict, incident.causes[0]?.id]);
      if (this.#told.get(incident.id) === words) continue;
      this.#told.set(incident.id, words);
      this.#say(incident);
    }
    for (const { id, status } of changed) if (status === "closed") this.#told.delete(id);
  }

  #say(incident: Incident): void {
    const { json, md, timezone } = this.#options;
    if (json === true) this.#print(JSON.stringify(incident));
    else if (md === true) this.#print(`${renderMarkdown(incident, { timeZone: timezone })}\n`);
    else
      this.#print(
        `${plainLine(`${incident.updatedAt}  ${incident.status}`)}\n${renderPage(incident, { timeZone: timezone })}\n`,
      );
  }
}
