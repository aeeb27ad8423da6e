/** Whether a target's route lets an incident through at an instant. Pure. */
import { type EpochMs, type Incident, matchesHostPattern, weeklyState } from "@culprit/model";
import type { TargetConfig } from "./config.ts";
import { isAtLeast } from "./page-content.ts";

export type Route = Pick<TargetConfig, "leastSeverity" | "playbooks" | "scope" | "when" | "fallbackOnly">;

/** Why a route holds an incident back. */
export type RouteRefusal = "fallback-only" | "severity-too-low" | "other-playbook" | "other-scope" | "outside-hours";

/**
 * Why a route does not want an incident: by severity, playbook, scope and hours of the week; `undefined` when it does.
 * Shape: what would hold for ever is named before what passes with time.
 */
export function routeRefusal(incident: Incident, route: Route, now: EpochMs): RouteRefusal | undefined {
  if (route.fallbackOnly) return "fallback-only";
  if (!isAtLeast(incident.severity, route.leastSeverity)) return "severity-too-low";
  if (route.playbooks !== undefined && !route.playbooks.includes(incident.playbook)) return "other-playbook";
  const { scope, when } = route;
  const named = scope?.some((pattern) => incident.scope.some(({ id }) => matchesHostPattern(id, pattern))) ?? true;
  if (!named) return "other-scope";
  return when === undefined || weeklyState(when, now).open ? undefined : "outside-hours";
}
