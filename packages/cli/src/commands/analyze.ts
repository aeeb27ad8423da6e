/** `culprit analyze`: any files in, incidents out. */
import { writeFile } from "node:fs/promises";
import { createOffline, createRuleMatcher, type State } from "@culprit/correlator";
import { type Incident, shortName } from "@culprit/model";
import { renderHtml, renderMarkdown, renderPage } from "@culprit/notify";
import { knowledgeSelection, type Program } from "@culprit/rules";
import { createArrivals } from "../arrival.ts";
import { decodeInput, failureLine } from "../decode-input.ts";
import { EXIT } from "../exit-code.ts";
import { inputFiles } from "../input-files.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "../knowledge-files.ts";
import { isWithdrawn, pagedIncidents } from "../timeline.ts";
import { readTopologyFile } from "../topology-file.ts";

export interface AnalyzeOptions {
  readonly json?: boolean;
  readonly md?: boolean;
  readonly html?: string;
  readonly topology?: string;
  readonly playbooks?: string;
  readonly since?: number;
  readonly until?: number;
  readonly timezone: string;
  /** Children and records of severity info too. */
  readonly all?: boolean;
}

export interface Analysis {
  readonly program: Program;
  /** The fold as it stands at the end, for `explain`. */
  readonly state: State;
  /** Last revision of each, oldest first. */
  readonly incidents: readonly Incident[];
  readonly eventCount: number;
  readonly failureCount: number;
}

/** Analyses files. Errors: `Fault` for wrong use; unreadable parts go to `onFailure` and are counted. */
export async function analyze(
  paths: readonly string[],
  options: AnalyzeOptions,
  onFailure: (line: string) => void,
): Promise<Analysis> {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR, options.playbooks === undefined ? [] : [options.playbooks]);
  const facts = options.topology === undefined ? [] : await readTopologyFile(options.topology);
  const matcher = createRuleMatcher(knowledge);
  const arrivals = createArrivals(matcher, knowledge.tables);
  let failureCount = 0;
  const events = decodeInput(await inputFiles(paths), {
    zone: options.timezone,
    now: Date.now(),
    ...(options.since === undefined && options.until === undefined
      ? { selection: knowledgeSelection(knowledge), canDoWithout: arrivals.addUnwanted }
      : {}),
    onFailure: (failure) => {
      failureCount += 1;
      onFailure(failureLine(failure));
    },
  });
  for await (const { event, source } of events) {
    if (
      event.timeCreated >= (options.since ?? Number.NEGATIVE_INFINITY) &&
      event.timeCreated <= (options.until ?? Number.POSITIVE_INFINITY)
    )
      arrivals.add(event, source.path);
  }
  const chain = createOffline({
    program: knowledge.program,
    matcher,
    tables: knowledge.tables,
    facts,
    onRevision: () => {},
  });
  arrivals.feed(chain);
  return {
    program: knowledge.program,
    state: chain.state,
    // Offline there is no page to take back: what later records withdrew is not told at all.
    incidents: chain.finish().filter((incident) => !isWithdrawn(incident)),
    eventCount: arrivals.eventCount,
    failureCount,
  };
}

/** Runs the command. Returns the exit code. */
export async function runAnalyze(
  paths: readonly string[],
  options: AnalyzeOptions,
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  const { incidents, eventCount, failureCount } = await analyze(paths, options, warn);
  const paged = pagedIncidents(incidents);
  if (options.json === true) {
    for (const incident of incidents) print(JSON.stringify(incident));
  } else {
    const shown = options.all === true ? incidents : paged;
    const render = options.md === true ? renderMarkdown : renderPage;
    for (const incident of shown) print(`${render(incident, { timeZone: options.timezone })}\n`);
    if (options.md !== true) print(summary(eventCount, paged, incidents.length - paged.length, failureCount));
  }
  if (options.html !== undefined)
    await writeFile(
      options.html,
      paged.map((incident) => renderHtml(incident, { timeZone: options.timezone })).join("\n"),
    );
  if (failureCount > 0) return EXIT.unreadable;
  return paged.some(({ severity }) => severity === "critical" || severity === "high") ? EXIT.incident : EXIT.done;
}

function summary(eventCount: number, paged: readonly Incident[], attached: number, failureCount: number): string {
  const hosts = new Set(
    paged.flatMap(({ scope }) => scope.filter(({ kind }) => kind === "host").map(({ id }) => shortName(id))),
  );
  const unread = failureCount === 0 ? "" : `; ${failureCount} records could not be read`;
  const incidents = paged.length === 1 ? "1 incident" : `${paged.length} incidents`;
  return `${eventCount} events, ${incidents} on ${hosts.size} ${hosts.size === 1 ? "host" : "hosts"}, ${attached} attached to them or for the record only${unread}`;
}
