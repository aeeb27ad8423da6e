/**
 * One key of the fold as a stored record, and back. Maps become lists of pairs and sets lists; unknown fields of a newer
 * version are ignored, missing ones of an older version are empty.
 */
import type { IncidentId, Signal } from "@culprit/model";
import type { Blind, Stretch } from "./coverage.ts";
import type { Announcement, HeldIncident, KeyState, Link } from "./state.ts";

export interface StoredKey {
  readonly key: string;
  readonly signals: readonly (readonly [string, readonly Signal[]])[];
  readonly logs: readonly (readonly [string, readonly Stretch[]])[];
  readonly activity: readonly (readonly [string, readonly number[]])[];
  readonly blind: readonly (readonly [string, readonly Blind[]])[];
  readonly incidents: readonly HeldIncident[];
  readonly announced: readonly Announcement[];
  readonly links: readonly (readonly [IncidentId, readonly Link[]])[];
  readonly linked: readonly (readonly [string, { readonly child: Announcement; readonly link: Link }])[];
  readonly dirty: readonly string[];
  /** `null` stands for never: JSON has no infinity. */
  readonly wakeAt: number | null;
}

export function storeKey(key: KeyState): StoredKey {
  return {
    key: key.key,
    signals: [...key.signals],
    logs: [...key.coverage.logs],
    activity: [...key.coverage.activity],
    blind: [...key.coverage.blind],
    incidents: [...key.incidents.values()],
    announced: [...key.announced.values()],
    links: [...key.links],
    linked: [...key.linked],
    dirty: [...key.dirty],
    wakeAt: Number.isFinite(key.wakeAt) ? key.wakeAt : key.wakeAt > 0 ? null : 0,
  };
}

/** Restores a key. Errors: none; the reader of the `state` topic hands over what this version or an earlier one wrote. */
export function restoreKey(stored: StoredKey): KeyState {
  return {
    key: stored.key,
    signals: new Map((stored.signals ?? []).map(([rule, signals]) => [rule, [...signals]])),
    coverage: {
      logs: new Map((stored.logs ?? []).map(([log, stretches]) => [log, stretches.map((stretch) => ({ ...stretch }))])),
      activity: new Map((stored.activity ?? []).map(([host, moments]) => [host, [...moments]])),
      blind: new Map((stored.blind ?? []).map(([host, times]) => [host, [...times]])),
    },
    incidents: new Map((stored.incidents ?? []).map((incident) => [incident.id, { ...incident }])),
    announced: new Map((stored.announced ?? []).map((announcement) => [announcement.id, announcement])),
    links: new Map((stored.links ?? []).map(([child, links]) => [child, [...links]])),
    linked: new Map(stored.linked ?? []),
    dirty: new Set(stored.dirty ?? []),
    wakeAt: stored.wakeAt ?? Number.POSITIVE_INFINITY,
  };
}
