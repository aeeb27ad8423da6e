/** An incident that already was: from a file, or from a console that is asked for it. */
import { readFile } from "node:fs/promises";
import { Fault, Incident } from "@culprit/model";

const TIMEOUT_MS = 15_000;

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
 * An incident that a running Culprit knows; the first characters of its id are enough.
 * Errors: `incident.no-console`, `incident.unknown`.
 */
export async function incidentOfConsole(id: string, url: string): Promise<Incident> {
  const address = new URL(`/api/v1/incidents/${encodeURIComponent(id)}`, url);
  const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw new Fault("incident.no-console", `no console answers at ${url}; name a file, or --console`, { cause });
  });
  if (!response.ok) throw new Fault("incident.unknown", `the console at ${url} knows no incident ${id}`);
  return Incident.parse(await response.json());
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
