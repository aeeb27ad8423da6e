/** Who sends, as the console shows it: what several processes of ingest say of one sender, added up, and how it stands now. */
import { DAY_MS, type EpochMs, isoOf, type SourceReport } from "@culprit/model";
import { z } from "zod";

const Instant = z.iso.datetime({ precision: 3 });

/** A sender as the API shows it. */
export const SourceView = z.object({
  receiver: z.string(),
  remote: z.string(),
  token: z.exactOptional(z.string()),
  transport: z.string(),
  agent: z.exactOptional(z.string()),
  /** `silent`: not heard for longer than `ingest.silentAfterMs`. */
  state: z.enum(["heard", "silent"]),
  countedSince: Instant,
  lastAt: Instant,
  silentMs: z.number(),
  deliveries: z.number(),
  events: z.number(),
  duplicates: z.number(),
  notSelected: z.number(),
  deadLetters: z.number(),
  dropped: z.number(),
  formats: z.array(z.object({ format: z.string(), events: z.number() })),
  hosts: z.number(),
  newestAt: z.exactOptional(Instant),
  lateMs: z.exactOptional(z.number()),
  worstLateMs: z.exactOptional(z.number()),
  /** The processes that have heard it. */
  instances: z.array(z.string()),
});
export type SourceView = z.output<typeof SourceView>;

/** Every sender, the silent ones first, then by the time they were last heard. */
export function sourcesOf(reports: Iterable<SourceReport>, now: EpochMs): readonly SourceView[] {
  const bySource = new Map<string, SourceReport[]>();
  for (const report of reports) {
    const held = bySource.get(report.id);
    if (held === undefined) bySource.set(report.id, [report]);
    else held.push(report);
  }
  const views = [...bySource.values()].map((same) => viewOf(same, now));
  return views.sort((a, b) => stateOrder(b) - stateOrder(a) || (a.lastAt < b.lastAt ? 1 : -1));
}

/** A sender that was not heard for so long has been taken away, or has another address now. */
const FORGOTTEN_AFTER_MS = 30 * DAY_MS;

/** The reports that nobody looks at any more. */
export function forgottenReports(reports: Iterable<SourceReport>, now: EpochMs): readonly SourceReport[] {
  return [...reports].filter(({ lastAt }) => now - lastAt > FORGOTTEN_AFTER_MS);
}

function stateOrder({ state }: SourceView): number {
  return state === "silent" ? 1 : 0;
}

function viewOf(same: readonly SourceReport[], now: EpochMs): SourceView {
  const newest = same.reduce((best, report) => (report.lastAt > best.lastAt ? report : best));
  const { receiver, remote, token, transport, agent, lateMs, lastAt, silentAfterMs } = newest;
  const sum = (of: (report: SourceReport) => number): number => same.reduce((total, report) => total + of(report), 0);
  const most = (of: (report: SourceReport) => number | undefined): number | undefined => {
    const given = same.flatMap((report) => of(report) ?? []);
    return given.length === 0 ? undefined : Math.max(...given);
  };
  const newestAt = most((report) => report.newestAt);
  const worstLateMs = most((report) => report.worstLateMs);
  const silentMs = Math.max(0, now - lastAt);
  return {
    receiver,
    remote,
    ...(token === undefined ? {} : { token }),
    transport,
    ...(agent === undefined ? {} : { agent }),
    state: silentMs > silentAfterMs ? "silent" : "heard",
    countedSince: isoOf(Math.min(...same.map(({ firstAt }) => firstAt))),
    lastAt: isoOf(lastAt),
    silentMs,
    deliveries: sum((report) => report.deliveries),
    events: sum((report) => report.events),
    duplicates: sum((report) => report.duplicates),
    notSelected: sum((report) => report.notSelected),
    deadLetters: sum((report) => report.deadLetters),
    dropped: sum((report) => report.dropped),
    formats: formatsOf(same),
    // Which computers they are is not known here: the same may stand behind several processes.
    hosts: most((report) => report.hosts) ?? 0,
    ...(newestAt === undefined ? {} : { newestAt: isoOf(newestAt) }),
    ...(lateMs === undefined ? {} : { lateMs }),
    ...(worstLateMs === undefined ? {} : { worstLateMs }),
    instances: same.map(({ instance }) => instance).sort(),
  };
}

function formatsOf(same: readonly SourceReport[]): SourceView["formats"] {
  const counts = new Map<string, number>();
  for (const { formats } of same) {
    for (const { format, events } of formats) counts.set(format, (counts.get(format) ?? 0) + events);
  }
  return [...counts].map(([format, events]) => ({ format, events })).sort((a, b) => b.events - a.events);
}
