/** The machine or thing an incident is about, as other systems' objects are named after it. */
import { type Incident, maskSecrets, plainLine, shortName } from "@culprit/model";

type Scope = Pick<Incident, "scope">;

/** The host that was hit, else the first host, else the first of whatever is in scope; `culprit` where nothing is. */
export function subjectOf(incident: Scope): string {
  return visible(entryOf(incident)?.id ?? "culprit");
}

/** The same as people call it: a host by its short name, the rest as it is; empty where there is nothing. */
export function subjectName(incident: Scope): string {
  const entry = entryOf(incident);
  if (entry === undefined) return "";
  return visible(entry.kind === "host" ? shortName(entry.id).toUpperCase() : entry.id);
}

/** Fills `{host}` (full name), `{short}` (the part before its first dot) and `{playbook}` into a name. */
export function filledName(template: string, incident: Pick<Incident, "scope" | "playbook">): string {
  const host = subjectOf(incident);
  const words: Readonly<Record<string, string>> = { host, short: shortName(host), playbook: incident.playbook };
  return template.replaceAll(/\{(host|short|playbook)\}/g, (_, word: string) => words[word] ?? "");
}

function entryOf({ scope }: Scope): Incident["scope"][number] | undefined {
  const hosts = scope.filter(({ kind }) => kind === "host");
  return hosts.find(({ role }) => role === "victim") ?? hosts[0] ?? scope[0];
}

/** A name comes from a log like any other text. */
function visible(name: string): string {
  return plainLine(maskSecrets(name));
}
