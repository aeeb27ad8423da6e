/** Whether a target's route lets an incident through. Pure. */
import { type Incident, shortName } from "@culprit/model";
import type { TargetConfig } from "./config.ts";
import { isAtLeast } from "./page-content.ts";

export type Route = Pick<TargetConfig, "leastSeverity" | "playbooks" | "scope" | "fallbackOnly">;

/** Why a route holds an incident back. */
export type RouteRefusal = "fallback-only" | "severity-too-low" | "other-playbook" | "other-scope";

/**
 * Why a route does not want an incident: by severity, playbook and scope; `undefined` when it does.
 * Shape: host patterns match the full and the short name.
 */
export function routeRefusal(incident: Incident, route: Route): RouteRefusal | undefined {
  if (route.fallbackOnly) return "fallback-only";
  if (!isAtLeast(incident.severity, route.leastSeverity)) return "severity-too-low";
  if (route.playbooks !== undefined && !route.playbooks.includes(incident.playbook)) return "other-playbook";
  if (route.scope === undefined) return undefined;
  const names = incident.scope.flatMap(({ id }) => [id.toLowerCase(), shortName(id.toLowerCase())]);
  const wanted = route.scope.some((pattern) => names.some((name) => matchesPattern(name, pattern.toLowerCase())));
  return wanted ? undefined : "other-scope";
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
