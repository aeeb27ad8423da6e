/** The list of incidents as a table for spreadsheets: one row each, text only, event text on one line. */
import type { Incident } from "@culprit/model";
import { csvText } from "./csv.ts";
import { say } from "./pages/html.ts";

const COLUMNS: readonly (readonly [string, (incident: Incident) => string])[] = [
  ["id", ({ id }) => id],
  ["status", ({ status }) => status],
  ["severity", ({ severity }) => severity],
  ["title", ({ title }) => title],
  ["playbook", ({ playbook }) => playbook],
  ["started", ({ startedAt }) => startedAt],
  ["detected", ({ detectedAt }) => detectedAt],
  ["ended", ({ endedAt = "" }) => endedAt],
  ["verdict", ({ verdict }) => verdict],
  ["cause", ({ causes }) => causes[0]?.title ?? ""],
  ["share", ({ causes }) => String(causes[0]?.share ?? "")],
  ["scope", ({ scope }) => scope.map(({ id, role }) => `${id} (${role})`).join(", ")],
  ["occurrences", ({ occurrences }) => String(occurrences)],
  ["attached", ({ children }) => String(children.length)],
];

/** The table with its header. */
export function incidentCsv(incidents: readonly Incident[]): string {
  const rows = incidents.map((incident) => COLUMNS.map(([, cell]) => say(cell(incident))));
  return csvText([COLUMNS.map(([name]) => name), ...rows]);
}
