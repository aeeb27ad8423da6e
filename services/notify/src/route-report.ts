/**
 * Which targets would be told of an incident, and why the others would not: what `culprit routes test` prints. It asks the
 * same decision and the same routes as the engine, of targets that have heard nothing yet. Pure.
 */
import type { EpochMs, Incident } from "@culprit/model";
import type { NotifyConfig } from "./config.ts";
import { decide } from "./decision.ts";
import { routeRefusal } from "./route.ts";

export interface RouteAnswer {
  readonly target: string;
  readonly kind: string;
  readonly told: boolean;
  /** `first`; or a quiet reason of the decision, with the route's own where that holds it back. */
  readonly reason: string;
  /** Who hears of it instead when the target cannot be reached. */
  readonly fallback?: string;
}

/** One answer for each target, in the order of the config. */
export function reportRoutes(
  incident: Incident,
  situation: { readonly config: NotifyConfig; readonly now: EpochMs },
): readonly RouteAnswer[] {
  const { config, now } = situation;
  return config.targets.map((target): RouteAnswer => {
    const refusal = routeRefusal(incident, target);
    const decision = decide({
      incident,
      record: undefined,
      parentRecord: undefined,
      wanted: refusal === undefined,
      now,
      updateEveryMs: target.updateEveryMs,
    });
    return {
      target: target.name,
      kind: target.kind,
      told: decision.act === "trigger",
      reason: decision.reason === "not-routed" ? (refusal ?? decision.reason) : decision.reason,
      ...(target.fallback === undefined ? {} : { fallback: target.fallback }),
    };
  });
}
