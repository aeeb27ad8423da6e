/** `culprit routes test`: which targets would be told of an incident, and why the others would not. */
import { Fault, type Incident, type IncidentId, isoOf, type Severity } from "@culprit/model";
import { type RouteAnswer, reportRoutes } from "@culprit/notify";
import { systemClock } from "@culprit/runtime";
import { loadWholeConfig } from "../config.ts";
import { EXIT } from "../exit-code.ts";
import { incidentOfFile } from "../incident-source.ts";
import { silencesOf } from "./silence.ts";

export interface RoutesTestOptions {
  readonly config?: string;
  readonly playbook?: string;
  readonly severity?: Severity;
  readonly host?: string;
  /** The instant to answer for; now unless given. */
  readonly at?: number;
  /** A console whose silences count as well. */
  readonly console?: string;
  /** A file that holds a token of that console. */
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/**
 * Runs the command. Returns the exit code: 0 when somebody would be told, 1 when nobody would.
 * Errors: those of the config; `incident.unreadable`, `routes.no-incident`.
 */
export async function runRoutesTest(
  file: string | undefined,
  options: RoutesTestOptions,
  print: (text: string) => void,
): Promise<number> {
  const { notify } = loadWholeConfig(options.config);
  const now = options.at ?? systemClock.now();
  const incident = file === undefined ? describedIncident(options, now) : await incidentOfFile(file);
  const silences = options.console === undefined ? [] : await silencesOf({ ...options, console: options.console });
  const answers = reportRoutes(incident, { config: notify, now, silences });
  if (options.json === true) print(JSON.stringify(answers));
  else if (answers.length === 0) print("no targets are configured: pages go to the terminal");
  else {
    const width = Math.max(...answers.map(({ target }) => target.length));
    for (const answer of answers) print(`${answer.target.padEnd(width)}  ${sentenceOf(answer)}`);
  }
  return answers.length === 0 || answers.some(({ told }) => told) ? EXIT.done : EXIT.incident;
}

function sentenceOf({ kind, told, reason, until, fallback, escalateTo }: RouteAnswer): string {
  if (!told) return `not told: ${reason}${until === undefined ? "" : ` until ${isoOf(until)}`}`;
  const instead = fallback === undefined ? "" : `, else ${fallback}`;
  const also = escalateTo === undefined ? "" : `, ${escalateTo} too if nobody acknowledges`;
  return `told (${kind}${instead}${also})`;
}

function describedIncident({ playbook, severity, host }: RoutesTestOptions, now: number): Incident {
  if (playbook === undefined && severity === undefined && host === undefined) {
    throw new Fault(
      "routes.no-incident",
      "name a file with an incident, or describe one with --playbook, --severity, --host",
    );
  }
  const at = isoOf(now);
  const cause = { summary: "", share: 1, points: 0, for: [], against: [], missing: [], actions: [], references: [] };
  return {
    id: "0".repeat(64) as IncidentId,
    revision: 1,
    playbook: playbook ?? "any",
    playbookVersion: 1,
    programHash: "",
    title: "as described",
    severity: severity ?? "critical",
    status: "open",
    verdict: "not-enough-evidence",
    settled: true,
    scope: host === undefined ? [] : [{ kind: "host", id: host.toLowerCase(), role: "victim" }],
    startedAt: at,
    detectedAt: at,
    updatedAt: at,
    causes: [{ id: "unknown", title: "Not known", ...cause }],
    notCauses: [],
    facts: [],
    timeline: [],
    unknown: [],
    children: [],
    occurrences: 1,
    first: at,
    last: at,
  };
}
