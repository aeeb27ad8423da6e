/** Tells the topic `sources` who sends: every sender that was heard since the last time. */
import type { Bus } from "@culprit/bus";
import { contentId, type EpochMs, type SourceReport, sourceKey, TOPICS } from "@culprit/model";
import type { SourceView } from "./sources.ts";

/** How often senders are reported. */
export const SOURCE_REPORT_MS = 15_000;

export interface SourceReporter {
  /** Reports those that were heard since the last report; what could not be stored is in the next one. Errors: none. */
  report(): Promise<void>;
}

export function sourceReporter(context: {
  readonly bus: Pick<Bus, "publish">;
  /** The name of this process; one that starts again under it goes on with its reports. */
  readonly instance: string;
  readonly silentAfterMs: number;
  readonly view: () => readonly SourceView[];
}): SourceReporter {
  const { bus, instance, silentAfterMs, view } = context;
  const reported = new Map<string, EpochMs>();
  return {
    async report() {
      const all = view().map((source) => reportOf(source, instance, silentAfterMs));
      const fresh = all.filter(({ id, lastAt }) => reported.get(id) !== lastAt);
      if (fresh.length === 0) return;
      const topic = TOPICS.sources.name;
      try {
        await bus.publish(fresh.map((value) => ({ topic, key: sourceKey(value), value })));
      } catch {
        // Senders come before what is said of them: a log that takes nothing now is asked again later.
        return;
      }
      reported.clear();
      for (const { id, lastAt } of all) reported.set(id, lastAt);
    },
  };
}

function reportOf(source: SourceView, instance: string, silentAfterMs: number): SourceReport {
  const { silentMs: _, isSilent: __, ...counted } = source;
  const id = contentId("source", source.receiver, source.remote, source.token ?? "");
  return { ...counted, formats: [...source.formats], id, instance, silentAfterMs };
}
