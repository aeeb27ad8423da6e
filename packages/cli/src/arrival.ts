/**
 * Arrivals of an offline input: every event that some rule wants, and what else arrived as coverage; in order of arrival, so
 * that files may be given in any order. Memory is that of the wanted events, not of the input.
 */
import {
  type Arrived,
  arrivalOf,
  DecodedFields,
  type Hearing,
  type Offline,
  type RuleMatcher,
} from "@culprit/correlator";
import type { Shown } from "@culprit/formats";
import { type Coverage, type EpochMs, foldHost, MINUTE_MS, shortName, type WindowsEvent } from "@culprit/model";
import type { CodeTables } from "@culprit/rules";

export interface Arrivals {
  /** Takes an event; `file` is where it stood, whose end says nothing of the hosts in other files. */
  add(event: WindowsEvent, file?: string): void;
  /** Takes a record that no rule wants without decoding it; false where it shows too little for that. */
  addUnwanted(shown: Shown, file?: string): boolean;
  /** Feeds the chain in order of arrival. */
  feed(chain: Offline): void;
  readonly eventCount: number;
}

/** What coverage asks of a record. */
type Sign = Pick<WindowsEvent, "host" | "channel" | "timeCreated" | "timeQuality" | "receivedAt" | "recordId">;

/** Records that no rule wants, in one piece. */
interface Summary {
  coverage: Coverage;
  at: EpochMs;
  readonly hearing: Hearing;
}

/** Collects what a chain over these rules needs. */
export function createArrivals(matcher: RuleMatcher, tables: CodeTables): Arrivals {
  const wanted: { readonly event: WindowsEvent; readonly at: EpochMs; readonly hearing: Hearing }[] = [];
  const coverage: Summary[] = [];
  const open = new Map<string, Summary>();
  let eventCount = 0;
  const close = (held: Summary): void => {
    coverage.push(held);
  };
  const cover = ({ event, at, ageMs }: Arrived<Sign>, file: string | undefined): void => {
    const log = `${shortName(event.host)}\n${event.channel}\n${file ?? ""}`;
    const held = open.get(log);
    const joined = held === undefined ? undefined : joinCoverage(held.coverage, event);
    if (held !== undefined && joined !== undefined) {
      held.coverage = joined;
      held.at = Math.max(held.at, at);
      return;
    }
    if (held !== undefined) close(held);
    open.set(log, { coverage: oneCoverage(event), at, hearing: hearingOf(ageMs, file) });
  };
  return {
    get eventCount() {
      return eventCount;
    },
    add(raw, file) {
      eventCount += 1;
      const arrived = arrivalOf(raw);
      const { event, at, ageMs } = arrived;
      if (matcher.match(event, new DecodedFields(event, tables)).length === 0) return cover(arrived, file);
      const { original: _original, ...kept } = event;
      wanted.push({ event: kept, at, hearing: hearingOf(ageMs, file) });
    },
    addUnwanted({ computer, channel, at, receivedAt, recordId }, file) {
      const host = computer === undefined ? undefined : foldHost(computer);
      if (host === undefined || channel === undefined || at === undefined) return false;
      eventCount += 1;
      const ids = recordId === undefined ? {} : { recordId: String(recordId) };
      const received = receivedAt === undefined ? {} : { receivedAt };
      cover(arrivalOf({ host, channel, timeCreated: at, timeQuality: "event", ...received, ...ids }), file);
      return true;
    },
    feed(chain) {
      for (const held of open.values()) close(held);
      open.clear();
      wanted.sort((a, b) => a.at - b.at);
      coverage.sort((a, b) => a.at - b.at);
      let next = 0;
      for (const { event, at, hearing } of wanted) {
        for (let one = coverage[next]; one !== undefined && one.at <= at; one = coverage[next]) {
          chain.coverage(one.coverage, one.at, one.hearing);
          next += 1;
        }
        chain.event(event, at, hearing);
      }
      for (const one of coverage.slice(next)) chain.coverage(one.coverage, one.at, one.hearing);
    },
  };
}

function hearingOf(ageMs: number | undefined, file: string | undefined): Hearing {
  return { ...(ageMs === undefined ? {} : { ageMs }), ...(file === undefined ? {} : { feed: file }) };
}

function recordNumber(event: Sign): number | undefined {
  const id = event.recordId === undefined ? Number.NaN : Number(event.recordId);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

function oneCoverage(event: Sign): Coverage {
  const id = recordNumber(event);
  return {
    host: event.host,
    channel: event.channel,
    from: event.timeCreated,
    to: event.timeCreated,
    count: 1,
    ...(id === undefined ? {} : { firstRecordId: id, lastRecordId: id }),
  };
}

/** Joined while the minute lasts and record ids follow on each other, so that the last sign of life stays sharp. */
function joinCoverage(held: Coverage, event: Sign): Coverage | undefined {
  const id = recordNumber(event);
  const from = Math.min(held.from, event.timeCreated);
  const to = Math.max(held.to, event.timeCreated);
  if (to - from > MINUTE_MS) return undefined;
  if (held.lastRecordId === undefined)
    return id === undefined ? { ...held, from, to, count: held.count + 1 } : undefined;
  if (id !== held.lastRecordId + 1) return undefined;
  return { ...held, from, to, count: held.count + 1, lastRecordId: id };
}
