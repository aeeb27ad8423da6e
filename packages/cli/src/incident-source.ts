/** An incident that already was: from a file, or from a console that is asked for it. */
import { readFile } from "node:fs/promises";
import { Fault, Incident } from "@culprit/model";
import { askConsole, type ConsoleOptions } from "./console-client.ts";

/**
 * The first incident of a file: `analyze --json` prints one a line, a file kept from the console holds one over many lines.
 * Errors: `incident.unreadable`.
 */
export async function incidentOfFile(file: string): Promise<Incident> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("incident.unreadable", `${file} cannot be read`, { cause });
  });
  const incident = Incident.safeParse(parsedOr(text) ?? parsedOr(text.trimStart().split("\n", 1)[0] ?? ""));
  if (incident.success) return incident.data;
  const issue = incident.error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.join(".") || "top"}: ${issue.message})`;
  throw new Fault("incident.unreadable", `${file} is no incident as analyze --json prints them${where}`);
}

/**
 * An incident that a running Culprit knows; the first eight characters of its id are enough.
 * Errors: `console.no-answer`, `console.refused`.
 */
export async function incidentOfConsole(id: string, options: ConsoleOptions): Promise<Incident> {
  return Incident.parse(await askConsole(options, { method: "GET", path: `/incidents/${encodeURIComponent(id)}` }));
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
