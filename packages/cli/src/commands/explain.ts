/** `culprit explain`: every point of an incident's ranking, or why a playbook opened none. */
import { whyNot } from "@culprit/correlator";
import { Fault, type Incident, plainLine, type RankedCause } from "@culprit/model";
import type { ConsoleOptions } from "../console-client.ts";
import { EXIT } from "../exit-code.ts";
import { incidentOfConsole } from "../incident-source.ts";
import { type AnalyzeOptions, analyze } from "./analyze.ts";

/** The console is asked for incidents of a running Culprit. */
export interface ExplainOptions extends AnalyzeOptions, ConsoleOptions {
  readonly whyNot?: string;
}

/** Runs the command. Returns the exit code. */
export async function runExplain(
  args: readonly string[],
  options: ExplainOptions,
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  if (options.whyNot !== undefined) {
    const { program, state } = await analyze(args, options, warn);
    const playbook = program.playbooks.get(options.whyNot);
    if (playbook === undefined) throw new Fault("explain.no-playbook", `no playbook '${options.whyNot}'`);
    for (const line of whyNot(playbook, state, program)) print(plainLine(line));
    return EXIT.done;
  }
  const [id, ...paths] = args;
  if (id === undefined)
    throw new Fault("explain.no-incident", "say which incident: the first characters of its id are enough");
  const found =
    paths.length === 0
      ? [await incidentOfConsole(id, options)]
      : (await analyze(paths, options, warn)).incidents.filter((incident) => incident.id.startsWith(id));
  if (found.length === 0) throw new Fault("explain.no-incident", `no incident whose id begins with ${id}`);
  for (const incident of found) printIncident(incident, print);
  return EXIT.done;
}

function printIncident(incident: Incident, print: (text: string) => void): void {
  print(`${incident.id}  ${incident.playbook} version ${incident.playbookVersion}, revision ${incident.revision}`);
  print(plainLine(`${incident.title} · ${incident.startedAt} · ${incident.verdict}`));
  for (const cause of incident.causes) printCause(cause, print);
  if (incident.unknown.length > 0) print("not known:");
  for (const line of incident.unknown) print(`      ${plainLine(line)}`);
}

function printCause(cause: RankedCause, print: (text: string) => void): void {
  print("");
  print(plainLine(`${String(Math.round(cause.share * 100)).padStart(3)} %  ${cause.id}: ${cause.title}`));
  for (const reason of [...cause.for, ...cause.against]) print(plainLine(`  ${signed(reason.points)}  ${reason.text}`));
  for (const { text, collect } of cause.missing)
    print(plainLine(`    ?  ${text}${collect === undefined ? "" : `  [${collect}]`}`));
}

function signed(points: number): string {
  return (points >= 0 ? `+${points}` : String(points)).padStart(4);
}
