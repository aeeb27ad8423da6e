/** The machine or thing an incident is about, as other systems' objects are named after it. */
import { type Incident, shortName } from "@culprit/model";

/** The first host, else the first of whatever is in scope; `culprit` where nothing is. */
export function subjectOf({ scope }: Pick<Incident, "scope">): string {
  return scope.find(({ kind }) => kind === "host")?.id ?? scope[0]?.id ?? "culprit";
}

/** Fills `{host}` (full name), `{short}` (the part before its first dot) and `{playbook}` into a name. */
export function filledName(template: string, incident: Pick<Incident, "scope" | "playbook">): string {
  const host = subjectOf(incident);
  const words: Readonly<Record<string, string>> = { host, short: shortName(host), playbook: incident.playbook };
  return template.replaceAll(/\{(host|short|playbook)\}/g, (_, word: string) => words[word] ?? "");
}
