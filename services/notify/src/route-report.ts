/**
 * Which targets would be told of an incident, and why the others would not: what `culprit routes test` prints. It asks the
 * same decision, routes and silences as the engine, of targets that have heard nothing yet. Pure.
 */
import { type EpochMs, type Incident, type Silence, silenceOf } from "@culprit/model";
import { claimOf } from "./claim.ts";
import type { NotifyConfig } from "./config.ts";
import { decide } from "./decision.ts";

export interface RouteAnswer {
  readonly target: string;
  readonly kind: string;
  readonly told: boolean;
  /** `first`; or a quiet reason of the decision, with the route's own where that holds it back. */
  readonly reason: string;
  /** When that may change by itself. */
  readonly until?: EpochMs;
  /** Who hears of it instead when the target cannot be reached. */
  readonly fallback?: string;
  /** Who hears of it as well when nobody acknowledges in time. */
  readonly escalateTo?: string;
}

/** One answer for each target, in the order of the config. */
export function reportRoutes(
  incident: Incident,
  situation: { readonly config: NotifyConfig; readonly now: EpochMs; readonly silences?: Iterable<Silence> },
): readonly RouteAnswer[] {
  const { config, now, silences = [] } = situation;
  const silence = silenceOf(incident, silences, now);
  const untold = { targets: config.targets, recordOf: () => undefined, standing: { status: incident.status }, now };
  return config.targets.map((target): RouteAnswer => {
    const { wanted, refusal, changesAt = silence?.until } = claimOf(incident, target.name, untold);
    const decision = decide({
      incident,
      record: undefined,
      parentRecord: undefined,
      wanted,
      silenced: silence !== undefined,
      now,
      updateEveryMs: target.updateEveryMs,
      ...(changesAt === undefined ? {} : { changesAt }),
    });
    const reason = decision.reason === "not-routed" ? (refusal ?? decision.reason) : decision.reason;
    // Only these end by themselves; what else holds it back stays so, silence or not.
    const passes = reason === "silenced" || reason === "outside-hours";
    const until = passes && decision.act === "none" ? decision.until : undefined;
    return {
      target: target.name,
      kind: target.kind,
      told: decision.act === "trigger",
      reason,
      ...(until === undefined ? {} : { until }),
      ...(target.fallback === undefined ? {} : { fallback: target.fallback }),
      ...(target.escalateTo === undefined ? {} : { escalateTo: target.escalateTo }),
    };
  });
}
