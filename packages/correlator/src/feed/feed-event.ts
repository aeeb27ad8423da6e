/** Findings about the feed as records of their own, for detections to read like any other. */
import {
  durationText,
  type EpochMs,
  FEED_CHANNEL,
  FEED_EVENT,
  FEED_PROVIDER,
  type FeedEventKind,
  type HostId,
  isoOf,
  namedData,
  type WindowsEvent,
} from "@culprit/model";
import type { Blind } from "../coverage.ts";
import { isZoneOffset } from "./host-clock.ts";
import type { IdFinding } from "./record-ids.ts";
import type { Silence } from "./rhythm.ts";

const WARNING = 3;
const INFORMATION = 4;

/** A finding about one host: when, what, and the values a detection may bind. */
export interface FeedFinding {
  readonly kind: FeedEventKind;
  readonly host: HostId;
  readonly at: EpochMs;
  readonly data: Readonly<Record<string, string>>;
  readonly message: string;
  /** What is not known to have arrived, where that is over now. */
  readonly blind?: Blind;
}

export function silentFinding(host: HostId, { since, silentMs, usualMs }: Silence): FeedFinding {
  const silentFor = durationText(silentMs);
  return {
    kind: "silent",
    host,
    at: since,
    data: { Since: isoOf(since), SilentFor: silentFor, UsualPause: durationText(usualMs) },
    message: `Nothing has come from ${host} for ${silentFor}, while others were heard; its longest pause was ${durationText(usualMs)}.`,
  };
}

export function heardAgainFinding(host: HostId, { since, silentMs }: Silence, at: EpochMs): FeedFinding {
  const silentFor = durationText(silentMs);
  return {
    kind: "heardAgain",
    host,
    at: Math.max(at, since),
    data: { Since: isoOf(since), SilentFor: silentFor },
    message: `${host} is heard again after ${silentFor}.`,
    blind: { from: since, to: Math.max(at, since) },
  };
}

export function idFinding(host: HostId, channel: string, found: IdFinding): FeedFinding {
  if (found.kind === "anew")
    return {
      kind: "anew",
      host,
      at: found.at,
      data: { Log: channel, Before: String(found.before), After: String(found.after) },
      message: `The record ids of the ${channel} log of ${host} began anew: ${found.before} was followed by ${found.after}.`,
    };
  const missing = found.last - found.first + 1;
  return {
    kind: "gap",
    host,
    at: found.to,
    data: {
      Log: channel,
      First: String(found.first),
      Last: String(found.last),
      Missing: String(missing),
      From: isoOf(found.from),
      To: isoOf(found.to),
      Span: durationText(found.to - found.from),
    },
    message: `${missing} records of the ${channel} log of ${host} did not arrive: ids ${found.first} to ${found.last}.`,
  };
}

export function clockFinding(
  host: HostId,
  kind: "clockOff" | "clockRight",
  { offsetMs, at }: { readonly offsetMs: number; readonly at: EpochMs },
): FeedFinding {
  const direction = offsetMs > 0 ? "ahead" : "behind";
  const offset = durationText(offsetMs);
  return {
    kind,
    host,
    at,
    data: {
      OffsetSeconds: String(Math.round(offsetMs / 1_000)),
      Offset: offset,
      Direction: direction,
      IsZone: isZoneOffset(offsetMs) ? "yes" : "no",
    },
    message:
      kind === "clockOff"
        ? `The records of ${host} are stamped ${offset} ${direction} of when they arrive, unlike those of others.`
        : `The records of ${host} are stamped as those of others again.`,
  };
}

/** The record of a finding. Nothing is later than `receivedAt`: a host's own clock may be. */
export function feedEvent({ kind, host, at, data, message }: FeedFinding, receivedAt: EpochMs): WindowsEvent {
  return {
    provider: FEED_PROVIDER,
    channel: FEED_CHANNEL,
    computer: host,
    host,
    eventId: FEED_EVENT[kind],
    level: kind === "heardAgain" || kind === "clockRight" ? INFORMATION : WARNING,
    timeCreated: Math.min(at, receivedAt),
    timeQuality: "received",
    data: namedData(Object.entries(data)),
    message,
  };
}
