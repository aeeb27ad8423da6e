/** `culprit replay`: what was stored, once more: events through today's knowledge, dead letters through a receiver. */
import { arrivalOf, createOffline, createRuleMatcher } from "@culprit/correlator";
import { Arrival, DeadLetter, type EpochMs, Fault, originalOf, plainLine, TOPICS } from "@culprit/model";
import { renderMarkdown, renderPage } from "@culprit/notify";
import { z } from "zod";
import { loadWholeConfig } from "../config.ts";
import { askConsole, type ConsoleOptions } from "../console-client.ts";
import { EXIT } from "../exit-code.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "../knowledge-files.ts";
import { openLog } from "../open-log.ts";
import { configuredFacts } from "../service-parts.ts";
import { isWithdrawn, pagedIncidents } from "../timeline.ts";

type Print = (text: string) => void;

export interface ReplayEventsOptions {
  readonly config?: string;
  readonly data: string;
  /** A folder of one's own to try, in place of the config's. */
  readonly playbooks?: string;
  readonly since?: EpochMs;
  readonly until?: EpochMs;
  readonly timezone: string;
  readonly json?: boolean;
  readonly md?: boolean;
  readonly all?: boolean;
}

/**
 * Plays the stored events through the knowledge as it is now, and prints the incidents. Nothing is stored and nobody is told.
 * Units: `since` and `until` bound the arrival of events. Errors: those of the config, the knowledge and the log.
 */
export async function runReplayEvents(options: ReplayEventsOptions, print: Print): Promise<number> {
  const config = loadWholeConfig(options.config);
  const own = options.playbooks ?? config.correlate.playbooks;
  const [knowledge, facts] = await Promise.all([
    loadKnowledge(KNOWLEDGE_DIR, own === undefined ? [] : [own]),
    configuredFacts(config),
  ]);
  const arrivals = await storedArrivals(options, config);
  const { program, tables } = knowledge;
  const matcher = createRuleMatcher(knowledge);
  const chain = createOffline({ program, matcher, tables, facts, onRevision: () => {} });
  for (const { arrival, at } of arrivals) {
    if (arrival.kind === "event") chain.event(arrivalOf(arrival.event, arrival.receivedAt).event, at);
    else {
      const { kind: _kind, ...coverage } = arrival;
      chain.coverage(coverage, at);
    }
  }
  const incidents = chain.finish().filter((incident) => !isWithdrawn(incident));
  const shown = options.json === true || options.all === true ? incidents : pagedIncidents(incidents);
  const render = options.md === true ? renderMarkdown : renderPage;
  for (const incident of shown) {
    print(options.json === true ? JSON.stringify(incident) : `${render(incident, { timeZone: options.timezone })}\n`);
  }
  const events = arrivals.filter(({ arrival }) => arrival.kind === "event").length;
  if (options.json !== true)
    print(`${events} stored events, ${shown.length} ${shown.length === 1 ? "incident" : "incidents"}`);
  const grave = pagedIncidents(incidents).some(({ severity }) => severity === "critical" || severity === "high");
  return grave ? EXIT.incident : EXIT.done;
}

interface StoredArrival {
  readonly arrival: Arrival;
  /** Log time, as the matcher reads it: the partitions of one log are merged by it. */
  readonly at: EpochMs;
}

async function storedArrivals(
  options: ReplayEventsOptions,
  config: ReturnType<typeof loadWholeConfig>,
): Promise<readonly StoredArrival[]> {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options;
  const found: StoredArrival[] = [];
  await using bus = await openLog(config, options.data);
  const follower = await bus.follow({
    topic: TOPICS.events.name,
    handle({ messages }) {
      for (const message of messages) {
        const arrival = Arrival.safeParse(message.value);
        if (!arrival.success) continue;
        const { data } = arrival;
        const at = data.kind === "event" ? arrivalOf(data.event, data.receivedAt).at : message.at;
        if (at >= since && at <= until) found.push({ arrival: data, at });
      }
    },
  });
  await follower.caughtUp;
  await follower.close();
  return found.sort((a, b) => a.at - b.at);
}

/** The console holds the newest dead letters. */
export interface ReplayLettersOptions extends ConsoleOptions {
  /** The receiver that takes any format. */
  readonly to: string;
  /** Only letters whose reason begins so. */
  readonly reason?: string;
  /** A token of the receiver's. */
  readonly token?: string;
  readonly limit: number;
  /** Says what would be sent, and sends nothing. */
  readonly dryRun?: boolean;
}

/** What `/ingest` answers to a body without a readable record, and to one that is too long. */
const UNREADABLE = new Set([400, 413]);

const Letters = z.object({ deadLetters: z.array(DeadLetter) });

/**
 * Sends dead letters' original bytes to a receiver again, oldest first, after what they failed on was repaired. What was
 * kept in part only is left out and said. Errors: `console.no-answer`, `console.refused`, `replay.refused` with the
 * answer.
 */
export async function runReplayLetters(options: ReplayLettersOptions, print: Print): Promise<number> {
  const letters = (await askLetters(options)).filter(({ reason }) => reason.startsWith(options.reason ?? ""));
  let sent = 0;
  let left = 0;
  for (const letter of letters.reverse()) {
    const original = originalOf(letter);
    const name = plainLine(`${letter.reason}: ${letter.detail}`);
    if (original.length < letter.size) {
      left += 1;
      print(`left out, ${original.length} of ${letter.size} bytes were kept  ${name}`);
      continue;
    }
    if (options.dryRun !== true) await send(original, options);
    sent += 1;
    print(`${options.dryRun === true ? "would send" : "sent"}  ${original.length} bytes  ${name}`);
  }
  print(`${sent} sent again, ${left} left out; what still cannot be read is a dead letter again`);
  return left > 0 ? EXIT.unreadable : EXIT.done;
}

async function askLetters(options: ReplayLettersOptions): Promise<DeadLetter[]> {
  const path = `/dead-letters?limit=${options.limit}`;
  return Letters.parse(await askConsole(options, { method: "GET", path })).deadLetters;
}

async function send(body: Uint8Array, { to, token }: ReplayLettersOptions): Promise<void> {
  const headers: Record<string, string> = { "content-type": "application/octet-stream" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const request = { method: "POST", headers, body: Buffer.from(body) };
  const response = await fetch(new URL("/ingest", to), request).catch((cause: unknown) => {
    throw new Fault("replay.refused", `no receiver answers at ${to}; name another with --to`, { cause });
  });
  const answer = plainLine(await response.text());
  // A body without a readable record is a dead letter again, and the next one may be readable.
  if (!response.ok && !UNREADABLE.has(response.status))
    throw new Fault("replay.refused", `${to} answered ${response.status}: ${answer}`);
}
