/** Whether a target's route lets an incident through. Pure. */
import { type Incident, shortName } from "@culprit/model";
import type { TargetConfig } from "./config.ts";
import { isAtLeast } from "./page-content.ts";

export type Route = Pick<TargetConfig, "leastSeverity" | "playbooks" | "scope" | "fallbackOnly">;

/** By severity, playbook and scope; host patterns match the full and the short name. */
export function passesRoute(incident: Incident, route: Route): boolean {
  if (route.fallbackOnly || !isAtLeast(incident.severity, route.leastSeverity)) return false;
  if (route.playbooks !== undefined && !route.playbooks.includes(incident.playbook)) return false;
  if (route.scope === undefined) return true;
  const names = incident.scope.flatMap(({ id }) => [id.toLowerCase(), shortName(id.toLowerCase())]);
  return route.scope.some((pattern) => names.some((name) => matchesPattern(name, pattern.toLowerCase())));
}

/**
 * Whether a name matches a pattern in which `*` stands for any text; linear in the name for each part of the pattern.
 */
function matchesPattern(name: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
