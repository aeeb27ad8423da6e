/**
 * Whether a target is to hear of an incident now, by whose wish, and when that may change by itself: its own route, a
 * target whose fallback it is, or a target whose page nobody has acknowledged in time. Pure.
 */
import { type Delivery, type EpochMs, type Incident, type Standing, weeklyState } from "@culprit/model";
import type { TargetConfig } from "./config.ts";
import { type RouteRefusal, routeRefusal } from "./route.ts";

export interface Claim {
  readonly wanted: boolean;
  /** Why its own route does not want it. */
  readonly refusal?: RouteRefusal;
  /** The target that could not be told, and since when this one stands in for it. */
  readonly handedOver?: { readonly from: string; readonly at: EpochMs };
  /** The target whose page was left unacknowledged, and for how long. */
  readonly escalated?: { readonly from: string; readonly afterMs: number };
  /** When to look again although nothing new has come. */
  readonly changesAt?: EpochMs;
}

export interface ClaimSituation {
  readonly targets: readonly TargetConfig[];
  /** What each target was told of the incident. */
  readonly recordOf: (notifier: string) => Delivery | undefined;
  readonly standing: Standing;
  readonly now: EpochMs;
}

/** What a target has to do with an incident; a name that is no target's wants nothing. */
export function claimOf(incident: Incident, notifier: string, situation: ClaimSituation): Claim {
  const { targets, recordOf, now } = situation;
  const own = targets.find(({ name }) => name === notifier);
  const refusal = own === undefined ? "fallback-only" : routeRefusal(incident, own, now);
  const handedOver = targets.flatMap(({ name, fallback }) => {
    const at = fallback === notifier ? recordOf(name)?.handedOverAt : undefined;
    return at === undefined ? [] : [{ from: name, at }];
  })[0];
  const escalations = targets.flatMap((target) => {
    const due = target.escalateTo === notifier ? escalationDue(target, situation) : undefined;
    return due === undefined ? [] : [{ from: target.name, afterMs: target.escalateAfterMs ?? 0, due }];
  });
  const escalated = escalations.find(({ due }) => due <= now);
  const opens =
    refusal === "outside-hours" && own?.when !== undefined ? weeklyState(own.when, now).changesAt : undefined;
  const changesAt = Math.min(opens ?? Infinity, ...escalations.map(({ due }) => due).filter((due) => due > now));
  return {
    wanted: refusal === undefined || handedOver !== undefined || escalated !== undefined,
    ...(refusal === undefined ? {} : { refusal }),
    ...(handedOver === undefined ? {} : { handedOver }),
    ...(escalated === undefined ? {} : { escalated: { from: escalated.from, afterMs: escalated.afterMs } }),
    ...(changesAt === Infinity ? {} : { changesAt }),
  };
}

/**
 * When a page that nobody acknowledges goes on to the next target; `undefined` while there is none or somebody has it.
 * A page that is still on its way counts from its first attempt: who cannot be reached cannot acknowledge.
 */
function escalationDue(target: TargetConfig, { recordOf, standing }: ClaimSituation): EpochMs | undefined {
  if (target.escalateAfterMs === undefined || standing.status !== "open") return undefined;
  const record = recordOf(target.name);
  const told = record?.held === "open" ? record.openedAt : record?.intent?.since;
  return told === undefined ? undefined : Math.max(told, standing.openSince ?? told) + target.escalateAfterMs;
}
